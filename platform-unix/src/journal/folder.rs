//! The folder that holds the journals of one user.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// How long another start may take to end what it finds before this one goes on without a journal.
const PATIENCE: Duration = Duration::from_secs(15);

const EXTENSION: &str = "journal";
const LOCK: &str = "lock";
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// The folder, while this process alone may begin or remove journals in it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

/// A journal in the folder.
pub(super) enum Found {
    /// Somebody has it locked: its supervisor lives, or is about to be gone.
    Kept(File),
    /// Nobody keeps it any more. The lock is ours as long as the file is open.
    Left(File),
}

impl Folder {
    /// Opens the folder, for its owner alone; makes it if it is missing. Waits for others that do
    /// the same.
    pub(super) fn open_or_make(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)?;
        Self::open(path)
    }

    /// As [`open_or_make`](Self::open_or_make), but a missing folder is an error.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        make_private(path)?;
        let lock = lock_patiently(open_to_lock(&path.join(LOCK), true)?)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The paths of all journals, in order.
    pub(super) fn journals(&self) -> io::Result<Vec<PathBuf>> {
        self.files(|path| path.extension().is_some_and(|extension| extension == EXTENSION))
    }

    /// The paths of the files that were put aside, in order.
    pub(super) fn put_aside(&self) -> io::Result<Vec<PathBuf>> {
        let is_journal =
            |path: &Path| path.extension().is_some_and(|extension| extension == EXTENSION);
        self.files(|path| !is_journal(path) && !path.ends_with(LOCK))
    }

    /// A new journal with this name, locked by us.
    pub(super) fn create(&self, name: &str) -> io::Result<(PathBuf, File)> {
        let path = self.path.join(name).with_extension(EXTENSION);
        let file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&path)?;
        file.try_lock()?;
        Ok((path, file))
    }

    fn files(&self, wanted: impl Fn(&Path) -> bool) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_file() && wanted(&entry.path()) {
                paths.push(entry.path());
            }
        }
        paths.sort();
        Ok(paths)
    }
}

/// Opens a journal, and locks it if nobody keeps it.
pub(super) fn find(journal: &Path) -> io::Result<Found> {
    let file = open_to_lock(journal, false)?;
    match file.try_lock() {
        Ok(()) => Ok(Found::Left(file)),
        Err(TryLockError::WouldBlock) => Ok(Found::Kept(file)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Gives a file another name, one that no other has. Answers it.
pub(super) fn put_aside(journal: &Path, why: &str) -> io::Result<PathBuf> {
    let mut aside = journal.with_extension(why);
    let mut count = 1;
    while aside.try_exists()? {
        count += 1;
        aside = journal.with_extension(format!("{why}.{count}"));
    }
    fs::rename(journal, &aside)?;
    Ok(aside)
}

/// Whoever can write a journal says what is to be killed.
fn make_private(path: &Path) -> io::Result<()> {
    let folder = fs::metadata(path)?;
    if folder.uid() != rustix::process::geteuid().as_raw() {
        let message = format!("{} belongs to another user", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    if folder.mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE))?;
    }
    Ok(())
}

/// For writing where that can be, since not every file system locks what is open for reading.
fn open_to_lock(path: &Path, create: bool) -> io::Result<File> {
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(nofollow).mode(FILE_MODE);
    let writable = options.clone().write(true).create(create).truncate(false).open(path);
    // On a file system that became read-only what was left can still be found.
    writable.or_else(|error| options.open(path).map_err(|_| error))
}

/// Waits in a thread of its own: a lock has no deadline, and its holder may have been stopped.
pub(super) fn lock_patiently(file: File) -> io::Result<File> {
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::Error(error)) => return Err(error),
        Err(TryLockError::WouldBlock) => {}
    }
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new().name("lock".to_owned()).spawn(move || {
        let locked = file.lock().map(|()| file);
        drop(sender.send(locked)); // If nobody waits any more, this lets go of the lock.
    })?;
    receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        let message = "another start still holds the journals";
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    })
}
