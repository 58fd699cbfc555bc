//! The "newc" archive that the kernel unpacks as its first root file system
//! (Documentation/driver-api/early-userspace/buffer-format.rst).
//!
//! ```text
//! "070701" | 13 fields of 8 hex digits | name NUL, padded to 4 | data, padded to 4 | next ...
//! ```

use std::io::{self, Write};

const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;
const END: &str = "TRAILER!!!";

/// One file of the archive; all belong to root.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry<'a> {
    Directory,
    /// Permission bits and content.
    File(u32, &'a [u8]),
    Symlink(&'a str),
}

impl Entry<'_> {
    fn mode(&self) -> u32 {
        match self {
            Self::Directory => DIRECTORY | 0o755,
            Self::File(permissions, _) => REGULAR | permissions,
            Self::Symlink(_) => SYMLINK | 0o777,
        }
    }

    fn data(&self) -> &[u8] {
        match self {
            Self::Directory => &[],
            Self::File(_, content) => content,
            Self::Symlink(to) => to.as_bytes(),
        }
    }
}

/// Writes an archive; `finish` closes it.
#[derive(Debug)]
pub(super) struct Writer<W> {
    out: W,
    inode: u32,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, inode: 0 }
    }

    /// Appends an entry under `name`, without a slash at its start. The folder of a name must have
    /// been appended before.
    pub(super) fn append(&mut self, name: &str, entry: Entry<'_>) -> io::Result<()> {
        self.inode += 1;
        self.record(name, self.inode, entry.mode(), entry.data())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.record(END, 0, 0, &[])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn record(&mut self, name: &str, inode: u32, mode: u32, data: &[u8]) -> io::Result<()> {
        let size = |length: usize| u32::try_from(length).map_err(io::Error::other);
        let name_size = size(name.len() + 1)?;
        let links = 1;
        // inode, mode, uid, gid, links, mtime, size, device (2), special device (2), name, check
        let fields = [
            inode,
            mode,
            0,
            0,
            links,
            0,
            size(data.len())?,
            0,
            0,
            0,
            0,
            name_size,
            0,
        ];
        let mut header = String::from("070701");
        for field in fields {
            header.push_str(&format!("{field:08x}"));
        }
        self.out.write_all(header.as_bytes())?;
        self.out.write_all(name.as_bytes())?;
        self.out.write_all(&[0])?;
        self.pad(header.len() + name.len() + 1)?;
        self.out.write_all(data)?;
        self.pad(data.len())
    }

    fn pad(&mut self, length: usize) -> io::Result<()> {
        let missing = length.next_multiple_of(4) - length;
        self.out.write_all(&[0; 3][..missing])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, Entry<'_>)]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for (name, entry) in entries {
            writer.append(name, *entry).expect("memory takes it");
        }
        writer.finish().expect("memory takes it")
    }

    #[test]
    fn a_file_is_laid_out_as_the_kernel_documents() {
        let bytes = archive(&[("a", Entry::File(0o644, b"hello"))]);
        // Header and name are 112 bytes together, so that nothing pads them.
        let expected = concat!(
            "070701",
            "00000001000081a40000000000000000000000010000000000000005",
            "00000000000000000000000000000000",
            "0000000200000000",
            "a\0",
            "hello\0\0\0",
        );
        assert_eq!(bytes.get(..expected.len()), Some(expected.as_bytes()));
        assert!(bytes[expected.len()..].starts_with(b"070701"));
    }

    #[test]
    fn every_record_starts_at_a_multiple_of_four() {
        for length in 0..9 {
            let name = "n".repeat(length + 1);
            let content = vec![b'x'; length];
            let bytes = archive(&[(&name, Entry::File(0o755, &content))]);
            let last = bytes.windows(6).rposition(|w| w == b"070701");
            assert_eq!(last.map(|at| at % 4), Some(0), "name of {}", length + 1);
            assert_eq!(bytes.len() % 4, 0);
        }
    }

    #[test]
    fn folders_links_and_the_end_are_marked() {
        let bytes = archive(&[
            ("bin", Entry::Directory),
            ("bin/sh", Entry::Symlink("busybox")),
            ("init", Entry::File(0o755, b"#!/bin/sh\n")),
        ]);
        let text = String::from_utf8(bytes).expect("ASCII only");
        for part in [
            "000041ed",
            "0000a1ff",
            "bin/sh\0",
            "busybox\0",
            "TRAILER!!!\0",
        ] {
            assert!(text.contains(part), "no {part:?}");
        }
    }
}
