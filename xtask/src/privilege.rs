//! Who runs this: attaching XDP programs, network namespaces and package installs need root.

use std::os::unix::fs::MetadataExt as _;

use anyhow::{Result, bail};

use crate::command::shell_quoted;

/// Fails with the command to type instead, unless this process is root's.
pub(crate) fn require_root(what_for: &str) -> Result<()> {
    if is_root() {
        return Ok(());
    }
    let arguments: Vec<String> = std::env::args().skip(1).map(|a| shell_quoted(&a)).collect();
    bail!(
        "{what_for} needs root; type:\n    {}",
        as_root(&arguments.join(" "))
    );
}

/// sudo drops `PATH`, where cargo is, and may drop the variables that say where rustup keeps its
/// toolchains: both are handed on.
fn as_root(arguments: &str) -> String {
    format!(r#"sudo -E env "PATH=$PATH" "HOME=$HOME" cargo xtask {arguments}"#)
}

/// The owner of /proc/self is the process's effective user, and asking it needs no unsafe code.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_to_type_keeps_the_toolchain() {
        assert_eq!(
            as_root("test nat"),
            r#"sudo -E env "PATH=$PATH" "HOME=$HOME" cargo xtask test nat"#
        );
    }
}
