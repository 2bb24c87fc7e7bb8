//! Our side: the platform.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use worker_core::{Kill, RunId, Spawn};
use worker_platform_unix::{
    Command, Input, Output, OutputReader, OutputWriter, Shim, Tier, UnixPlatform, output_pipe,
};

use crate::round::Means;
use crate::tree;

const RUN: RunId = RunId::new(1);

/// The folder in which cgroups can be made; else why none can.
pub(crate) fn home_of_cgroups() -> io::Result<Result<PathBuf, String>> {
    runtime()?.block_on(async {
        Ok(match with_cgroups()?.tier() {
            Tier::Cgroup { folder } => {
                let home = folder.parent().map(PathBuf::from);
                home.ok_or_else(|| "the cgroups are nowhere".to_owned())
            }
            Tier::Subreaper { no_cgroups } | Tier::Group { no_cgroups } => Err(no_cgroups),
        })
    })
}

/// As when the grace of a stop is over.
pub(crate) fn empty(means: &Means) -> io::Result<Duration> {
    runtime()?.block_on(async {
        let platform = match means {
            Means::Subreaper => UnixPlatform::new()?,
            Means::Cgroup { .. } => with_cgroups()?,
        };
        let (mut reader, writer) = output_pipe()?;
        let spawned = platform.spawn(RUN, command(writer)).await;
        spawned.map_err(|error| io::Error::other(error.message))?;
        wait_until_complete(&mut reader).await?;
        let begun = Instant::now();
        platform.kill_group(RUN).await;
        platform.kill_escapees(RUN).await;
        platform.tree_gone(RUN).await;
        Ok(begun.elapsed())
    })
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn with_cgroups() -> io::Result<UnixPlatform> {
    UnixPlatform::with_cgroups(Shim::program(tree::program()))
}

fn command(writer: OutputWriter) -> Command {
    Command {
        program: tree::program().to_owned(),
        args: tree::script().map(Into::into).collect(),
        env: Vec::new(),
        dir: "/".into(),
        task_limit: None,
        stdin: Input::Null,
        stdout: Output::Pipe(writer),
        stderr: Output::Inherit,
    }
}

async fn wait_until_complete(reader: &mut OutputReader) -> io::Result<()> {
    let (mut written, mut chunk) = (Vec::new(), [0; 4096]);
    while !tree::is_complete(&written) {
        match reader.read(&mut chunk).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => written.extend(&chunk[..length]),
        }
    }
    Ok(())
}
