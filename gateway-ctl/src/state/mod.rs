//! What must survive a restart: bindings that the API added.

mod bindings_file;
mod lock;

pub(crate) use bindings_file::BindingsFile;
pub(crate) use lock::{lock, lock_pins};
