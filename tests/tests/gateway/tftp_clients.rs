//! Other people's TFTP clients read from and write to the gateway, over links that lose packets.

use std::path::PathBuf;

use gateway_tests::dhcp::client::{Client, Program};
use gateway_tests::site::Site;
use tempfile::TempDir;

use crate::bed::{Bed, LONG};
use crate::leases::{self, phone};

const PROVISION: &str = r#"
[provision]
root = "{served}"
upload_quota = "10 MiB"
"#;

struct Lab {
    bed: Bed,
    served: TempDir,
    phones: TempDir,
    /// Its lease is what lets the phone write.
    _client: Client,
}

impl Lab {
    fn new() -> Self {
        let folder = || tempfile::Builder::new().prefix("sgt-").tempdir().unwrap();
        let (served, phones) = (folder(), folder());
        let text = PROVISION.replace("{served}", served.path().to_str().unwrap());
        let site = Site::new().unwrap();
        // A further address, which is asked too.
        site.inside[0].router.address("10.10.0.3/16").unwrap();
        let bed = leases::bed(site, &text);
        let mut client = phone(Program::Udhcpc)
            .start(&bed.phone(1).interface)
            .unwrap();
        client.bound(LONG).unwrap();
        Self {
            bed,
            served,
            phones,
            _client: client,
        }
    }

    /// Loses so many of a hundred packets, each way.
    fn lose(&self, percent: u8) {
        let rules = format!(
            "table ip loss {{ \
             chain in {{ type filter hook input priority 0; \
               iifname inside0 meta l4proto udp numgen random mod 100 < {percent} drop; }}; \
             chain out {{ type filter hook output priority 0; \
               oifname inside0 meta l4proto udp numgen random mod 100 < {percent} drop; }}; }}"
        );
        self.bed.site.router.nft(&rules).unwrap();
    }

    fn serve(&self, name: &str, length: usize) -> Vec<u8> {
        let bytes = contents(length);
        std::fs::write(self.served.path().join(name), &bytes).unwrap();
        bytes
    }

    /// What the phone has left under this name.
    fn left(&self, name: &str) -> Vec<u8> {
        let mac = self.bed.phone(1).interface.mac;
        let mac: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let state = self.bed.gateway.directory().join("state");
        let file: PathBuf = state.join("uploads").join(mac).join(name);
        std::fs::read(file).unwrap()
    }

    /// Runs a client, its words as they would be typed, with `{dir}` for the phone's folder.
    fn client(&self, command: &[&str]) {
        let folder = self.phones.path().to_str().unwrap();
        let words: Vec<String> = command
            .iter()
            .map(|word| word.replace("{dir}", folder))
            .collect();
        self.bed.phone(1).ns.run(&words).unwrap();
    }

    fn phones_file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.phones.path().join(name)).unwrap()
    }
}

fn contents(length: usize) -> Vec<u8> {
    let word = |index: usize| (index as u32).wrapping_mul(0x9E37_79B9).to_be_bytes();
    (0..length.div_ceil(4))
        .flat_map(word)
        .take(length)
        .collect()
}

#[test]
fn tftp_hpa_reads_and_writes() {
    let lab = Lab::new();
    let bytes = lab.serve("boot.bin", 3_000_000);
    lab.client(&[
        "tftp",
        "-m",
        "binary",
        "10.10.0.3",
        "-c",
        "get",
        "boot.bin",
        "{dir}/got",
    ]);
    assert!(lab.phones_file("got") == bytes);
    std::fs::write(lab.phones.path().join("log"), &bytes[..100_000]).unwrap();
    lab.client(&[
        "tftp",
        "-m",
        "binary",
        "10.10.0.1",
        "-c",
        "put",
        "{dir}/log",
        "log",
    ]);
    assert!(lab.left("log") == bytes[..100_000]);
    lab.bed.finish();
}

#[test]
fn text_survives_tftp_hpas_ascii() {
    let lab = Lab::new();
    let text = "one\ntwo\r\nthree\rfour\n".repeat(1000);
    std::fs::write(lab.served.path().join("a.cfg"), &text).unwrap();
    lab.client(&[
        "tftp",
        "-m",
        "ascii",
        "10.10.0.1",
        "-c",
        "get",
        "a.cfg",
        "{dir}/got",
    ]);
    assert_eq!(String::from_utf8(lab.phones_file("got")).unwrap(), text);
    lab.client(&[
        "tftp",
        "-m",
        "ascii",
        "10.10.0.1",
        "-c",
        "put",
        "{dir}/got",
        "b.cfg",
    ]);
    assert_eq!(String::from_utf8(lab.left("b.cfg")).unwrap(), text);
    lab.bed.finish();
}

#[test]
fn atftp_reads_with_every_option() {
    let lab = Lab::new();
    // Beyond 65,535 blocks of 512 bytes.
    let bytes = lab.serve("boot.bin", 40_000_000);
    for options in [
        &[][..],
        &["--option", "blksize 1428"],
        &["--option", "blksize 1428", "--option", "windowsize 16"],
        &[
            "--option",
            "tsize",
            "--option",
            "timeout 3",
            "--option",
            "blksize 65464",
        ],
    ] {
        let words = ["-g", "-r", "boot.bin", "-l", "{dir}/got", "10.10.0.3"];
        lab.client(&[&["atftp"][..], options, &words].concat());
        assert!(lab.phones_file("got") == bytes, "{options:?}");
    }
    std::fs::write(lab.phones.path().join("log"), &bytes[..1_000_000]).unwrap();
    let words = ["-p", "-l", "{dir}/log", "-r", "log", "10.10.0.1"];
    lab.client(&[&["atftp", "--option", "blksize 1024"][..], &words].concat());
    assert!(lab.left("log") == bytes[..1_000_000]);
    lab.bed.finish();
}

#[test]
fn tftp_hpa_reads_over_a_link_that_loses_packets() {
    // Not atftp 0.8.0: it repeats an acknowledgement once only, and gives up when both are lost.
    let lab = Lab::new();
    let bytes = lab.serve("boot.bin", 300_000);
    lab.lose(5);
    lab.client(&[
        "tftp",
        "-m",
        "binary",
        "10.10.0.1",
        "-c",
        "get",
        "boot.bin",
        "{dir}/one",
    ]);
    assert!(lab.phones_file("one") == bytes);
    lab.bed.finish();
}
