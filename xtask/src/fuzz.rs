//! `cargo xtask fuzz`: one wire format, for a while.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::command::run as run_command;
use crate::setup::cargo_tool::CargoTool;
use crate::setup::packages::{self, Package, Probe};
use crate::setup::toolchain::EbpfToolchain;
use crate::{setup, workspace};

const CARGO_FUZZ: CargoTool = CargoTool {
    name: "cargo-fuzz",
    version: "0.13.2",
    version_command: &["cargo", "fuzz", "--version"],
    install_arguments: &[],
    environment: &[],
    why: "drives libFuzzer; about a minute",
};

const COMPILER: &[Package] = &[Package {
    name: "g++",
    probe: Probe::Program("g++"),
    why: "compiles libFuzzer",
}];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A file of tests/fuzz/fuzz_targets, without its ending
    target: String,
    /// How long, in seconds
    #[arg(default_value_t = 60)]
    seconds: u32,
}

/// Starts from the committed corpus and keeps what it finds in the build folder, so that a run
/// leaves the checkout as it was; a crash is kept by cargo-fuzz in tests/fuzz/artifacts.
pub(crate) fn run(options: &Options) -> Result<()> {
    let fuzz = workspace::root().join("tests/fuzz");
    let (target, seconds) = (&options.target, options.seconds);
    if !fuzz
        .join("fuzz_targets")
        .join(target)
        .with_extension("rs")
        .is_file()
    {
        bail!(
            "there is no fuzz target `{target}`; there are: {}",
            targets()?
        );
    }
    let ready = setup::for_build()?;
    if ready.toolchain() == EbpfToolchain::Debian {
        bail!("fuzzing needs rustup's nightly: Debian's compiler has no sanitizers");
    }
    packages::ensure(COMPILER)?;
    CARGO_FUZZ.ensure()?;
    let found = workspace::target_dir().join("fuzz-corpus").join(target);
    fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
    let seeds = fuzz.join("corpus").join(target);
    // cargo-fuzz needs a nightly compiler whichever one builds the BPF object.
    let mut cargo = ready.cargo();
    cargo
        .args(["+nightly", "fuzz", "run", "--fuzz-dir"])
        .arg(&fuzz);
    cargo.arg(target).arg(&found);
    if seeds.is_dir() {
        cargo.arg(&seeds);
    }
    run_command(cargo.arg("--").arg(format!("-max_total_time={seconds}")))
}

fn targets() -> Result<String> {
    let folder = workspace::root().join("tests/fuzz/fuzz_targets");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        names.extend(
            path.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned()),
        );
    }
    names.sort();
    Ok(names.join(" "))
}
