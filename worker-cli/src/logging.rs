//! What the platform has to say, such as a mechanism that is missing, in our own voice.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::voice::Voice;

/// How much is said; `WORKER_LOG=debug` says more.
const VARIABLE: &str = "WORKER_LOG";

/// Sends what is traced to `voice`, from warnings on.
pub fn to(voice: &Voice) {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Speaker(voice.clone()))
        .with_ansi(false)
        .with_level(false)
        .with_target(false)
        .without_time()
        .finish();
    // A process that has a subscriber already keeps it.
    drop(tracing::subscriber::set_global_default(subscriber));
}

struct Speaker(Voice);

/// What is written between two flushes is one message.
struct Message {
    voice: Voice,
    text: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Speaker {
    type Writer = Message;

    fn make_writer(&'a self) -> Message {
        Message { voice: self.0.clone(), text: Vec::new() }
    }
}

impl Write for Message {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        if !text.trim().is_empty() {
            self.voice.warn(text.trim());
        }
    }
}
