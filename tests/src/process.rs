//! A child process inside a namespace: a daemon under test, or a real client.
//!
//! It is killed when its handle is dropped, and by the kernel when the test process is killed.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};

use anyhow::{Context, Result, anyhow};
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::unistd::Pid;

use crate::netns::Namespace;
use crate::wait::{Deadline, eventually};

/// A running child process whose output goes to a file.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with `arguments` in `namespace`; standard output and error are appended
    /// to the file `log`.
    ///
    /// # Errors
    /// When the log cannot be opened or the program cannot be started.
    pub fn start(
        namespace: &Namespace,
        program: &Path,
        arguments: &[&str],
        log: &Path,
    ) -> Result<Self> {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("open log {}", log.display()))?;
        let mut command = namespace.command(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let child = start_bound(command)
            .with_context(|| format!("[{}] start {}", namespace.name(), program.display()))?;
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        // The child has not been waited for, else `Child` would say so: its id is still its own.
        let pid = Pid::from_raw(i32::try_from(self.child.id())?);
        kill(pid, signal).with_context(|| format!("{signal} to process {pid}"))
    }

    /// Kills the process without any chance to clean up, and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill9(&mut self) -> Result<ExitStatus> {
        self.child.kill()?;
        Ok(self.child.wait()?)
    }

    /// The exit status, if the process has ended.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until the process has ended by itself.
    ///
    /// # Errors
    /// When it still runs at the deadline.
    pub fn wait(&mut self, deadline: impl Into<Deadline>) -> Result<ExitStatus> {
        let child = &mut self.child;
        eventually(deadline, || match child.try_wait() {
            Ok(Some(status)) => Ok(status),
            Ok(None) => Err(format!("process {} runs", child.id())),
            Err(why) => Err(why.to_string()),
        })
        .map_err(|why| anyhow!(why))
    }

    /// All that has been written to the log so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map_or_else(
            |why| why.to_string(),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill9();
    }
}

/// Starts `command` so that it dies with this test process, even if that is killed.
fn start_bound(mut command: Command) -> std::io::Result<Child> {
    // SAFETY: runs between fork and exec, where no lock may be taken and nothing allocated: two
    // system calls, whose errors become an `io::Error` that holds a bare number.
    unsafe {
        command.pre_exec(|| {
            // Ignored by us (under nohup) it would be by the program, and a shell could not trap it.
            signal(Signal::SIGHUP, SigHandler::SigDfl)?;
            Ok(nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?)
        });
    }
    on_starter_thread(move || command.spawn())
}

type Job = Box<dyn FnOnce() + Send>;

/// Runs `start` on a thread that lives as long as this process: the kernel sends the parent-death
/// signal when the *thread* that forked ends, and a test's helper threads end early.
fn on_starter_thread<T: Send + 'static>(start: impl FnOnce() -> T + Send + 'static) -> T {
    static STARTER: OnceLock<Mutex<mpsc::Sender<Job>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::spawn(move || queue.into_iter().for_each(|job| job()));
        Mutex::new(jobs)
    });
    let (answer, result) = mpsc::channel();
    let job: Job = Box::new(move || {
        let _ = answer.send(start());
    });
    let sent = starter
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send(job);
    sent.ok()
        .and_then(|()| result.recv().ok())
        .expect("the starter thread lives as long as its sender, which is static")
}
