//! The compiler for the BPF object.
//!
//! The BPF target has no ready-made `core`, so the compiler must come with its own sources and
//! accept `-Z build-std`; and its LLVM must not be newer than the one in bpf-linker, which reads
//! the bitcode. In order of preference:
//!
//! 1. the `nightly` that is there already, with `rust-src` added; it is never updated;
//! 2. the nightly of a day that is known to fit;
//! 3. where no toolchain can be fetched, the compiler that Debian keeps current for its browsers,
//!    with unstable features unlocked.
//!
//! The choice reaches the dataplane's build script through the environment.

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
    PinnedNightly,
    Debian,
}

impl EbpfToolchain {
    const BY_PREFERENCE: [Self; 3] = [Self::Nightly, Self::PinnedNightly, Self::Debian];

    /// The name that rustup knows it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nightly => "nightly",
            Self::PinnedNightly => "nightly-2026-05-20",
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
        let found = Self::BY_PREFERENCE
            .into_iter()
            .find(|one| one.name() == name);
        let names = Self::BY_PREFERENCE.map(Self::name).join(", ");
        found.with_context(|| format!("{VARIABLE} is `{name}`, expected one of {names}"))
    }

    fn rustc(self, arguments: &[&str]) -> Result<String> {
        output(
            program("rustup")
                .args(["run", self.name(), "rustc"])
                .args(arguments),
        )
    }

    /// Fails unless the compiler is there and bpf-linker can read what it makes.
    fn check_compiler(self) -> Result<()> {
        let version = self.rustc(&["-vV"])?;
        let found = llvm_major(&version).context("rustc names no LLVM")?;
        ensure!(
            found <= LLVM_MAJOR,
            "toolchain {} has LLVM {found}, newer than bpf-linker's {LLVM_MAJOR}",
            self.name()
        );
        Ok(())
    }

    /// Fails unless the compiler is fit and has its sources.
    fn check(self) -> Result<()> {
        self.check_compiler()?;
        let sysroot = self.rustc(&["--print", "sysroot"])?;
        let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/core");
        ensure!(sources.exists(), "no sources at {}", sources.display());
        Ok(())
    }

    fn install(self) -> Result<()> {
        let name = self.name();
        match self {
            Self::Nightly => {
                self.check_compiler()?;
                eprintln!("setup: adding rust-src to toolchain {name} (builds the BPF object)");
                run(program("rustup").args(["component", "add", "rust-src", "--toolchain", name]))?;
            }
            Self::PinnedNightly => {
                eprintln!("setup: installing toolchain {name} (builds the BPF object)");
                let minimal = ["--profile", "minimal", "--component", "rust-src"];
                run(program("rustup")
                    .args(["toolchain", "install", name])
                    .args(minimal))?;
            }
            Self::Debian => {
                packages::ensure(DEBIAN_COMPILER)?;
                eprintln!("setup: naming Debian's compiler {name} to rustup");
                run(program("rustup").args(["toolchain", "link", name, "/usr"]))?;
            }
        }
        self.check()
    }
}

/// The toolchain to use: the one asked for, else one that is ready, else one that can be had.
pub(crate) fn ensure() -> Result<EbpfToolchain> {
    ensure!(
        find_program("rustup").is_some(),
        "there is no rustup, which manages the compilers; install it first"
    );
    if let Ok(name) = std::env::var(VARIABLE) {
        let asked = EbpfToolchain::from_name(&name)?;
        if asked.check().is_err() {
            asked.install()?;
        }
        return Ok(asked);
    }
    let all = EbpfToolchain::BY_PREFERENCE;
    if let Some(ready) = all.into_iter().find(|one| one.check().is_ok()) {
        return Ok(ready);
    }
    let mut reasons = String::new();
    for one in all {
        match one.install() {
            Ok(()) => return Ok(one),
            Err(error) => reasons.push_str(&format!("\n    {}: {error:#}", one.name())),
        }
    }
    bail!("no compiler for the BPF object can be had:{reasons}")
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
        for one in EbpfToolchain::BY_PREFERENCE {
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
        assert!(!unlocked(EbpfToolchain::PinnedNightly));
        assert!(unlocked(EbpfToolchain::Debian));
    }
}
