//! A network namespace that belongs to one test.
//!
//! ```text
//!   Namespace (clones share it; the last one removes it, also while a test panics)
//!      |- /run/netns/sgt-<pid>-<n>-<test>-<role>   so that `ip netns exec` works for a person
//!      |- network namespace   (an open descriptor)
//!      `- mount namespace     (an open descriptor: no process has to live for it)
//!           |- /sys           of this network namespace
//!           `- /sys/fs/bpf    a BPF file system of its own
//! ```
//!
//! The mount namespace is held by the descriptor alone, so that what a gateway pins below
//! `/sys/fs/bpf` survives `kill -9` and a restart of the daemon, and is gone when the test is.

mod lifetime;

use std::ffi::CString;
use std::fmt;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result, bail};
use nix::sched::{CloneFlags, setns, unshare};

/// Every namespace this crate makes starts with this; nothing else is ever removed.
pub const PREFIX: &str = "sgt-";

/// A network namespace with a mount namespace beside it; see the module's head.
#[derive(Clone)]
pub struct Namespace(Arc<Inner>);

struct Inner {
    name: String,
    network: OwnedFd,
    mounts: OwnedFd,
}

impl Namespace {
    /// Creates a namespace named after this process, the running test and `role`; its loopback
    /// is up and IPv6 is off (no router solicitations between a test's packets).
    ///
    /// # Errors
    /// Without root, or when the kernel refuses a namespace or a mount.
    pub fn new(role: &str) -> Result<Self> {
        lifetime::prepare_machine()?;
        let name = lifetime::unique_name(role);
        let (network, mounts) = lifetime::create(&name)?;
        let namespace = Self(Arc::new(Inner {
            name,
            network,
            mounts,
        }));
        namespace.batch("link set lo up")?;
        namespace.sysctl("net.ipv6.conf.all.disable_ipv6", 1)?;
        namespace.sysctl("net.ipv6.conf.default.disable_ipv6", 1)?;
        Ok(namespace)
    }

    /// The name below `/run/netns`, for `ip netns exec`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Runs `work` inside the namespace on a thread of its own and returns its value; its panic
    /// becomes the caller's. A socket opened inside stays in this namespace wherever it is used.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                self.join_thread();
                work()
            });
            inside.join()
        })
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Runs `work` inside the namespace on a thread that goes on; the namespace lives as long.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let namespace = self.clone();
        std::thread::spawn(move || {
            namespace.join_thread();
            work()
        })
    }

    /// Moves the calling thread, which has just been started for it, into the namespace.
    fn join_thread(&self) {
        let joined = unshare(CloneFlags::CLONE_FS).and_then(|()| self.join());
        if let Err(why) = joined {
            panic!("cannot enter namespace {}: {why}", self.name());
        }
    }

    /// Needs a thread or process that shares its root and working directory with no other.
    fn join(&self) -> nix::Result<()> {
        setns(&self.0.network, CloneFlags::CLONE_NEWNET)?;
        setns(&self.0.mounts, CloneFlags::CLONE_NEWNS)
    }

    /// A command that will run inside the namespace, in this process's working directory.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let namespace = self.clone();
        let directory = std::env::current_dir()
            .ok()
            .and_then(|path| CString::new(path.as_os_str().as_bytes()).ok())
            .unwrap_or_else(|| c"/".to_owned());
        let join = move || {
            namespace.join()?;
            // Joining a mount namespace moves a process to its root directory.
            Ok(nix::unistd::chdir(directory.as_c_str())?)
        };
        // SAFETY: between fork and exec only the forking thread exists, so the closure may not
        // take a lock that another thread could have held. It makes three system calls on
        // descriptors and a string that it owns already; none of them allocates, and an error
        // is turned into an `io::Error` that holds a bare number.
        unsafe { command.pre_exec(join) };
        command
    }

    /// Runs a program to its end and returns what it printed on standard output.
    ///
    /// # Errors
    /// When it cannot be started or fails: the command, the status and all that it printed.
    pub fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Result<String> {
        let output = self.output(arguments)?;
        self.expect_success(&describe(arguments), &output)
    }

    /// Runs a program to its end, whatever its exit status.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn output<S: AsRef<str>>(&self, arguments: &[S]) -> Result<Output> {
        let (program, rest) = arguments
            .split_first()
            .context("a command needs a program")?;
        self.command(program.as_ref())
            .args(rest.iter().map(AsRef::as_ref))
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("[{}] start `{}`", self.name(), describe(arguments)))
    }

    /// Runs `ip` with arguments as they would be typed: `ns.ip("route add default via 10.0.0.1")`.
    ///
    /// # Errors
    /// When `ip` fails, with what it said.
    pub fn ip(&self, arguments: &str) -> Result<String> {
        let words: Vec<&str> = std::iter::once("ip")
            .chain(arguments.split_whitespace())
            .collect();
        self.run(&words)
    }

    /// Runs several `ip` commands, one per line, in one process.
    ///
    /// # Errors
    /// When one fails; later ones are not tried.
    pub fn batch(&self, lines: &str) -> Result<()> {
        self.feed(&["ip", "-batch", "-"], lines).map(drop)
    }

    /// Loads an nftables rule set.
    ///
    /// # Errors
    /// When `nft` refuses it, with what it said.
    pub fn nft(&self, rules: &str) -> Result<()> {
        self.feed(&["nft", "-f", "-"], rules).map(drop)
    }

    /// Runs a program with `input` on its standard input.
    fn feed(&self, arguments: &[&str], input: &str) -> Result<String> {
        let file = tempfile::tempfile()?;
        std::io::Write::write_all(&mut &file, input.as_bytes())?;
        std::io::Seek::rewind(&mut &file)?;
        let output = self
            .command(arguments[0])
            .args(&arguments[1..])
            .stdin(file)
            .output();
        let shown = format!("{}` with input `{input}", arguments.join(" "));
        let output = output.with_context(|| format!("[{}] start `{shown}`", self.name()))?;
        self.expect_success(&shown, &output)
    }

    fn expect_success(&self, shown: &str, output: &Output) -> Result<String> {
        let stdout = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!(
                "[{}] `{shown}`: {}\n{stdout}{stderr}",
                self.name(),
                output.status
            );
        }
        Ok(stdout.into_owned())
    }

    /// Sets a sysctl of this namespace, by its dotted name.
    ///
    /// # Errors
    /// When the kernel has no such key or refuses the value.
    pub fn sysctl(&self, key: &str, value: impl fmt::Display) -> Result<()> {
        let path = format!("/proc/sys/{}", key.replace('.', "/"));
        let value = value.to_string();
        self.enter(|| fs::write(&path, value))
            .with_context(|| format!("[{}] sysctl {key}", self.name()))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        lifetime::remove(&self.name);
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Namespace").field(&self.name()).finish()
    }
}

fn describe<S: AsRef<str>>(arguments: &[S]) -> String {
    let words: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    words.join(" ")
}
