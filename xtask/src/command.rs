//! Running other programs: each is shown before it runs, and a failure names it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// A command that runs in the workspace's root and finds the programs that `find_program` finds.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command
        .env("PATH", search_path())
        .current_dir(workspace::root());
    command
}

/// Runs `command` with its output shown; fails unless it exits with 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("`{}` failed: {status}", shown(command));
    }
    Ok(())
}

/// Shows and runs `command` and says how it ended.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    let line = shown(command);
    eprintln!("$ {line}");
    command
        .status()
        .with_context(|| format!("cannot start `{line}`"))
}

/// What `command` prints on standard output; fails, with what it prints on standard error, unless
/// it exits with 0.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    collect(command.stderr(Stdio::piped()))
}

/// The same for a command that takes long: it is shown, and so is its standard error as it comes.
pub(crate) fn shown_output(command: &mut Command) -> Result<String> {
    eprintln!("$ {}", shown(command));
    collect(command.stderr(Stdio::inherit()))
}

fn collect(command: &mut Command) -> Result<String> {
    let line = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed: {} {}", output.status, message.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("output of `{line}` is not UTF-8"))
}

/// The path of a program, also where only root's `PATH` points.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&search_path())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// `PATH` with the folders that hold `ip`, `nft` and cargo's own installs, which the `PATH` of an
/// ordinary user or of sudo may lack.
fn search_path() -> OsString {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&own).collect();
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    folders.extend(cargo_home.map(|home| home.join("bin")));
    folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    // Joining fails only for a folder with a colon in its name; then the caller's PATH must do.
    std::env::join_paths(folders).unwrap_or(own)
}

/// The command line as a person would type it in the workspace's root.
fn shown(command: &Command) -> String {
    let root = workspace::root();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words.map(|word| quoted(word, &root)).collect();
    words.join(" ")
}

fn quoted(word: &OsStr, root: &Path) -> String {
    let short = Path::new(word).strip_prefix(root).ok();
    let word = short.map_or(word, Path::as_os_str).to_string_lossy();
    shell_quoted(&word)
}

/// `word` such that a POSIX shell reads it as one word.
pub(crate) fn shell_quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_stay_and_others_are_quoted() {
        let cases = [
            ("-Dwarnings", "-Dwarnings"),
            ("a b", "'a b'"),
            ("", "''"),
            ("it's", r"'it'\''s'"),
            ("$(reboot)", "'$(reboot)'"),
        ];
        for (word, expected) in cases {
            assert_eq!(shell_quoted(word), expected);
        }
    }

    #[test]
    fn a_failing_command_is_named_with_its_message() {
        let error = output(program("sh").args(["-c", "echo no >&2; exit 3"])).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("sh -c 'echo no >&2; exit 3'"), "got {text}");
        assert!(
            text.contains("status: 3") && text.ends_with("no"),
            "got {text}"
        );
    }

    #[test]
    fn programs_are_found_by_name() {
        assert!(find_program("sh").is_some());
        assert!(find_program("no-such-program-anywhere").is_none());
    }
}
