//! The gateway as its operator runs it: the daemon in the router's namespace, and its CLI.
//!
//! What it pins lies in the namespace's own `/sys/fs/bpf` and stays when the daemon is killed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::netns::Namespace;
use crate::process::Process;
use crate::wait::{Deadline, eventually};

/// Names the binary under test; without it, the one beside the test binary is taken.
const BINARY_VARIABLE: &str = "GATEWAY_CTL";
/// How long a daemon may take to end after SIGTERM before it is killed.
const STOP_TIME: Duration = Duration::from_secs(5);

/// A running gateway; stopped when dropped, its log printed if the test is failing.
#[derive(Debug)]
pub struct Gateway {
    pub(super) router: Namespace,
    binary: PathBuf,
    directory: TempDir,
    process: Process,
}

/// What a run of the CLI gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CtlOutput {
    /// Exit status: 0 ok, 1 failed, 2 usage; `None` when killed by a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl CtlOutput {
    /// Standard output as JSON.
    ///
    /// # Errors
    /// When the command failed or printed something else.
    pub fn json(&self) -> Result<Value> {
        ensure!(self.code == Some(0), "gateway-ctl: {self:?}");
        serde_json::from_str(&self.stdout).with_context(|| format!("not JSON: {}", self.stdout))
    }
}

impl Gateway {
    /// Starts the daemon in `router` and returns at once; see [`Self::wait_ready`].
    ///
    /// The configuration gets a section `[api]` with a socket of this gateway's own, unless it
    /// has one; `{dir}` in it stands for a directory of this gateway's own.
    ///
    /// # Errors
    /// When the binary is missing or cannot be started.
    pub fn start(router: &Namespace, config: &str) -> Result<Self> {
        Self::start_program(router, &binary()?, config)
    }

    /// As [`Self::start`], with another build of the gateway.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_program(router: &Namespace, binary: &Path, config: &str) -> Result<Self> {
        let binary = binary.to_owned();
        let directory = tempfile::Builder::new().prefix("sgt-").tempdir()?;
        write_config(&directory, config)?;
        let process = daemon(router, &binary, directory.path())?;
        Ok(Self {
            router: router.clone(),
            binary,
            directory,
            process,
        })
    }

    /// Waits until the daemon answers `gateway-ctl status`.
    ///
    /// # Errors
    /// When it has ended, or does not answer before the deadline: with its log.
    pub fn wait_ready(&mut self, deadline: impl Into<Deadline>) -> Result<()> {
        let waited = eventually(deadline, || {
            if let Ok(Some(status)) = self.process.exited() {
                return Ok(Err(anyhow!("the gateway ended: {status}")));
            }
            match self.ctl(&["status"]) {
                Ok(output) if output.code == Some(0) => Ok(Ok(())),
                Ok(output) => Err(format!("gateway-ctl status: {output:?}")),
                Err(why) => Err(format!("{why:#}")),
            }
        });
        waited
            .map_err(|why| anyhow!(why))
            .and_then(|result| result)
            .with_context(|| format!("the gateway's log:\n{}", self.log()))
    }

    /// Runs `gateway-ctl` with `arguments` against this gateway, as in
    /// `gateway.ctl(&["status", "-o", "json"])`.
    ///
    /// # Errors
    /// When it cannot be started; its own failure is in the output.
    pub fn ctl(&self, arguments: &[&str]) -> Result<CtlOutput> {
        let output = self
            .router
            .command(&self.binary)
            .args(["--socket", path_text(&self.socket())?])
            .args(arguments)
            .output()
            .with_context(|| format!("start {}", self.binary.display()))?;
        Ok(CtlOutput {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// The API's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("ctl.sock")
    }

    /// The directory with this gateway's configuration, socket and log.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The daemon's process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// All that the daemon has logged, restarts included.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Kills the daemon without any chance to clean up, and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill9(&mut self) -> Result<()> {
        self.process.kill9().map(drop)
    }

    /// Stops the daemon with SIGTERM and waits for its end.
    ///
    /// # Errors
    /// When it does not end in time, or not with exit status 0.
    pub fn stop(&mut self) -> Result<()> {
        self.process.signal(Signal::SIGTERM)?;
        let status = self.process.wait(STOP_TIME)?;
        ensure!(
            status.success(),
            "after SIGTERM the gateway ended with {status}"
        );
        Ok(())
    }

    /// Starts the daemon again after [`Self::kill9`] or [`Self::stop`], and waits until it serves.
    ///
    /// # Errors
    /// As [`Self::wait_ready`].
    pub fn restart(&mut self, deadline: impl Into<Deadline>) -> Result<()> {
        self.kill9()?;
        self.process = daemon(&self.router, &self.binary, self.directory.path())?;
        self.wait_ready(deadline)
    }

    /// Writes another configuration; it counts from the next [`Self::reload`] or restart on.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_config(&self, config: &str) -> Result<()> {
        write_config(&self.directory, config)
    }

    /// Asks for the configuration to be read again (SIGHUP); when it has been, only the daemon's
    /// state shows.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub fn reload(&self) -> Result<()> {
        self.process.signal(Signal::SIGHUP)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if matches!(self.process.exited(), Ok(None)) {
            // A test is over: if the daemon does not end, it is killed with its handle.
            let _ = self.stop();
        }
        if std::thread::panicking() {
            eprintln!(
                "--- log of the gateway in {}\n{}",
                self.router.name(),
                self.log()
            );
        }
    }
}

/// Starts the daemon on the configuration in `directory`.
fn daemon(router: &Namespace, binary: &Path, directory: &Path) -> Result<Process> {
    let config = directory.join("gateway.toml");
    let arguments = ["run", "--config", path_text(&config)?];
    Process::start(router, binary, &arguments, &directory.join("log"))
}

fn write_config(directory: &TempDir, config: &str) -> Result<()> {
    let this = path_text(directory.path())?;
    let mut text = config.replace("{dir}", this);
    if !text.lines().any(|line| line.trim() == "[api]") {
        text.push_str(&format!("\n[api]\nsocket = \"{this}/ctl.sock\"\n"));
    }
    let path = directory.path().join("gateway.toml");
    std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))
}

fn path_text(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("not UTF-8: {}", path.display()))
}

/// The binary under test: `$GATEWAY_CTL`, or `gateway-ctl` in the target directory of the test.
fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(BINARY_VARIABLE) {
        return Ok(PathBuf::from(path));
    }
    let test = std::env::current_exe()?;
    // target/debug/deps/lab-0123 -> target/debug/gateway-ctl
    let found = test
        .ancestors()
        .skip(1)
        .take(2)
        .map(|path| path.join("gateway-ctl"));
    found.into_iter().find(|path| path.is_file()).with_context(|| {
        format!(
            "no gateway-ctl beside {}: run `cargo build -p gateway-ctl`, or set {BINARY_VARIABLE}",
            test.display()
        )
    })
}
