//! Phones fetch their files and leave their logs, with the programs that phones have.

use std::path::PathBuf;

use gateway_tests::dhcp::client::{Client, Lease, Program};
use gateway_tests::site::Site;

use crate::bed::{Bed, LONG};
use crate::leases::{self, phone, range_of};

const PROVISION: &str = r#"
[provision]
root = "{dir}/files"
templates = "{dir}/templates"
http = 80
upload_quota = "100 KiB"
[[template]]
name = "{mac}.cfg"
file = "phone.cfg"
class = "phone"
[[template]]
name = "line-{mac}.cfg"
file = "line.cfg"
[[phone]]
mac = "02:00:00:00:00:07"
variables = ["account=21"]
"#;

const TEMPLATE: &str = "\
external={{ public_address }}\n\
sip={{ signalling_port }}\n\
rtp={{ rtp_first }}-{{ rtp_last }}\n\
all={{ first_port }}-{{ last_port }}\n\
mac={{ MAC }}\n\
switch={{ switch }}:{{ switch_port }}\n";

/// A leased phone, and what is served to it.
struct Desk {
    bed: Bed,
    lease: Lease,
    _client: Client,
    directory: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let site = Site::new().unwrap();
        for host in &site.inside[0].phones {
            host.ns.ip("address flush dev eth0").unwrap();
        }
        // The files are there before the daemon is.
        let place = tempfile::tempdir().unwrap().keep();
        let text = PROVISION.replace("{dir}", place.to_str().unwrap());
        for directory in ["files", "templates"] {
            std::fs::create_dir_all(place.join(directory)).unwrap();
        }
        std::fs::write(place.join("files/firmware.bin"), firmware()).unwrap();
        std::fs::write(place.join("templates/phone.cfg"), TEMPLATE).unwrap();
        let line = "host={{ host_name | default('') }}\nline={{ variables.account }}\n";
        std::fs::write(place.join("templates/line.cfg"), line).unwrap();
        let bed = leases::bed(site, &text);
        let mut client = phone(Program::Udhcpc)
            .start(&bed.phone(1).interface)
            .unwrap();
        let lease = client.bound(LONG).unwrap();
        Self {
            bed,
            lease,
            _client: client,
            directory: place,
        }
    }

    /// Runs a program on the phone, in a directory of its own.
    fn run(&self, line: &str) -> (bool, String) {
        let phone = &self.bed.phone(1).ns;
        let home = self.directory.join("phone");
        std::fs::create_dir_all(&home).unwrap();
        let output = phone
            .command("sh")
            .args(["-c", &format!("cd {} && {line}", home.display())])
            .output()
            .unwrap();
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text += &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }

    fn fetched(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.directory.join("phone").join(name)).unwrap_or_default()
    }

    /// The phone's hardware address, as files are named after it.
    fn mac(&self) -> String {
        let mac = self.bed.phone(1).interface.mac;
        mac.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn finish(self) {
        std::fs::remove_dir_all(&self.directory).unwrap();
        self.bed.finish();
    }
}

fn firmware() -> Vec<u8> {
    (0..300_000u32).map(|n| (n % 251) as u8).collect()
}

#[test]
fn every_client_fetches_the_firmware() {
    let desk = Desk::new();
    for (name, line) in [
        ("a", "tftp -m binary 10.10.0.1 -c get firmware.bin a"),
        (
            "b",
            "atftp --get -r firmware.bin -l b --option 'blksize 1428' 10.10.0.1",
        ),
        ("c", "curl -sS -o c http://10.10.0.1/firmware.bin"),
        ("d", "busybox tftp -g -r firmware.bin -l d 10.10.0.1"),
    ] {
        let (ok, text) = desk.run(line);
        assert!(ok, "{line}: {text}");
        assert!(desk.fetched(name) == firmware(), "{line}: {text}");
    }
    desk.finish();
}

#[test]
fn a_phone_is_told_its_own_ports_and_nobody_elses() {
    let desk = Desk::new();
    let (public, first, last) = range_of(&desk.lease);
    let mac = desk.mac();
    let expected = format!(
        "external={public}\nsip={first}\nrtp={}-{last}\nall={first}-{last}\nmac={}\n\
         switch=198.51.100.200:5060\n",
        first + 2,
        mac.to_uppercase()
    );
    for line in [
        format!("tftp -m binary 10.10.0.1 -c get {mac}.cfg x"),
        format!(
            "curl -sS -f -o x http://10.10.0.1/{}.cfg",
            mac.to_uppercase()
        ),
    ] {
        let (ok, text) = desk.run(&line);
        assert!(ok, "{line}: {text}");
        assert_eq!(String::from_utf8(desk.fetched("x")).unwrap(), expected);
    }
    let (ok, text) = desk.run("curl -sS -f http://10.10.0.1/020000000099.cfg");
    assert!(!ok, "{text}");
    for name in [
        "../../etc/passwd",
        "..%2f..%2fetc/passwd",
        "%2e%2e/templates/phone.cfg",
    ] {
        let (ok, text) = desk.run(&format!("curl -sS -f --path-as-is http://10.10.0.1/{name}"));
        assert!(!ok, "{name}: {text}");
    }
    desk.finish();
}

#[test]
fn a_file_with_a_mac_address_in_its_name_is_one_phones() {
    let desk = Desk::new();
    let (own, other) = (desk.mac(), "02000000ff99");
    let pairs: Vec<&str> = (0..6).map(|at| &own[2 * at..][..2]).collect();
    let dashes = format!("SEP{}.xml", pairs.join("-").to_uppercase());
    // No template answers to any of these.
    let names = [
        format!("{own}-dial.xml"),
        dashes,
        format!("{other}-dial.xml"),
    ];
    for name in &names {
        std::fs::write(desk.directory.join("files").join(name), "secret").unwrap();
    }
    for name in &names {
        for line in [
            format!("tftp -m binary 10.10.0.1 -c get {name} x"),
            format!("curl -sS -f -o x http://10.10.0.1/{name}"),
        ] {
            let (_, text) = desk.run(&format!("rm -f x; {line}"));
            let fetched = desk.fetched("x");
            if name.starts_with(other) {
                assert_eq!(fetched, b"", "{line}");
                let told = ["Error code 1", "File not found", "404"];
                assert!(
                    told.iter().any(|word| text.contains(word)),
                    "{line}: {text}"
                );
            } else {
                assert_eq!(fetched, b"secret", "{line}: {text}");
            }
        }
    }
    desk.finish();
}

#[test]
fn a_reload_serves_other_files_and_templates() {
    let desk = Desk::new();
    let fetch = |name: &str| {
        let by = |line: String| {
            let (_, text) = desk.run(&format!("rm -f x; {line}"));
            let fetched = String::from_utf8_lossy(&desk.fetched("x")).into_owned();
            if fetched.is_empty() { text } else { fetched }
        };
        [
            by(format!("tftp -m binary 10.10.0.1 -c get {name} x")),
            by(format!("curl -sS -f -o x http://10.10.0.1/{name}")),
        ]
    };
    let (place, mac) = (&desk.directory, desk.mac());
    std::fs::create_dir(place.join("newer")).unwrap();
    std::fs::write(place.join("files/about"), "one").unwrap();
    std::fs::write(place.join("newer/about"), "two").unwrap();
    std::fs::write(place.join("templates/new.cfg"), "phone {{ mac }}").unwrap();
    assert_eq!(fetch("about"), ["one", "one"]);
    let absent = fetch(&format!("{mac}.new"));
    assert!(
        absent.iter().all(|text| !text.contains("phone")),
        "{absent:?}"
    );

    // Another root, and a template more.
    let file = desk.bed.gateway.directory().join("gateway.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let former = format!("root = \"{}/files\"", place.display());
    assert!(text.contains(&former), "{text}");
    let text = text.replace(&former, &former.replace("files", "newer"));
    let text = format!("{text}\n[[template]]\nname = \"{{mac}}.new\"\nfile = \"new.cfg\"\n");
    std::fs::write(&file, &text).unwrap();
    desk.bed.json(&["reload"]);
    let made = format!("phone {mac}");
    assert_eq!(fetch("about"), ["two", "two"]);
    assert_eq!(fetch(&format!("{mac}.new")), [made.as_str(); 2]);

    // One that cannot be taken over changes nothing.
    std::fs::write(place.join("templates/new.cfg"), "{{ nothing }}").unwrap();
    let refused = desk.bed.gateway.ctl(&["reload"]).unwrap();
    assert!(
        refused.stderr.contains("new.cfg:1: there is no variable"),
        "{refused:?}"
    );
    assert_eq!(fetch(&format!("{mac}.new")), [made.as_str(); 2]);
    desk.finish();
}

#[test]
fn the_log_says_what_a_template_wants_of_which_phone() {
    let desk = Desk::new();
    let mac = desk.mac();
    for line in [
        format!("curl -sS -f http://10.10.0.1/line-{mac}.cfg"),
        format!("tftp -m binary 10.10.0.1 -c get line-{mac}.cfg x && cat x"),
    ] {
        let (_, text) = desk.run(&line);
        assert!(!text.contains("host="), "{line}: {text}");
    }
    let log = desk.bed.gateway.log();
    let told: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("line.cfg"))
        .collect();
    assert_eq!(told.len(), 2, "{log}");
    let pairs: Vec<&str> = (0..6).map(|at| &mac[2 * at..][..2]).collect();
    for word in [
        "template line.cfg, line 2: `variables.account` is not set for the phone; add \
         \"account=..\" to `variables` of its [[phone]]",
        &pairs.join(":"),
    ] {
        assert!(told.iter().all(|line| line.contains(word)), "{word}: {log}");
    }
    desk.finish();
}

#[test]
fn logs_go_to_the_phones_own_folder_up_to_its_quota() {
    let desk = Desk::new();
    let (ok, text) =
        desk.run("head -c 50000 /dev/zero > log; tftp -m binary 10.10.0.1 -c put log boot.log");
    assert!(ok && !text.contains("Error"), "{text}");
    let folder = desk
        .bed
        .gateway
        .directory()
        .join("state/uploads")
        .join(desk.mac());
    assert_eq!(
        std::fs::read(folder.join("boot.log")).unwrap(),
        vec![0; 50_000]
    );
    let (_, text) =
        desk.run("head -c 90000 /dev/zero > log2; tftp -m binary 10.10.0.1 -c put log2 more.log");
    assert!(
        text.contains("Error code 3") || text.contains("Disk full"),
        "{text}"
    );
    assert!(!folder.join("more.log").exists());
    desk.finish();
}
