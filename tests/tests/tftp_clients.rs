//! Other people's TFTP clients read from and write to the gateway's server, over links that
//! lose packets.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use gateway_tests::link::{VethOptions, mac_of, veth};
use gateway_tests::netns::Namespace;
use gateway_tests::process::Process;
use gateway_tests::wait::eventually;
use tempfile::TempDir;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 10, 0, 1);
const PHONE: Ipv4Addr = Ipv4Addr::new(10, 10, 0, 2);
const LONG: Duration = Duration::from_secs(60);

struct Lab {
    router: Namespace,
    phone: Namespace,
    served: TempDir,
    phones: TempDir,
    _server: Process,
}

/// The server alone, built with the tests: `target/debug/examples/tftp`.
fn server() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples/tftp");
    assert!(
        path.is_file(),
        "no {}: run `cargo build -p gateway-ctl --example tftp`",
        path.display()
    );
    path
}

impl Lab {
    fn new() -> Self {
        let (router, phone) = (
            Namespace::new("router").unwrap(),
            Namespace::new("phone").unwrap(),
        );
        let (inside, outside) = veth(
            (&router, "eth0", mac_of(SERVER)),
            (&phone, "eth0", mac_of(PHONE)),
            VethOptions::default(),
        )
        .unwrap();
        inside.address(&format!("{SERVER}/24")).unwrap();
        // Further addresses, of which one is asked.
        inside.address("10.10.0.3/24").unwrap();
        outside.address(&format!("{PHONE}/24")).unwrap();
        let folder = || tempfile::Builder::new().prefix("sgt-").tempdir().unwrap();
        let (served, phones) = (folder(), folder());
        let arguments = [served.path().to_str().unwrap(), "0.0.0.0:69"];
        let log = phones.path().join("server.log");
        let process = Process::start(&router, &server(), &arguments, &log).unwrap();
        let listens = || {
            let sockets = router
                .run(&["ss", "-lun"])
                .map_err(|error| error.to_string())?;
            sockets.contains(":69").then_some(()).ok_or(sockets)
        };
        eventually(LONG, listens).unwrap();
        Self {
            router,
            phone,
            served,
            phones,
            _server: process,
        }
    }

    /// Loses so many of a hundred packets, each way.
    fn lose(&self, percent: u8) {
        let rules = format!(
            "table ip loss {{ \
             chain in {{ type filter hook input priority 0; \
               iifname eth0 meta l4proto udp numgen random mod 100 < {percent} drop; }}; \
             chain out {{ type filter hook output priority 0; \
               oifname eth0 meta l4proto udp numgen random mod 100 < {percent} drop; }}; }}"
        );
        self.router.nft(&rules).unwrap();
    }

    fn serve(&self, name: &str, length: usize) -> Vec<u8> {
        let bytes = contents(length);
        std::fs::write(self.served.path().join(name), &bytes).unwrap();
        bytes
    }

    /// Runs a client, its words as they would be typed, with `{dir}` for the phone's folder.
    fn client(&self, command: &[&str]) {
        let folder = self.phones.path().to_str().unwrap();
        let words: Vec<String> = command
            .iter()
            .map(|word| word.replace("{dir}", folder))
            .collect();
        self.phone.run(&words).unwrap();
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
    let log = lab.served.path().join("log");
    assert!(std::fs::read(log).unwrap() == bytes[..100_000]);
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
    let back = std::fs::read_to_string(lab.served.path().join("b.cfg")).unwrap();
    assert_eq!(back, text);
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
    let log = lab.served.path().join("log");
    assert!(std::fs::read(log).unwrap() == bytes[..1_000_000]);
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
}
