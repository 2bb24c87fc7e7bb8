//! Starts a `worker run` whose first run has a pipe of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

use super::cell::Place;
use super::ground::{Ground, becoming, hand_over};
use super::keeper::PATIENCE;
use super::terminal::Terminal;

/// What is to be started.
pub(super) struct Launch<'a> {
    pub(super) ground: &'a Ground,
    pub(super) place: Place,
    /// The cgroup to start it in.
    pub(super) cgroup: Option<&'a Path>,
    /// The user's own folders, for what it keeps there.
    pub(super) home: &'a Path,
    /// For this start alone.
    pub(super) folder: PathBuf,
    pub(super) options: Vec<String>,
    /// The script of the first run, and the one of all others.
    pub(super) scripts: [String; 2],
    pub(super) in_terminal: bool,
}

/// A `worker run` and what can be seen of it.
pub(super) struct Started {
    pub(super) talk: Talk,
    pub(super) pipe: Pipe,
    pub(super) terminal: Option<Terminal>,
    stderr: PathBuf,
}

impl Launch<'_> {
    pub(super) fn start(&self) -> io::Result<Started> {
        fs::create_dir(&self.folder)?;
        let talk = self.make_fifo("talk")?;
        let pipe = self.make_fifo("pipe")?;
        self.write("start", &self.start_script())?;
        self.write("run", &self.run_script())?;
        let started = Started {
            talk: Talk::of(OpenOptions::new().read(true).write(true).open(talk)?),
            pipe: Pipe::open(pipe)?,
            terminal: self.in_terminal.then(Terminal::with_shell).transpose()?,
            stderr: self.folder.join("stderr"),
        };
        match &started.terminal {
            Some(terminal) => terminal.press(&format!("sh {}\n", quoted(&self.path("start"))))?,
            None => drop(self.command()?.spawn()?), // Reaped with all others.
        }
        Ok(started)
    }

    fn command(&self) -> io::Result<Command> {
        let mut command = Command::new("sh");
        command.arg(self.folder.join("start")).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(self.folder.join("stderr"))?);
        Ok(command)
    }

    /// Everything that it writes to is read by us alone.
    fn make_fifo(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        hand_over(&path, self.place.user)?;
        Ok(path)
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        fs::write(self.folder.join(name), text)
    }

    /// Enters the cgroup, becomes the user, and is `worker`.
    fn start_script(&self) -> String {
        let enter = self.cgroup.map(|cgroup| {
            format!("echo 0 > {}\n", quoted(&cgroup.join("cgroup.procs").to_string_lossy()))
        });
        let folders = ["HOME", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"];
        let home = quoted(&self.home.to_string_lossy());
        let folders: String =
            folders.iter().map(|name| format!("export {name}={home}\n")).collect();
        let talk = quoted(&self.path("talk"));
        let mut words = becoming(self.place.user);
        words.push(self.ground.program("worker").to_string_lossy().into_owned());
        words.extend(["run", "--name", "zoo"].map(str::to_owned));
        words.extend(self.ground.options(self.place.tier).iter().map(|&word| word.to_owned()));
        words.extend(self.options.iter().cloned());
        words.extend(["--".to_owned(), "sh".to_owned(), self.path("run")]);
        format!("{}{folders}exec > {talk}\nexec {}\n", enter.unwrap_or_default(), all_quoted(words))
    }

    /// Every process of the first run holds the pipe, since none closes what it does not know.
    fn run_script(&self) -> String {
        let fixture = self.ground.program("worker-fixture").to_string_lossy().into_owned();
        let line = |script: &str| {
            let words = script.split_whitespace().map(str::to_owned);
            format!("exec {}", all_quoted([fixture.clone()].into_iter().chain(words)))
        };
        let [first, later] = &self.scripts;
        let pipe = quoted(&self.path("pipe"));
        let (first, later) = (line(first), line(later));
        format!("if [ \"$WORKER_RUN\" = 1 ]; then\nexec 3> {pipe}\n{first}\nfi\n{later}\n")
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }
}

impl Started {
    /// Waits for a line that begins so.
    pub(super) fn await_line(&self, text: &str) -> Result<String, String> {
        let deadline = Instant::now() + PATIENCE;
        while let Some(line) = self.talk.next(deadline.saturating_duration_since(Instant::now())) {
            if line.starts_with(text) {
                return Ok(line);
            }
        }
        Err(format!("nobody said `{text}`; {}", self.last_words()))
    }

    /// The last of what `worker` said, for a report.
    pub(super) fn last_words(&self) -> String {
        let said = fs::read_to_string(&self.stderr).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(3)..].join("; ")
    }
}

/// The standard output, line by line.
pub(super) struct Talk(Receiver<String>);

impl Talk {
    fn of(file: File) -> Self {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(file).lines().map_while(Result::ok);
            for line in lines {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self(receiver)
    }

    /// The next line, if it comes in time.
    pub(super) fn next(&self, patience: Duration) -> Option<String> {
        self.0.recv_timeout(patience).ok()
    }
}

/// What every process of a tree holds.
pub(super) struct Pipe {
    path: PathBuf,
    reader: File,
}

impl Pipe {
    fn open(path: PathBuf) -> io::Result<Self> {
        let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        let reader = OpenOptions::new().read(true).custom_flags(nonblocking).open(&path)?;
        Ok(Self { path, reader })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The end of a pipe that nobody holds can be read at once.
    pub(super) fn is_held(&self) -> bool {
        let read = (&self.reader).read(&mut [0]);
        !matches!(read, Ok(0))
    }
}

fn all_quoted(words: impl IntoIterator<Item = String>) -> String {
    words.into_iter().map(|word| quoted(&word)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
