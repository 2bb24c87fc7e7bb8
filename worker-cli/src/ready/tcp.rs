//! Ready when a process of the run listens on its port.

use super::cadence::Cadence;
use super::{Answers, Target, listener};

pub(super) async fn await_ready(target: Target<'_>, port: Option<u16>, answers: &mut Answers<'_>) {
    let Some(port) = port else { return };
    let cadence = Cadence::start();
    loop {
        if let Some(owner) = listener::find(target, port).await
            && answers.tell(owner, || listener::describe(port))
        {
            return;
        }
        cadence.pause().await;
    }
}
