//! The log of calls: a line of JSON for each call that is over.

use std::collections::{BTreeSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use switch::record::{CallId, CallRecord};

const NAME: &str = "calls.jsonl";
/// A file that is longer gets another name, and the one before it goes: bytes.
const LONGEST: u64 = 64 << 20;
/// What is written in the moment before a kill, at most: bytes.
const MOMENT: u64 = 1 << 20;

/// A file in the state directory, and the one before it.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: Option<(File, u64)>,
}

impl Log {
    pub(super) fn in_directory(directory: &Path) -> Self {
        Self {
            path: directory.join(NAME),
            file: None,
        }
    }

    /// Adds a call. Not being able to is said, and loses the line, not the daemon.
    pub(super) fn add(&mut self, record: &CallRecord) {
        if let Err(error) = self.write(record) {
            self.file = None;
            let path = self.path.display();
            tracing::error!(%path, %error, "a call is not in the log: is there room on the disk?");
        }
    }

    fn write(&mut self, record: &CallRecord) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        if self
            .file
            .as_ref()
            .is_some_and(|(_, length)| *length > LONGEST)
        {
            self.file = None;
            std::fs::rename(&self.path, before(&self.path))?;
        }
        let (file, length) = match &mut self.file {
            Some(open) => open,
            None => {
                let mut options = OpenOptions::new();
                let file = options.create(true).append(true).open(&self.path)?;
                let length = file.metadata()?.len();
                self.file.insert((file, length))
            }
        };
        file.write_all(&line)?;
        *length += line.len() as u64;
        Ok(())
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Calls that are over by the end of a log: those of the moment before the daemon was killed.
pub(super) fn just_over(path: &Path) -> io::Result<BTreeSet<CallId>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MOMENT)))?;
    let lines = BufReader::new(file).split(b'\n');
    // The first one may begin in its middle.
    let mut ids = BTreeSet::new();
    for line in lines {
        if let Ok(record) = serde_json::from_slice::<CallRecord>(&line?) {
            ids.insert(record.id);
        }
    }
    Ok(ids)
}

fn before(path: &Path) -> PathBuf {
    path.with_extension("jsonl.1")
}

/// The last calls of a log, the oldest first: those that `wanted` wants. A line that was cut off by
/// a loss of power is passed over.
pub(crate) fn last(
    path: &Path,
    most: usize,
    wanted: impl Fn(&CallRecord) -> bool,
) -> io::Result<Vec<CallRecord>> {
    let mut found = VecDeque::new();
    for path in [before(path), path.to_owned()] {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for line in BufReader::new(file).split(b'\n') {
            let record: Option<CallRecord> = serde_json::from_slice(&line?).ok();
            if let Some(record) = record.filter(|record| wanted(record)) {
                if found.len() == most {
                    found.pop_front();
                }
                found.push_back(record);
            }
        }
    }
    Ok(found.into())
}
