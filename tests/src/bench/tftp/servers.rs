//! TFTP servers side by side.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use gateway_tests::netns::Namespace;
use gateway_tests::process::Process;
use gateway_tests::wait::eventually;
use tempfile::TempDir;

use super::cores;

/// Who serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Server {
    /// The gateway's.
    Gateway,
    /// H. Peter Anvin's, in Debian's tftpd-hpa.
    TftpdHpa,
    /// Debian's atftpd.
    Atftpd,
}

impl Server {
    pub(super) const ALL: [Self; 3] = [Self::Gateway, Self::TftpdHpa, Self::Atftpd];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::TftpdHpa => "tftpd-hpa",
            Self::Atftpd => "atftpd",
        }
    }

    fn program(self) -> Result<PathBuf> {
        match self {
            Self::Gateway => beside_us("examples/tftp"),
            Self::TftpdHpa => peer("in.tftpd"),
            Self::Atftpd => peer("atftpd"),
        }
    }

    fn arguments(self, folder: &Path, address: Ipv4Addr) -> String {
        let folder = folder.display();
        match self {
            Self::Gateway => format!("{folder} {address}:69"),
            // -L: in the foreground and alone; -s: below the folder only.
            Self::TftpdHpa => format!("-L -u root -a {address}:69 -s {folder}"),
            Self::Atftpd => format!(
                "--daemon --no-fork --user root --group root --maxthread 400 --verbose=0 \
                 --logfile - --bind-address {address} --port 69 {folder}"
            ),
        }
    }
}

/// A server that answers.
#[derive(Debug)]
pub(super) struct Running {
    process: Process,
    _log: TempDir,
}

impl Running {
    pub(super) fn start(
        server: Server,
        router: &Namespace,
        folder: &Path,
        address: Ipv4Addr,
        shared: bool,
    ) -> Result<Self> {
        let log = tempfile::Builder::new().prefix("sgt-").tempdir()?;
        // Peers that are only unpacked bring a library along.
        let libraries = unpacked()?.join("usr/lib/x86_64-linux-gnu");
        let command = format!(
            "LD_LIBRARY_PATH={} taskset --cpu-list {} {} {}",
            libraries.display(),
            cores::list(shared),
            server.program()?.display(),
            server.arguments(folder, address)
        );
        let words: Vec<&str> = command.split_whitespace().collect();
        let file = log.path().join("log");
        let process = Process::start(router, Path::new("/usr/bin/env"), &words, &file)?;
        let running = Self { process, _log: log };
        let answers = || {
            router
                .enter(|| answers(address))
                .map_err(|error| error.to_string())
        };
        eventually(Duration::from_secs(10), answers).map_err(|why| {
            let log = running.process.log();
            anyhow!("{} does not answer: {why}\n{log}", server.label())
        })?;
        Ok(running)
    }

    pub(super) fn stop(mut self) -> Result<()> {
        self.process.kill9().map(drop)
    }
}

/// Asks for a file that is not there: every server answers that at once.
fn answers(address: Ipv4Addr) -> Result<()> {
    let socket = UdpSocket::bind((address, 0))?;
    socket.set_read_timeout(Some(Duration::from_millis(200)))?;
    socket.send_to(b"\0\x01absent\0octet\0", (address, 69))?;
    socket.recv_from(&mut [0; 600])?;
    Ok(())
}

/// A program of ours, in the same build.
fn beside_us(name: &str) -> Result<PathBuf> {
    let bench = std::env::current_exe()?;
    let path = bench.parent().context("no folder")?.join(name);
    match path.is_file() {
        true => Ok(path),
        false => Err(anyhow!(
            "no {}: type `cargo xtask bench tftp`",
            path.display()
        )),
    }
}

/// Where `cargo xtask bench tftp` unpacks peers: two of them cannot be installed at once.
fn unpacked() -> Result<PathBuf> {
    let bench = std::env::current_exe()?;
    let target = bench.ancestors().nth(2).context("no folder")?;
    Ok(target.join("peers/tftp"))
}

fn peer(name: &str) -> Result<PathBuf> {
    let path = unpacked()?.join("usr/sbin").join(name);
    match path.is_file() {
        true => Ok(path),
        false => Err(anyhow!(
            "no {}: type `cargo xtask bench tftp`",
            path.display()
        )),
    }
}
