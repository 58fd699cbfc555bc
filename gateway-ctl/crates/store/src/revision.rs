//! Where the store's history is.

use std::fmt;

/// A state of the whole store: how many batches have changed something since it was made.
///
/// It is kept on disk and never goes back, also not by a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// Before the first batch; as a key's revision, that there is no such key.
    pub const ZERO: Self = Self(0);

    /// The one that the next batch makes.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
