//! Phones for a test: they run on a thread of their own, and the test tells them what to do, a
//! command at a time.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use gateway_tests::phone::Phones;
//! let mut phones = Phones::start();
//! phones.tell("phone a1 netns=sgt-1-phone1 switch=192.0.2.1")?;
//! phones.tell("a1 expect registered 5s")?;
//! # Ok(())
//! # }
//! ```

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::Value;

use super::script::{self, Outcome, Source};
use super::shell::{Engine, Options};

/// Phones that do as they are told. Dropped, they are gone as if they had lost their power.
#[derive(Debug)]
pub struct Phones {
    commands: UnixStream,
    output: Receiver<Value>,
    seen: Vec<Value>,
    told: usize,
    thread: Option<JoinHandle<Result<Outcome>>>,
}

impl Phones {
    /// None yet; their identifiers differ from run to run.
    ///
    /// # Panics
    /// When the kernel gives no pair of sockets.
    #[must_use]
    pub fn start() -> Self {
        // A phone that began anew with the numbers of its last life would be taken for an echo.
        static LIVES: AtomicU64 = AtomicU64::new(0);
        let life = LIVES.fetch_add(1, Ordering::Relaxed);
        Self::start_with(Options {
            trace: false,
            quiet: false,
            seed: u64::from(std::process::id()) | life << 32,
        })
    }

    /// As [`Self::start`], with options.
    ///
    /// # Panics
    /// When the kernel gives no pair of sockets.
    #[must_use]
    pub fn start_with(options: Options) -> Self {
        let (commands, theirs) = UnixStream::pair().expect("a pair of sockets");
        let (sender, output) = channel();
        let run = move || {
            let output = Box::new(Values {
                sender,
                begun: Vec::new(),
            });
            let mut engine = Engine::new(output, options)?;
            script::run(&mut engine, Source::stream(theirs.into())?, Vec::new())
        };
        Self {
            commands,
            output,
            seen: Vec::new(),
            told: 0,
            thread: Some(std::thread::spawn(run)),
        }
    }

    /// Has lines of a script executed, and waits until they are.
    ///
    /// # Errors
    /// When one fails; all phones are gone then.
    pub fn tell(&mut self, lines: &str) -> Result<()> {
        for line in lines.lines() {
            self.told += 1;
            let line = line.trim();
            // If that is not possible the end of the output says why.
            let _ = self.commands.write_all(format!("{line}\n").as_bytes());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            self.wait_for(|event| event["event"] == "done")
                .with_context(|| format!("phones: {line}"))?;
        }
        Ok(())
    }

    fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<()> {
        loop {
            let Ok(event) = self.output.recv() else {
                let ended = self.thread.take().map(JoinHandle::join);
                match ended {
                    Some(Ok(Ok(Outcome::Failed { reason, .. }))) => bail!("{reason}"),
                    Some(Ok(Err(why))) => return Err(why),
                    _ => bail!("the phones are gone"),
                }
            };
            let found = wanted(&event);
            self.seen.push(event);
            if found {
                return Ok(());
            }
        }
    }

    /// All that phones told while commands were executed.
    #[must_use]
    pub fn seen(&self) -> &[Value] {
        &self.seen
    }

    /// The last event of a phone with this name.
    ///
    /// # Errors
    /// When it told none.
    pub fn last(&self, phone: &str, event: &str) -> Result<&Value> {
        let mut all = self.seen.iter().rev();
        let found = all.find(|one| one["phone"] == phone && one["event"] == event);
        found.with_context(|| format!("{phone} told no event {event}"))
    }

    /// Ends the script; all that phones told.
    ///
    /// # Errors
    /// When it had failed.
    pub fn finish(mut self) -> Result<Vec<Value>> {
        self.commands.shutdown(Shutdown::Write)?;
        self.wait_for(|event| event["event"] == "passed")?;
        let ended = self.thread.take().context("it ended before")?.join();
        let outcome = ended.map_err(|_| anyhow!("the phones panicked"))??;
        ensure!(outcome == Outcome::Passed, "{outcome:?}");
        Ok(std::mem::take(&mut self.seen))
    }
}

impl Drop for Phones {
    fn drop(&mut self) {
        let _ = self.commands.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            // What went wrong has been told to whoever asked.
            let _ = thread.join();
        }
        if std::thread::panicking() {
            let events: Vec<String> = self.seen.iter().map(Value::to_string).collect();
            eprintln!("--- what phones told\n{}", events.join("\n"));
        }
    }
}

/// Lines of JSON become values of a channel.
struct Values {
    sender: Sender<Value>,
    begun: Vec<u8>,
}

impl Write for Values {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend(bytes);
        while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.begun.drain(..=end).collect();
            let value = serde_json::from_slice(&line)?;
            // Nobody listens any more: then it does not matter.
            let _ = self.sender.send(value);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
