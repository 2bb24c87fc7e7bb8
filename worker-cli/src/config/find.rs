//! Where the configuration lies.

use std::io;
use std::path::{Path, PathBuf};

use super::parse::Found;
use super::resolve::Home;
use crate::error::{Code, Failure};

const FILE: &str = "worker.toml";
const LOCAL_FILE: &str = "worker.local.toml";

/// The nearest `worker.toml`, from `folder` upwards.
///
/// # Errors
///
/// [`Failure`] if there is none.
pub fn find(folder: &Path) -> Result<PathBuf, Failure> {
    let files = folder.ancestors().map(|folder| folder.join(FILE));
    let mut found = files.filter(|file| file.symlink_metadata().is_ok());
    found.next().ok_or_else(|| {
        let message = format!("there is no {FILE} in {} or above it", folder.display());
        Failure::new(Code::BadConfig, message).hint(
            "change to a folder of the project, or write one: `worker config --help` has an example",
        )
    })
}

/// Where a `worker.toml` is at home.
pub(super) fn home_of(file: &Path) -> Result<Home, Failure> {
    let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
    if folder.to_str().is_none() {
        let message = format!("the path {} is not UTF-8 text", folder.display());
        return Err(Failure::new(Code::BadConfig, message).hint("rename the folder"));
    }
    let user = std::env::home_dir().filter(|home| home.is_absolute());
    Ok(Home { folder, user })
}

/// How a file is read.
pub(super) type Read = fn(&Path) -> io::Result<Vec<u8>>;

/// The file, and the local one beside it if there is one.
pub(super) fn read(file: &Path, by: Read) -> Result<Vec<Found>, Failure> {
    let local = file.with_file_name(LOCAL_FILE);
    let found = |path: &Path| Ok(Found { path: shown(path), bytes: by(path)? });
    let mut files = vec![found(file).map_err(|error| unreadable(file, &error))?];
    match found(&local) {
        Ok(found) => files.push(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unreadable(&local, &error)),
    }
    Ok(files)
}

/// From the current folder on where the file lies below it.
fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_owned()
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Code::BadConfig, format!("cannot read {}: {error}", path.display()))
        .hint("make it a file that you may read")
}
