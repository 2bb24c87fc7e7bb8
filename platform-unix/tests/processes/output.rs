//! Output is drained without waiting for end-of-file.

use worker_core::{Exit, Kill, RunId, Spawn};
use worker_platform_unix::{MoreOutput, output_pipe};

use crate::common::{piped, scenario, soon};

scenario!(what_a_dead_leader_wrote_is_there_though_a_child_holds_the_pipe, async |platform| {
    let (mut reader, writer) = output_pipe().unwrap();
    let run = RunId::new(1);
    platform.spawn(run, piped("fork { sleep } print last-words exit 1", writer)).await.unwrap();
    assert_eq!(soon(platform.leader_exit(run)).await, Exit::Code(1));

    let (mut said, mut buffer) = (Vec::new(), [0; 4]);
    let more = reader.drain(&mut buffer, |bytes| said.extend_from_slice(bytes)).unwrap();
    assert_eq!(more, MoreOutput::Possible, "the child could write more");
    assert_eq!(said, b"last-words\n");

    platform.kill_group(run).await;
    soon(platform.tree_gone(run)).await;
    soon(reader.readable()).await.unwrap();
    let more = reader.drain(&mut buffer, |bytes| said.extend_from_slice(bytes)).unwrap();
    assert_eq!((more, said.len()), (MoreOutput::Never, 11));
});
