//! What a fresh machine lacks, installed by name after saying so.
//!
//! `for_build` and `for_tests` do nothing and take no time when all is there, so every command
//! calls one of them first and nobody has to know about set-up. What only one command needs (the
//! virtual machine, cargo-deny, cargo-fuzz, a bench's peers) is installed by that command, with the
//! same means.

pub(crate) mod cargo_tool;
pub(crate) mod packages;
mod peers;
mod services;
pub(crate) mod toolchain;
pub(crate) mod unpacked;

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::command::program;
use cargo_tool::CargoTool;
use packages::{Package, Probe};
use toolchain::EbpfToolchain;

/// LLVM's major version in bpf-linker, and so the newest that may have made the bitcode it links.
pub(crate) const LLVM_MAJOR: u32 = 22;

const BUILD: &[Package] = &[Package {
    name: "llvm-22-dev",
    probe: Probe::Path("/usr/lib/llvm-22/lib/libLLVM.so"),
    why: "the LLVM that bpf-linker links with",
}];

const TEST: &[Package] = &[
    Package {
        name: "iproute2",
        probe: Probe::Program("ip"),
        why: "network namespaces of the labs",
    },
    Package {
        name: "ethtool",
        probe: Probe::Program("ethtool"),
        why: "offloads of the labs' links",
    },
    Package {
        name: "bpftool",
        probe: Probe::Program("bpftool"),
        why: "pinned maps and attached programs, seen by another's eyes",
    },
    Package {
        name: "curl",
        probe: Probe::Program("curl"),
        why: "metrics, fetched as a scraper would",
    },
    Package {
        name: "nftables",
        probe: Probe::Program("nft"),
        why: "the kernel's own NAT, to compare with",
    },
    Package {
        name: "iputils-ping",
        probe: Probe::Program("ping"),
        why: "a client of the labs",
    },
    Package {
        name: "traceroute",
        probe: Probe::Program("traceroute"),
        why: "a client of the labs",
    },
    Package {
        name: "udhcpc",
        probe: Probe::Program("udhcpc"),
        why: "a DHCP client of the labs, as in small phones",
    },
    Package {
        name: "isc-dhcp-client",
        probe: Probe::Program("dhclient"),
        why: "a DHCP client of the labs",
    },
    Package {
        name: "dhcpcd-base",
        probe: Probe::Program("dhcpcd"),
        why: "a DHCP client of the labs",
    },
    Package {
        name: "isc-dhcp-relay",
        probe: Probe::Program("dhcrelay"),
        why: "a DHCP relay agent of the labs",
    },
    Package {
        name: "dnsmasq-base",
        probe: Probe::Program("dnsmasq"),
        why: "another's DHCP server, to try the labs' clients with",
    },
    Package {
        name: "tftp-hpa",
        probe: Probe::Path("/usr/share/doc/tftp-hpa"),
        why: "a TFTP client of the labs",
    },
    Package {
        name: "atftp",
        probe: Probe::Program("atftp"),
        why: "a TFTP client of the labs",
    },
    Package {
        name: "erlang-megaco",
        probe: Probe::Path("/usr/share/doc/erlang-megaco"),
        why: "another's H.248, as controller and as gateway",
    },
    Package {
        name: "erlang-base",
        probe: Probe::Program("escript"),
        why: "runs it",
    },
    Package {
        name: "sip-tester",
        probe: Probe::Program("sipp"),
        why: "SIP by scenarios",
    },
    Package {
        name: "baresip-core",
        probe: Probe::Program("baresip"),
        why: "a SIP phone of the labs",
    },
    Package {
        name: "openssl",
        probe: Probe::Program("openssl"),
        why: "a TLS client that checks certificates",
    },
];

const BPF_LINKER: CargoTool = CargoTool {
    name: "bpf-linker",
    version: "0.13.0",
    version_command: &["bpf-linker", "--version"],
    // The default feature wants an LLVM that Debian 12 does not have.
    install_arguments: &["--no-default-features", "--features", "llvm-22"],
    environment: &[("LLVM_PREFIX", "/usr/lib/llvm-22")],
    why: "links the BPF object; about a minute",
};

/// Proof that set-up is done; the only way to a cargo that can build the BPF object.
#[derive(Debug)]
pub(crate) struct Ready {
    toolchain: EbpfToolchain,
}

impl Ready {
    /// `cargo`, told which compiler builds the BPF object.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = program("cargo");
        cargo.envs(self.toolchain.environment());
        cargo
    }

    /// `cargo build`, `test` or `clippy` of all that runs on this machine.
    ///
    /// Always of all crates at once: cargo unites the features of what it builds together, so
    /// that a command for one crate would build its dependencies, and the BPF object, once more.
    pub(crate) fn host_cargo(&self, subcommand: &str) -> Command {
        let mut cargo = self.cargo();
        // gateway-ebpf compiles for the BPF target only; the dataplane's build script does it.
        cargo.args([subcommand, "--workspace", "--exclude", "gateway-ebpf"]);
        cargo
    }

    pub(crate) fn toolchain(&self) -> EbpfToolchain {
        self.toolchain
    }
}

/// Everything that `cargo build` needs.
pub(crate) fn for_build() -> Result<Ready> {
    prepare(BUILD.to_vec())
}

/// Everything that the tests, the demonstration and the benches need.
pub(crate) fn for_tests() -> Result<Ready> {
    prepare([BUILD, TEST].concat())
}

/// Everything that the bench of this name needs beside that: its peers.
pub(crate) fn for_bench(name: &str) -> Result<Ready> {
    unpacked::peers_of(name)?;
    prepare([BUILD, TEST, peers::of(name)].concat())
}

/// `cargo xtask setup`: prepares for the tests and says what is there now.
pub(crate) fn report() -> Result<()> {
    let ready = for_tests()?;
    println!("packages     installed");
    println!("bpf-linker   {}", BPF_LINKER.version);
    println!("BPF compiler {}", ready.toolchain.name());
    if !Path::new("/sys/kernel/btf/vmlinux").exists() {
        println!("note: this kernel has no BTF (/sys/kernel/btf/vmlinux)");
    }
    Ok(())
}

fn prepare(packages: Vec<Package>) -> Result<Ready> {
    packages::ensure(&packages)?;
    let toolchain = toolchain::ensure()?;
    BPF_LINKER.ensure()?;
    Ok(Ready { toolchain })
}
