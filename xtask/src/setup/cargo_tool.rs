//! Programs that come from crates.io, each in the one version that is known to work.

use anyhow::Result;

use crate::command::{output, program, run};

/// A program that `cargo install` builds into cargo's own `bin`.
#[derive(Debug)]
pub(crate) struct CargoTool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// Prints a line that ends with the version.
    pub(crate) version_command: &'static [&'static str],
    pub(crate) install_arguments: &'static [&'static str],
    pub(crate) environment: &'static [(&'static str, &'static str)],
    pub(crate) why: &'static str,
}

impl CargoTool {
    /// Installs the tool unless exactly its version is there.
    pub(crate) fn ensure(&self) -> Result<()> {
        let installed = self.installed();
        if installed.as_deref() == Some(self.version) {
            return Ok(());
        }
        let (name, version, why) = (self.name, self.version, self.why);
        match installed {
            Some(other) => {
                eprintln!("setup: replacing {name} {other} by {version} ({why})");
            }
            None => eprintln!("setup: installing {name} {version} from crates.io ({why})"),
        }
        run(program("cargo")
            .args(["install", name, "--version", version, "--locked", "--quiet"])
            .args(self.install_arguments)
            .envs(self.environment.iter().copied()))
    }

    fn installed(&self) -> Option<String> {
        let (name, arguments) = self.version_command.split_first()?;
        let text = output(program(name).args(arguments)).ok()?;
        version_in(&text).map(str::to_owned)
    }
}

/// The last word of the first line: `bpf-linker 0.13.0`.
fn version_in(text: &str) -> Option<&str> {
    text.lines().next()?.split_whitespace().next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_the_last_word_of_the_first_line() {
        assert_eq!(version_in("bpf-linker 0.13.0\n"), Some("0.13.0"));
        assert_eq!(version_in("cargo-deny 0.20.2\nmore 1"), Some("0.20.2"));
        assert_eq!(version_in(""), None);
    }
}
