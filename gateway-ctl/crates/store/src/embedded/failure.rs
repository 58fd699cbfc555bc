//! What redb's errors mean to whoever runs the gateway.

use std::any::Any;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::Failure;

/// A failure, before it is known of which file.
#[derive(Debug)]
pub(super) enum Cause {
    Redb(redb::Error),
    /// What was found.
    Damaged(String),
    /// Where we stopped.
    Stopped(String),
}

impl<E: Into<redb::Error>> From<E> for Cause {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

impl Cause {
    /// The failure of this file.
    pub(super) fn of(&self, path: &Arc<str>) -> Failure {
        let path = Arc::clone(path);
        let error = match self {
            Self::Redb(error) => error,
            Self::Damaged(cause) => {
                let cause = cause.as_str().into();
                return Failure::Damaged { path, cause };
            }
            Self::Stopped(cause) => {
                let cause = cause.as_str().into();
                return Failure::Stopped { path, cause };
            }
        };
        match error {
            redb::Error::Io(error) => of_io(path, error),
            redb::Error::PreviousIo => Failure::Disk {
                path,
                cause: "an earlier read or write failed".into(),
            },
            redb::Error::LockPoisoned(place) => Failure::Stopped {
                path,
                cause: place.to_string().into(),
            },
            // What is left says that a table or a page is not what we wrote.
            other => Failure::Damaged {
                path,
                cause: other.to_string().into(),
            },
        }
    }
}

/// The failure that an error of the system is.
pub(super) fn of_io(path: Arc<str>, error: &std::io::Error) -> Failure {
    let cause = error.to_string().into();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Failure::Full { path, cause }
        }
        // redb says so of a file that is no database of its, or ends too early.
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Failure::Damaged { path, cause },
        _ => Failure::Disk { path, cause },
    }
}

/// Makes a failure of a panic. What the work was about is used no more after it.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Cause>) -> Result<T, Cause> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(Cause::Stopped(text(panic.as_ref()))))
}

/// The same while only reading: redb means to give errors for what it finds in a damaged
/// file, but may panic.
pub(super) fn reading<T>(work: impl FnOnce() -> Result<T, Cause>) -> Result<T, Cause> {
    guarded(work).map_err(|cause| match cause {
        Cause::Stopped(panic) => Cause::Damaged(panic),
        cause => cause,
    })
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}
