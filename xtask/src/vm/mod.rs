//! A stock Debian kernel in a throw-away virtual machine.
//!
//! It is the second kernel that the verifier and the packet tables see, and it has what a
//! developer's or CI's kernel may lack (VLAN devices, ESP). The machine is made on the spot:
//!
//! ```text
//! kernel.rs    Debian's kernel: installed, or unpacked below target/
//! modules.rs   which modules, in which order         \
//! tree.rs      programs with their shared libraries   >-- cpio.rs --> initramfs
//! init.sh      first process: mounts, loads, runs    /
//! machine.rs   QEMU: first serial line -> our output, second -> the exit status
//! ```

mod cpio;
mod kernel;
mod machine;
mod modules;
mod packet_tables;
mod tree;

use std::process::ExitCode;

use anyhow::Result;

use crate::setup::packages::{self, Package, Probe};
use machine::{Job, Limits};

pub(crate) use packet_tables::{Options as TestOptions, test};

const PACKAGES: &[Package] = &[
    Package {
        name: "qemu-system-x86",
        probe: Probe::Program("qemu-system-x86_64"),
        why: "the virtual machine",
    },
    Package {
        name: "busybox-static",
        probe: Probe::Program("busybox"),
        why: "its user land",
    },
    Package {
        name: "kmod",
        probe: Probe::Program("depmod"),
        why: "the order of its modules",
    },
];

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Task {
    /// Run one command and exit with its status
    Run(RunOptions),
    /// Run the packet tables and the tests on VLAN devices
    Test(TestOptions),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunOptions {
    /// Wall-clock limit in seconds
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Memory in MiB
    #[arg(long, default_value_t = 1024)]
    memory: u32,
    /// Load this module and what it needs, beside those that are always loaded
    #[arg(long = "module", value_name = "NAME")]
    modules: Vec<String>,
    /// Copy this program and its shared libraries, beside those that are always there
    #[arg(long = "program", value_name = "NAME")]
    programs: Vec<String>,
    /// The command; a program of this machine goes along
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

pub(crate) fn run(task: &Task) -> Result<ExitCode> {
    match task {
        Task::Run(options) => run_command(options),
        Task::Test(options) => test(options),
    }
}

fn run_command(options: &RunOptions) -> Result<ExitCode> {
    let kernel = prepare()?;
    let mut job = Job::new(&kernel, &options.modules)?;
    for program in &options.programs {
        job.tree.add_program(program)?;
    }
    let own = options
        .command
        .first()
        .map(|name| job.tree.add_program(name));
    if let Some(Err(error)) = own {
        eprintln!("vm: {error:#}; leaving it to the virtual machine's busybox");
    }
    job.command(&options.command);
    let limits = Limits {
        seconds: options.seconds,
        memory_mib: options.memory,
    };
    job.run(&limits)
}

/// Installs what the virtual machine needs and finds its kernel.
fn prepare() -> Result<kernel::Kernel> {
    packages::ensure(PACKAGES)?;
    kernel::newest()
}
