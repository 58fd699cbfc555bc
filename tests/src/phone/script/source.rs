//! Where lines come from: a text that is there, or a stream, as it is written.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd as _, OwnedFd};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::read;

const CHUNK: usize = 4096;

/// Lines, and whether more can come.
#[derive(Debug)]
pub struct Source {
    lines: VecDeque<String>,
    stream: Option<OwnedFd>,
    /// What has come of a line whose end has not.
    begun: Vec<u8>,
    number: usize,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A line, and its number, from 1.
    Line(usize, String),
    /// Nothing yet.
    Later,
    /// Nothing more.
    End,
}

impl Source {
    /// All lines of a text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self {
            lines: text.lines().map(str::to_owned).collect(),
            stream: None,
            begun: Vec::new(),
            number: 0,
        }
    }

    /// Lines of a pipe or socket, each when it has come.
    ///
    /// # Errors
    /// When it cannot be read without blocking.
    pub fn stream(stream: OwnedFd) -> Result<Self> {
        let flags = fcntl(&stream, FcntlArg::F_GETFL)?;
        let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
        fcntl(&stream, FcntlArg::F_SETFL(flags)).context("commands that do not block")?;
        Ok(Self {
            stream: Some(stream),
            ..Self::text("")
        })
    }

    /// What is to be waited for.
    pub(super) fn descriptor(&self) -> Option<&OwnedFd> {
        self.stream.as_ref()
    }

    /// The lines that are there and have not been taken.
    pub(super) fn rest(&self) -> impl Iterator<Item = (usize, &str)> {
        let first = self.number + 1;
        self.lines
            .iter()
            .enumerate()
            .map(move |(at, line)| (first + at, line.as_str()))
    }

    /// Takes the next line.
    pub(super) fn next(&mut self) -> Next {
        match self.lines.pop_front() {
            Some(line) => {
                self.number += 1;
                Next::Line(self.number, line)
            }
            None if self.stream.is_some() => Next::Later,
            None => Next::End,
        }
    }

    /// Reads what has come.
    pub(super) fn fill(&mut self) -> Result<()> {
        let mut chunk = [0; CHUNK];
        while let Some(stream) = &self.stream {
            let _ = stream.as_raw_fd();
            match read(stream, &mut chunk) {
                Ok(0) => {
                    self.stream = None;
                    let last = std::mem::take(&mut self.begun);
                    self.lines.extend((!last.is_empty()).then(|| text(&last)));
                }
                Ok(length) => {
                    self.begun.extend(&chunk[..length]);
                    while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
                        let line: Vec<u8> = self.begun.drain(..=end).collect();
                        self.lines.push_back(text(&line[..end]));
                    }
                }
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => {}
                Err(why) => return Err(why).context("read commands"),
            }
        }
        Ok(())
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_text_ends() {
        let mut source = Source::text("one\n\ntwo");
        assert_eq!(source.rest().count(), 3);
        assert_eq!(source.next(), Next::Line(1, "one".to_owned()));
        assert_eq!(source.next(), Next::Line(2, String::new()));
        assert_eq!(source.next(), Next::Line(3, "two".to_owned()));
        assert_eq!(source.next(), Next::End);
    }

    #[test]
    fn a_stream_ends_when_it_is_closed() {
        let (mut writer, reader) = UnixStream::pair().unwrap();
        let mut source = Source::stream(reader.into()).unwrap();
        writer.write_all(b"one\nt").unwrap();
        source.fill().unwrap();
        assert_eq!(source.next(), Next::Line(1, "one".to_owned()));
        assert_eq!(source.next(), Next::Later);
        writer.write_all(b"wo").unwrap();
        drop(writer);
        source.fill().unwrap();
        assert_eq!(source.next(), Next::Line(2, "two".to_owned()));
        assert_eq!(source.next(), Next::End);
    }
}
