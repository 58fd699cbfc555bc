//! Builds the BPF objects, so that the binary carries them.
//!
//! `GATEWAY_EBPF_TOOLCHAIN` names the rustup toolchain (default `nightly`), as
//! `cargo xtask setup` found it.

use aya_build::{Package, Toolchain};

fn main() -> anyhow::Result<()> {
    const TOOLCHAIN: &str = "GATEWAY_EBPF_TOOLCHAIN";
    println!("cargo:rerun-if-env-changed={TOOLCHAIN}");
    println!("cargo:rerun-if-changed=../../../gateway-common/src");
    let toolchain = std::env::var(TOOLCHAIN);
    let toolchain = toolchain
        .as_deref()
        .map_or(Toolchain::Nightly, Toolchain::Custom);
    aya_build::build_ebpf(
        [Package {
            name: "gateway-ebpf",
            root_dir: "../../../gateway-ebpf",
            ..Default::default()
        }],
        toolchain,
    )
}
