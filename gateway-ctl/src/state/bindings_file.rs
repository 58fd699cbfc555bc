//! `bindings.json`: written whole, on disk before anybody is told.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, ensure};
use dataplane::BindingSpec;
use gateway_common::PortRange;
use serde::{Deserialize, Serialize};

use crate::config::{Entry, Origin};

/// Format of the file.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    bindings: Vec<Stored>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    private: Ipv4Addr,
    public: Ipv4Addr,
    first: u16,
    last: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Box<str>>,
}

/// The file of bindings that the API added.
#[derive(Clone, Debug)]
pub(crate) struct BindingsFile {
    path: PathBuf,
}

impl BindingsFile {
    /// The file in this state directory.
    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self {
            path: directory.join("bindings.json"),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it; without a file there are none.
    ///
    /// # Errors
    /// When it cannot be read, or holds something else.
    pub(crate) fn load(&self) -> Result<Vec<Entry>> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| self.path.display().to_string()),
        };
        let damaged = || {
            format!(
                "{} cannot be understood: restore it from a backup, or remove it and add the \
                 bindings again",
                self.path.display()
            )
        };
        let content: Content = serde_json::from_slice(&bytes).with_context(damaged)?;
        ensure!(
            content.version == VERSION,
            "{} has version {}, expected {VERSION}: it was written by another gateway-ctl",
            self.path.display(),
            content.version
        );
        content
            .bindings
            .into_iter()
            .map(|stored| entry(stored).with_context(damaged))
            .collect()
    }

    /// Writes it; returns when it is on disk.
    ///
    /// # Errors
    /// When the disk refuses; what was there before is then still there.
    pub(crate) fn save<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Result<()> {
        let bindings = entries.map(stored).collect();
        let bytes = serde_json::to_vec_pretty(&Content {
            version: VERSION,
            bindings,
        })?;
        self.replace(&bytes)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn replace(&self, bytes: &[u8]) -> Result<()> {
        let directory = self.path.parent().ok_or_else(|| anyhow!("no directory"))?;
        let temporary = self.path.with_extension("json.new");
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, &self.path)?;
        File::open(directory)?.sync_all()?;
        Ok(())
    }
}

fn stored(entry: &Entry) -> Stored {
    Stored {
        private: entry.spec.private,
        public: entry.spec.public,
        first: entry.spec.ports.first(),
        last: entry.spec.ports.last(),
        name: entry.name.clone(),
    }
}

fn entry(stored: Stored) -> Result<Entry> {
    let ports = PortRange::new(stored.first, stored.last).map_err(|error| anyhow!("{error}"))?;
    let spec = BindingSpec {
        private: stored.private,
        public: stored.public,
        ports,
    };
    Ok(Entry {
        spec,
        name: stored.name,
        origin: Origin::Api,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let file = BindingsFile::in_directory(directory.path());
        assert_eq!(file.load().unwrap(), []);
        let spec = BindingSpec {
            private: Ipv4Addr::new(10, 10, 0, 21),
            public: Ipv4Addr::new(198, 51, 100, 1),
            ports: PortRange::new(40000, 40063).unwrap(),
        };
        let entries = [Entry {
            spec,
            name: Some("trunk".into()),
            origin: Origin::Api,
        }];
        file.save(entries.iter()).unwrap();
        assert_eq!(file.load().unwrap(), entries);
        file.save([].iter()).unwrap();
        assert_eq!(file.load().unwrap(), []);
    }

    #[test]
    fn a_damaged_file_is_an_error_and_no_loss() {
        let directory = tempfile::tempdir().unwrap();
        let file = BindingsFile::in_directory(directory.path());
        for text in ["", "{}", "{\"version\":2,\"bindings\":[]}"] {
            std::fs::write(file.path(), text).unwrap();
            assert!(file.load().is_err(), "{text}");
        }
        let reversed = r#"{"version":1,"bindings":[{"private":"10.0.0.1","public":"192.0.2.1","first":9,"last":1}]}"#;
        std::fs::write(file.path(), reversed).unwrap();
        assert!(file.load().is_err());
    }
}
