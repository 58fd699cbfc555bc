//! Programs of our own in Erlang, which use OTP's megaco.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// Schedulers that have nothing to do are to leave the cores to others.
pub(super) const AT_EASE: [&str; 6] = ["+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"];

/// Compiles a module into a folder.
pub(super) fn compile(name: &str, text: &str, folder: &Path) -> Result<()> {
    let source = format!("{name}.erl");
    std::fs::write(folder.join(&source), text)?;
    let output = Command::new("erlc")
        .arg(&source)
        .current_dir(folder)
        .output()
        .context("erlc: install erlang-megaco")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "erlc {source}: {said}");
    Ok(())
}

/// A program that is asked line by line.
#[derive(Debug)]
pub(super) struct Asked {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Asked {
    /// Starts a module that was compiled into the folder.
    pub(super) fn start(name: &str, folder: &Path) -> Result<Self> {
        let mut child = Command::new("erl")
            .args(["-noshell", "-pa"])
            .arg(folder)
            .args(AT_EASE)
            .args(["-run", name, "main"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("erl: install erlang-megaco")?;
        let input = child.stdin.take().context("no input")?;
        let output = child.stdout.take().context("no output")?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// Asks one line, and waits for the number that is answered.
    pub(super) fn ask(&mut self, line: &str) -> Result<f64> {
        writeln!(self.input, "{line}")?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        let number = answer.trim().parse();
        number.with_context(|| format!("{line}: expected a number, got {answer:?}"))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        // Nothing to be done about one that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
