//! What a transfer asks for, whichever protocol it speaks.

use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// Files by name, for phones by address. Calls block on the disk: not for an async task.
pub(crate) trait Files: Send + Sync {
    /// The file `name`, as the phone at `from` is to have it.
    ///
    /// # Errors
    /// Why it gets none.
    fn open(&self, from: Ipv4Addr, name: &str) -> Result<Content, Refused>;

    /// Begins a file that the phone at `from` writes. `size` in bytes is what the phone
    /// says of it, if it does: too much is refused at once, and nothing is trusted.
    ///
    /// # Errors
    /// Why it may not.
    fn create(
        &self,
        from: Ipv4Addr,
        name: &str,
        size: Option<u64>,
    ) -> Result<Box<dyn Upload>, Refused>;
}

/// A file on its way in. Nobody sees it before [`Upload::finish`]; dropped, it leaves
/// nothing behind, and what was there under its name stays.
pub(crate) trait Upload: Send {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// [`Refused::QuotaExceeded`], [`Refused::Io`]: the transfer is over, drop it.
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Refused>;

    /// Puts the file in its place, on disk.
    ///
    /// # Errors
    /// As [`Self::write_all`]; then nothing is left behind either.
    fn finish(self: Box<Self>) -> Result<(), Refused>;
}

/// A file on its way out: its length does not change while it is sent.
#[derive(Debug)]
pub(crate) struct Content {
    /// Where its bytes come from.
    pub(crate) bytes: Source,
    /// How many there are.
    pub(crate) length: u64,
}

/// Where bytes come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// An open regular file.
    File(File),
    /// A rendered template.
    Memory(Arc<[u8]>),
}

impl Content {
    /// Content in memory.
    pub(crate) fn memory(bytes: Arc<[u8]>) -> Self {
        let length = bytes.len() as u64;
        let bytes = Source::Memory(bytes);
        Self { bytes, length }
    }

    /// Fills `buffer` from `offset` on; returns how many bytes it took: fewer than it
    /// holds only where the content ends.
    ///
    /// # Errors
    /// When the disk fails, or the file has been made shorter since it was opened.
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.length.saturating_sub(offset);
        let take = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let buffer = &mut buffer[..take];
        match &self.bytes {
            Source::File(file) => file.read_exact_at(buffer, offset)?,
            Source::Memory(bytes) => {
                // Both fit: what is taken lies within a slice.
                let offset = usize::try_from(offset).unwrap_or(usize::MAX);
                if let Some(from) = bytes.get(offset..).and_then(|from| from.get(..take)) {
                    buffer.copy_from_slice(from);
                }
            }
        }
        Ok(take)
    }
}

/// Why a phone gets no file, or may not write one. Display is for the log: the phone is
/// told no more than the kind.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Neither a file nor a template.
    #[error("there is no such file")]
    NotFound,
    /// Another phone's, by its name; who asks is told no more than of a file that is not there.
    #[error("{0}")]
    Anothers(String),
    /// Not to be had in this way.
    #[error("{0}")]
    Denied(String),
    /// Its upload folder would hold too much.
    #[error("{0}")]
    QuotaExceeded(String),
    /// Too much is going on; later, perhaps.
    #[error("too many transfers at once: {0}")]
    Busy(String),
    /// A template, which was logged: phone and line are in the log.
    #[error("{0}")]
    Template(String),
    /// The disk.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Refused {
    /// Its kind, as metrics name it.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Anothers(_) => "anothers",
            Self::Denied(_) => "denied",
            Self::QuotaExceeded(_) => "quota_exceeded",
            Self::Busy(_) => "busy",
            Self::Template(_) => "template",
            Self::Io(_) => "io_error",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn content_ends_where_it_ended_when_it_was_opened() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"configuration").unwrap();
        let contents = [
            Content {
                bytes: Source::File(file.try_clone().unwrap()),
                length: 13,
            },
            Content::memory((*b"configuration").into()),
        ];
        file.write_all(b" and more").unwrap();
        for content in contents {
            let mut buffer = [0; 8];
            assert_eq!(content.read_at(&mut buffer, 0).unwrap(), 8);
            assert_eq!(&buffer, b"configur");
            assert_eq!(content.read_at(&mut buffer, 8).unwrap(), 5);
            assert_eq!(&buffer[..5], b"ation");
            for beyond in [13, 14, u64::MAX] {
                assert_eq!(content.read_at(&mut buffer, beyond).unwrap(), 0);
            }
        }
    }

    #[test]
    fn a_file_made_shorter_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"firmware").unwrap();
        file.set_len(3).unwrap();
        let content = Content {
            bytes: Source::File(file),
            length: 8,
        };
        assert!(content.read_at(&mut [0; 8], 0).is_err());
    }
}
