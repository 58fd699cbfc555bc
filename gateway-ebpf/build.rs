//! Tells bpf-linker to clear and copy small structs by stores: its default calls a
//! loop over bytes, once for each packet.

fn main() {
    println!("cargo:rustc-link-arg-bins=--disable-expand-memcpy-in-order");
    println!("cargo:rerun-if-changed=build.rs");
}
