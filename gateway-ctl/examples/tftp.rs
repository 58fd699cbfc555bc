//! The daemon's TFTP server alone, for a folder: `tftp FOLDER ADDRESS:PORT`.
//!
//! `cargo xtask bench tftp` measures this, and other people's clients are tried with it:
//! without the dataplane, as its peers run.

#[expect(dead_code, reason = "the daemon asks for more than one clock")]
#[path = "../src/run/clock.rs"]
mod clock;
#[expect(dead_code, reason = "Display and labels are for the daemon's log")]
#[path = "../src/provision/files.rs"]
mod files;
#[expect(dead_code, reason = "counters are read by the daemon")]
#[path = "../src/run/tftp/mod.rs"]
mod server;

mod provision {
    pub(crate) use crate::files::{Content, Files, Refused, Source, Upload};
}

mod run {
    pub(crate) use crate::clock;
}

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use provision::{Content, Files, Refused, Source, Upload};
use server::{Counters, ListenSpec};

/// Files of one folder, without subfolders. What is written there lies under another name
/// until it is whole.
struct Folder(PathBuf);

struct OnItsWay {
    file: File,
    from: PathBuf,
    to: PathBuf,
}

impl Folder {
    fn path(&self, name: &str) -> Result<PathBuf, Refused> {
        let name = name.trim_start_matches('/');
        if name.contains('/') || name.starts_with('.') {
            let why = "only files of the folder itself";
            return Err(Refused::Denied(why.to_owned()));
        }
        Ok(self.0.join(name))
    }
}

impl Files for Folder {
    fn open(&self, _: Ipv4Addr, name: &str) -> Result<Content, Refused> {
        let file = File::open(self.path(name)?).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Refused::NotFound,
            _ => Refused::Io(error),
        })?;
        let length = file.metadata()?.len();
        let bytes = Source::File(file);
        Ok(Content { bytes, length })
    }

    fn create(
        &self,
        from: Ipv4Addr,
        name: &str,
        _: Option<u64>,
    ) -> Result<Box<dyn Upload>, Refused> {
        let to = self.path(name)?;
        let from = self.0.join(format!(".{name}.{from}"));
        let file = File::create(&from)?;
        Ok(Box::new(OnItsWay { file, from, to }))
    }
}

impl Upload for OnItsWay {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        Ok(self.file.write_all(bytes)?)
    }

    fn finish(self: Box<Self>) -> Result<(), Refused> {
        Ok(fs::rename(self.from, self.to)?)
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: tftp FOLDER ADDRESS:PORT";
    let folder = arguments.next().context(usage)?;
    let at: SocketAddrV4 = arguments.next().context(usage)?.parse().context(usage)?;
    let spec = ListenSpec {
        address: *at.ip(),
        port: at.port(),
        interface: None,
    };
    let files = Arc::new(Folder(folder.into()));
    let _server = server::start(vec![spec], files, Arc::<Counters>::default())?;
    loop {
        std::thread::park();
    }
}
