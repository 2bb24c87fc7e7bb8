//! Takes in clients, and sees them off at the end.

use std::io;
use std::time::{Duration, Instant};

use axum::Router;
use rustix::process::geteuid;
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connection::attend;
use super::context::{Closing, Context, Limits};
use super::listener::Listener;
use super::router::{refusing_router, router};
use crate::daemon::Daemon;

/// How long nobody is taken in where that failed: until a descriptor is free again.
const BREATH: Duration = Duration::from_millis(100);

/// The server of the control API.
#[derive(Debug)]
pub struct Server {
    context: Context,
    router: Router,
    clients: JoinSet<()>,
}

impl Server {
    /// A server that asks this daemon.
    #[must_use]
    pub fn new(daemon: Daemon) -> Self {
        let (closing, limits) = (Closing::default(), Limits::default());
        let context = Context { daemon, closing, limits, since: Instant::now() };
        Self { router: router(context.clone()), context, clients: JoinSet::new() }
    }

    /// Its end, for whoever wants that.
    #[must_use]
    pub fn closing(&self) -> Closing {
        self.context.closing.clone()
    }

    /// Serves until a client asked for the shutdown and has its answer, or until
    /// [`close`](Self::close). Cancel safe.
    pub async fn serve(&mut self, listener: &Listener) {
        let closing = self.context.closing.clone();
        loop {
            let is_full = self.clients.len() >= self.context.limits.connections;
            tokio::select! {
                biased;
                () = closing.asked() => return,
                Some(_) = self.clients.join_next() => {}
                accepted = listener.accept(), if !is_full => self.take_in(accepted).await,
            }
        }
    }

    /// Lets nobody connect any more, and waits until those that are connected have their answers, for
    /// a second at most.
    pub async fn close(mut self, listener: Listener) {
        self.context.closing.ask();
        drop(listener);
        self.context.closing.is_deaf();
        let last_answers = async { while self.clients.join_next().await.is_some() {} };
        // What is not read by then is lost with its client's patience.
        let _ = timeout(self.context.limits.last_answers, last_answers).await;
    }

    async fn take_in(&mut self, accepted: io::Result<UnixStream>) {
        let Ok(stream) = accepted else { return sleep(BREATH).await };
        let is_admitted = stream.peer_cred().is_ok_and(|peer| admits(peer.uid()));
        let router = if is_admitted { self.router.clone() } else { refusing_router() };
        let Context { limits, closing, .. } = &self.context;
        self.clients.spawn(attend(stream, router, *limits, closing.clone()));
    }
}

/// This user, and root, who could do all of it anyway.
fn admits(peer: u32) -> bool {
    peer == 0 || peer == geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_user_and_root_are_served() {
        let own = geteuid().as_raw();
        assert!(admits(own) && admits(0));
        assert!(!admits(own + 1));
    }
}
