//! The part of a file that is under way: what was sent and may have to be sent again, and
//! what comes next. Read in pieces, since a system call for each block would be half of
//! what a block costs.

use std::io;

use tftp::{Mode, ToNetascii};

use crate::provision::Content;

/// Bytes read at once. More would not stay in the processor's cache until it is sent.
const PIECE: usize = 1 << 17;

/// A file as it goes over the wire.
#[derive(Debug)]
pub(super) struct Sliding {
    content: Content,
    text: bool,
    /// Length in the form of the wire.
    length: u64,
    buffer: Vec<u8>,
    /// Where the buffer begins, in the form of the wire.
    from: u64,
    /// Of text: how much of the file is in the buffer or was.
    read: u64,
}

impl Sliding {
    /// # Errors
    /// When a text cannot be read: its length on the wire is known only then.
    pub(super) fn new(content: Content, mode: Mode) -> io::Result<Self> {
        let text = mode == Mode::Netascii;
        let mut sliding = Self {
            length: content.length,
            content,
            text,
            buffer: Vec::new(),
            from: 0,
            read: 0,
        };
        if text {
            sliding.length = sliding.text_length()?;
        }
        Ok(sliding)
    }

    /// Bytes that go over the wire.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    fn text_length(&self) -> io::Result<u64> {
        let mut piece = vec![0; PIECE];
        let (mut read, mut length) = (0, 0);
        loop {
            let count = self.content.read_at(&mut piece, read)?;
            if count == 0 {
                return Ok(length);
            }
            length += ToNetascii::length(&piece[..count]);
            read += count as u64;
        }
    }

    /// The bytes from `offset` on. Of text, `offset` never goes back.
    ///
    /// # Errors
    /// When the file cannot be read, or has been made shorter.
    pub(super) fn at(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let within = |from: u64, held: usize| {
            let skip = usize::try_from(offset.checked_sub(from)?).ok()?;
            (skip.checked_add(length)? <= held).then_some(skip)
        };
        let skip = match within(self.from, self.buffer.len()) {
            Some(skip) => skip,
            None => {
                self.slide(offset, length)?;
                within(self.from, self.buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?
            }
        };
        Ok(&self.buffer[skip..skip + length])
    }

    /// Has the buffer begin at `offset`.
    fn slide(&mut self, offset: u64, length: usize) -> io::Result<()> {
        if self.text {
            let past = usize::try_from(offset.saturating_sub(self.from)).unwrap_or(usize::MAX);
            self.buffer.drain(..past.min(self.buffer.len()));
            self.from = offset;
            let mut piece = [0; 4096];
            while self.buffer.len() < length.max(PIECE) {
                let count = self.content.read_at(&mut piece, self.read)?;
                if count == 0 {
                    break;
                }
                ToNetascii::append(&piece[..count], &mut self.buffer);
                self.read += count as u64;
            }
            return Ok(());
        }
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        // Made once: the last piece is shorter, and none is longer unless a window is.
        self.buffer.resize(length.max(PIECE).min(left), 0);
        self.from = offset;
        let count = self.content.read_at(&mut self.buffer, offset)?;
        self.buffer.truncate(count);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::provision::Source;

    fn file(bytes: &[u8]) -> Content {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Content {
            bytes: Source::File(file),
            length: bytes.len() as u64,
        }
    }

    fn text() -> Vec<u8> {
        (0..200_000_u32)
            .flat_map(|line| format!("line {line}\n").into_bytes())
            .collect()
    }

    #[test]
    fn gives_what_is_in_the_file() {
        let bytes = text();
        let (length, window) = (bytes.len() as u64, 16 * 1428);
        for content in [file(&bytes), Content::memory(bytes.clone().into())] {
            let mut sliding = Sliding::new(content, Mode::Octet).unwrap();
            assert_eq!(sliding.length(), length);
            for start in (0..bytes.len() - window).step_by(1428) {
                assert_eq!(
                    sliding.at(start as u64, window).unwrap(),
                    &bytes[start..start + window]
                );
            }
            assert_eq!(sliding.at(7, 3).unwrap(), &bytes[7..10]);
            assert_eq!(sliding.at(length - 2, 2).unwrap(), b"9\n");
            assert_eq!(sliding.at(length, 0).unwrap(), b"");
            assert!(sliding.at(length - 2, 3).is_err());
        }
    }

    #[test]
    fn gives_text_in_the_networks_form() {
        let bytes = text();
        let mut wire = Vec::new();
        ToNetascii::append(&bytes, &mut wire);
        for content in [file(&bytes), Content::memory(bytes.clone().into())] {
            let mut sliding = Sliding::new(content, Mode::Netascii).unwrap();
            assert_eq!(sliding.length(), wire.len() as u64);
            for start in (0..wire.len()).step_by(512) {
                let end = wire.len().min(start + 4 * 512);
                assert_eq!(
                    sliding.at(start as u64, end - start).unwrap(),
                    &wire[start..end]
                );
            }
        }
    }

    #[test]
    fn a_file_made_shorter_is_an_error() {
        let content = file(&text());
        let Source::File(file) = &content.bytes else {
            panic!("a file")
        };
        let file = file.try_clone().unwrap();
        let mut sliding = Sliding::new(content, Mode::Octet).unwrap();
        file.set_len(100).unwrap();
        assert!(sliding.at(512, 512).is_err());
    }
}
