//! Makes the file, opens it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{Builder, Database};

use super::failure::{Cause, of_io, reading};
use super::tables::{self, FORMAT};
use crate::OpenError;

/// Name of the file in the state directory.
pub const FILE_NAME: &str = "store.redb";
/// Name of it until it is whole.
const UNFINISHED: &str = "store.redb.new";

/// Bytes of the file that redb keeps in memory. The kernel's page cache has the rest, so that
/// more of it gains little.
const CACHE_BYTES: usize = 32 << 20;

/// Opens the file in the directory, or makes it.
pub(super) fn open(directory: &Path, path: &Path) -> Result<Database, OpenError> {
    if !path.try_exists().map_err(|error| of_system(path, error))? {
        create(directory, path)?;
    }
    let opened = reading(|| {
        let database = builder().open(path)?;
        let format = tables::format(&database)?;
        Ok((database, format))
    });
    let (database, format) = opened.map_err(|cause| of_redb(path, cause))?;
    match format {
        Some(FORMAT) => Ok(database),
        Some(got) => Err(OpenError::Version {
            path: path.to_owned(),
            got,
            expected: FORMAT,
        }),
        None => {
            let cause = Cause::Damaged("it is no store of the gateway's".to_owned());
            Err(of_redb(path, cause))
        }
    }
}

/// How redb is set up.
pub(super) fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Makes an empty store. It has its name once it is whole and on disk, so that a crash leaves
/// either none or this.
fn create(directory: &Path, path: &Path) -> Result<(), OpenError> {
    let unfinished = directory.join(UNFINISHED);
    let whole = || -> io::Result<File> {
        let lock = File::open(directory)?;
        // One at a time; it ends with the handle.
        lock.lock()?;
        match std::fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(lock),
        }
    };
    let lock = whole().map_err(|error| of_system(directory, error))?;
    if path.try_exists().map_err(|error| of_system(path, error))? {
        return Ok(());
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(|error| of_system(&unfinished, error))?;
    let initialize = || -> Result<(), Cause> {
        let database = builder().create_with_backend(FileBackend::new(file)?)?;
        tables::initialize(&database)?;
        // It syncs what it writes.
        database.close()?;
        Ok(())
    };
    initialize().map_err(|cause| of_redb(&unfinished, cause))?;
    let rename = std::fs::rename(&unfinished, path).and_then(|()| lock.sync_all());
    rename.map_err(|error| of_system(path, error))
}

fn of_redb(path: &Path, cause: Cause) -> OpenError {
    match cause {
        Cause::Redb(redb::Error::DatabaseAlreadyOpen) => OpenError::InUse {
            path: path.to_owned(),
        },
        Cause::Redb(redb::Error::Io(error)) => of_system(path, error),
        cause => cause.of(&path.display().to_string().into()).into(),
    }
}

/// Errors of the system, of which some are no broken disk.
fn of_system(path: &Path, error: io::Error) -> OpenError {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
    match error.kind() {
        NotFound | NotADirectory | PermissionDenied | ReadOnlyFilesystem => OpenError::Io {
            path: path.to_owned(),
            error,
        },
        _ => of_io(Arc::from(path.display().to_string()), &error).into(),
    }
}
