//! The daemon's TFTP server alone, for a folder: `tftp FOLDER ADDRESS:PORT`.
//!
//! `cargo xtask bench tftp` measures this: without the dataplane, as its peers run.

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

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use provision::{Content, Files, Refused, Source, Upload};
use server::{Counters, ListenSpec};

/// Files of one folder, without subfolders; nothing can be written.
struct Folder(PathBuf);

impl Files for Folder {
    fn open(&self, _: Ipv4Addr, name: &str) -> Result<Content, Refused> {
        let name = name.trim_start_matches('/');
        if name.contains('/') || name.starts_with('.') {
            return Err(Refused::Denied(
                "only files of the folder itself".to_owned(),
            ));
        }
        let file = File::open(self.0.join(name)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Refused::NotFound,
            _ => Refused::Io(error),
        })?;
        let length = file.metadata()?.len();
        let bytes = Source::File(file);
        Ok(Content { bytes, length })
    }

    fn create(&self, _: Ipv4Addr, _: &str, _: Option<u64>) -> Result<Box<dyn Upload>, Refused> {
        Err(Refused::Denied("nothing can be written here".to_owned()))
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
