//! The compiler for the BPF object.
//!
//! The BPF target has no ready-made `core`, so the compiler must come with its own sources and
//! accept `-Z build-std`. Two do: rustup's nightly with the component `rust-src`, and, where that
//! cannot be had, the compiler that Debian keeps current for its browsers, with unstable features
//! unlocked. The choice reaches the dataplane's build script through the environment.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::LLVM_MAJOR;
use super::packages::{self, Package, Probe};
use crate::command::{find_program, output, program, run};

/// Names the chosen toolchain to build scripts; set by a person, it decides instead.
const VARIABLE: &str = "GATEWAY_EBPF_TOOLCHAIN";

const DEBIAN_COMPILER: &[Package] = &[
    Package {
        name: "rustc-web",
        probe: Probe::Path("/usr/share/doc/rustc-web"),
        why: "compiler for the BPF object",
    },
    Package {
        name: "cargo-web",
        probe: Probe::Path("/usr/share/doc/cargo-web"),
        why: "its cargo",
    },
    Package {
        name: "rust-web-src",
        probe: Probe::Path("/usr/share/doc/rust-web-src"),
        why: "its sources of core",
    },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EbpfToolchain {
    Nightly,
    Debian,
}

impl EbpfToolchain {
    /// The name that rustup knows it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nightly => "nightly",
            Self::Debian => "debian-ebpf",
        }
    }

    /// What every cargo must be started with.
    pub(crate) fn environment(self) -> Vec<(&'static str, &'static str)> {
        let mut variables = vec![(VARIABLE, self.name())];
        if self == Self::Debian {
            variables.push(("RUSTC_BOOTSTRAP", "1"));
        }
        variables
    }

    fn from_name(name: &str) -> Result<Self> {
        match name {
            "nightly" => Ok(Self::Nightly),
            "debian-ebpf" => Ok(Self::Debian),
            other => {
                bail!("{VARIABLE} is `{other}`, expected `nightly` or `debian-ebpf`")
            }
        }
    }

    /// Fails with what it lacks.
    fn check(self) -> Result<()> {
        let rustc = |argument| {
            output(
                program("rustup")
                    .args(["run", self.name(), "rustc"])
                    .args(argument),
            )
        };
        let found = llvm_major(&rustc(["-vV"].as_slice())?).context("rustc names no LLVM")?;
        ensure!(
            found <= LLVM_MAJOR,
            "its LLVM is {found}, newer than bpf-linker's {LLVM_MAJOR}"
        );
        let sysroot = rustc(["--print", "sysroot"].as_slice())?;
        let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/core");
        ensure!(sources.exists(), "no sources at {}", sources.display());
        Ok(())
    }

    fn install(self) -> Result<()> {
        match self {
            Self::Nightly => {
                eprintln!(
                    "setup: installing rustup's nightly with rust-src (builds the BPF object)"
                );
                let toolchain = ["toolchain", "install", "nightly", "--profile", "minimal"];
                if output(program("rustup").args(["run", "nightly", "rustc", "-V"])).is_err() {
                    run(program("rustup").args(toolchain))?;
                }
                run(program("rustup").args([
                    "component",
                    "add",
                    "rust-src",
                    "--toolchain",
                    "nightly",
                ]))?;
            }
            Self::Debian => {
                packages::ensure(DEBIAN_COMPILER)?;
                eprintln!("setup: naming Debian's compiler `debian-ebpf` to rustup");
                run(program("rustup").args(["toolchain", "link", "debian-ebpf", "/usr"]))?;
            }
        }
        self.check()
            .with_context(|| format!("toolchain {} is installed, but unfit", self.name()))
    }
}

/// The toolchain to use: the one asked for, else one that is there, else one that can be had.
pub(crate) fn ensure() -> Result<EbpfToolchain> {
    ensure!(
        find_program("rustup").is_some(),
        "there is no rustup, which manages the compilers; install it first (package rustup, or its own installer)"
    );
    if let Ok(name) = std::env::var(VARIABLE) {
        let asked = EbpfToolchain::from_name(&name)?;
        if asked.check().is_err() {
            asked.install()?;
        }
        return Ok(asked);
    }
    let preferred = [EbpfToolchain::Nightly, EbpfToolchain::Debian];
    if let Some(ready) = preferred.into_iter().find(|one| one.check().is_ok()) {
        return Ok(ready);
    }
    if let Err(error) = EbpfToolchain::Nightly.install() {
        eprintln!("setup: nightly will not do ({error:#}); taking Debian's compiler instead");
        EbpfToolchain::Debian.install()?;
        return Ok(EbpfToolchain::Debian);
    }
    Ok(EbpfToolchain::Nightly)
}

/// The major version in the line `LLVM version: 22.1.4` of `rustc -vV`.
fn llvm_major(text: &str) -> Option<u32> {
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "))?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llvm_version_is_read_from_rustc() {
        let text = "rustc 1.97.0-nightly\nbinary: rustc\nLLVM version: 22.1.4\n";
        assert_eq!(llvm_major(text), Some(22));
        assert_eq!(llvm_major("rustc 1.97.0-nightly\n"), None);
    }

    #[test]
    fn names_lead_back_to_the_toolchain() {
        for one in [EbpfToolchain::Nightly, EbpfToolchain::Debian] {
            assert_eq!(EbpfToolchain::from_name(one.name()).ok(), Some(one));
        }
        assert!(EbpfToolchain::from_name("stable").is_err());
    }

    #[test]
    fn only_the_stable_compiler_needs_unlocking() {
        let unlocked = |one: EbpfToolchain| {
            let variables = one.environment();
            variables.iter().any(|(name, _)| *name == "RUSTC_BOOTSTRAP")
        };
        assert!(!unlocked(EbpfToolchain::Nightly));
        assert!(unlocked(EbpfToolchain::Debian));
    }
}
