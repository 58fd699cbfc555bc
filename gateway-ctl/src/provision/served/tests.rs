use std::collections::BTreeMap;

use gateway_common::PortRange;
use provision::{Pattern, Rule};
use tempfile::TempDir;

use super::*;
use crate::provision::Quota;

const ALICE: Ipv4Addr = Ipv4Addr::new(10, 10, 0, 10);
const BOB: Ipv4Addr = Ipv4Addr::new(10, 10, 0, 11);
const NOBODY: Ipv4Addr = Ipv4Addr::new(10, 10, 0, 99);

struct Site;

impl Phones for Site {
    fn by_address(&self, address: Ipv4Addr) -> Option<Phone> {
        let [.., last] = address.octets();
        (address != NOBODY).then(|| Phone {
            mac: [2, 0, 0, 0, 0, last],
            address,
            public: Some(Ipv4Addr::new(198, 51, 100, 1)),
            ports: PortRange::new(40000, 40063).ok(),
            class: "desk".into(),
            host_name: None,
            primary_switch: None,
            backup_switch: None,
            server: Ipv4Addr::new(10, 10, 0, 1),
            accounts: Vec::new(),
            sip_port: None,
            variables: BTreeMap::new(),
        })
    }
}

fn provision(directory: &TempDir, rules: &[(&str, &str)]) -> Provision {
    let rule = |(number, (name, _)): (usize, &(&str, &str))| Rule {
        pattern: Pattern::new(name).unwrap(),
        class: None,
        file: number.to_string(),
    };
    let text = |(number, (_, text)): (usize, &(&str, &str))| (number.to_string(), (*text).into());
    let files = rules.iter().enumerate().map(text).collect();
    let rules = rules.iter().enumerate().map(rule).collect();
    Provision {
        phones: Default::default(),
        root: directory.path().join("root"),
        templates: Arc::new(Templates::new(rules, files).unwrap()),
        uploads: directory.path().join("uploads"),
        quota: Quota {
            bytes: 100,
            files: 10,
        },
        tftp: true,
        http: None,
    }
}

fn bed(rules: &[(&str, &str)]) -> (TempDir, Served) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("root")).unwrap();
    for (name, text) in [
        ("firmware.bin", "firmware"),
        ("02000000000a.cfg", "by hand"),
        ("02-00-00-00-00-0a-dial.xml", "by hand"),
        ("fw202601311230.bin", "of that minute"),
    ] {
        std::fs::write(directory.path().join("root").join(name), text).unwrap();
    }
    let served = Served::start(&provision(&directory, rules), Arc::new(Site)).unwrap();
    (directory, served)
}

fn read(served: &Served, from: Ipv4Addr, name: &str) -> Result<String, Refused> {
    let content = served.open(from, name)?;
    let mut buffer = vec![0; usize::try_from(content.length).unwrap()];
    content.read_at(&mut buffer, 0)?;
    Ok(String::from_utf8(buffer).unwrap())
}

#[test]
fn files_come_before_templates_and_those_before_uploads() {
    let (_directory, served) = bed(&[
        ("{mac}.cfg", "rtp = {{ rtp_first }}-{{ rtp_last }}"),
        ("firmware.bin", "template"),
    ]);
    let read = |from, name| read(&served, from, name).unwrap();
    assert_eq!(read(ALICE, "/02000000000A.cfg"), "rtp = 40002-40063");
    assert_eq!(read(ALICE, "02000000000a.cfg"), "by hand");
    assert_eq!(read(BOB, "02000000000b.cfg"), "rtp = 40002-40063");
    assert_eq!(read(BOB, "firmware.bin"), "firmware");
    for name in ["02000000000b.cfg", "02000000000b-phone.cfg"] {
        let mut upload = served.create(BOB, name, None).unwrap();
        upload.write_all(b"own").unwrap();
        upload.finish().unwrap();
    }
    // A phone cannot replace what it is told.
    assert_eq!(read(BOB, "02000000000b.cfg"), "rtp = 40002-40063");
    assert_eq!(read(BOB, "02000000000b-phone.cfg"), "own");
}

#[test]
fn secrets_are_for_whom_they_are_made() {
    let (directory, served) = bed(&[("{mac}.cfg", "{{ mac }}")]);
    let denied = |from, name: &str| match read(&served, from, name) {
        Err(Refused::Denied(why)) => why,
        other => panic!("{name}: {other:?}"),
    };
    let anothers = |from, name: &str| match read(&served, from, name) {
        Err(Refused::Anothers(why)) => why,
        other => panic!("{name}: {other:?}"),
    };
    // Made from a template, and put there by hand.
    for name in ["02000000000b.cfg", "02000000000a.cfg"] {
        assert!(anothers(NOBODY, name).contains("a phone with a lease"));
    }
    assert!(anothers(ALICE, "02000000000b.cfg").contains("another phone's"));
    assert!(anothers(BOB, "02000000000A.CFG").contains("another phone's"));
    assert!(anothers(BOB, "02000000000a.cfg").contains("another phone's"));
    assert!(denied(ALICE, "../uploads/x").contains("upwards"));
    assert!(denied(ALICE, "a\0b").contains("control character"));
    // What is nobody's secret is for all.
    assert_eq!(read(&served, NOBODY, "firmware.bin").unwrap(), "firmware");
    let refused = read(&served, NOBODY, "other").unwrap_err();
    assert!(matches!(refused, Refused::NotFound), "{refused}");
    let refused = served.create(NOBODY, "log", None).map(drop).unwrap_err();
    assert!(
        refused.to_string().contains("no phone has a lease"),
        "{refused}"
    );
    assert_eq!(
        std::fs::read_dir(directory.path().join("uploads"))
            .unwrap()
            .count(),
        1,
        ".partial alone"
    );
}

#[test]
fn files_by_hand_are_for_whom_they_are_named_without_any_template() {
    let (directory, served) = bed(&[]);
    for name in [
        "02000000000a.cfg",
        "02000000000A.cfg",
        "02-00-00-00-00-0a-dial.xml",
        // Whether it is there or not: nobody learns which phones there are.
        "02000000000a-absent.cfg",
        "02.00.00.00.00.0a/x",
    ] {
        for from in [BOB, NOBODY] {
            let refused = read(&served, from, name).unwrap_err();
            assert!(matches!(refused, Refused::Anothers(_)), "{name}: {refused}");
        }
    }
    for name in ["02000000000a.cfg", "02-00-00-00-00-0a-dial.xml"] {
        assert_eq!(read(&served, ALICE, name).unwrap(), "by hand");
    }
    // A date that looks like an address, until the operator says what it is.
    let firmware = "fw202601311230.bin";
    assert!(read(&served, ALICE, firmware).is_err());
    let mut next = provision(&directory, &[]);
    let templates = Templates::default();
    next.templates = Arc::new(templates.with_for_all(vec![Pattern::new("fw*.bin").unwrap()]));
    served.reload(&next);
    assert_eq!(read(&served, NOBODY, firmware).unwrap(), "of that minute");
    assert!(read(&served, BOB, "02000000000a.cfg").is_err());
}

#[test]
fn a_reload_counts_from_the_next_file_on() {
    let (directory, served) = bed(&[("a.cfg", "one")]);
    let begun = served.open(ALICE, "a.cfg").unwrap();
    let mut upload = served.create(ALICE, "log", None).unwrap();
    let mut next = provision(
        &directory,
        &[("a.cfg", "two"), ("b.cfg", "{{ variables.x }}")],
    );
    next.quota.bytes = 3;
    served.reload(&next);
    assert_eq!(begun.length, 3);
    assert_eq!(read(&served, ALICE, "a.cfg").unwrap(), "two");
    // Begun before, and of the same folder: it counts.
    assert!(upload.write_all(b"four").is_err());
    upload.write_all(b"log").unwrap();
    upload.finish().unwrap();
    assert_eq!(read(&served, ALICE, "log").unwrap(), "log");
    let broken = read(&served, ALICE, "b.cfg").unwrap_err();
    assert!(matches!(broken, Refused::Template(_)), "{broken:?}");
}

#[test]
fn uploads_in_the_tree_are_refused_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let mut wrong = provision(&directory, &[]);
    std::fs::create_dir(&wrong.root).unwrap();
    // By way of a link, which no check of the configuration's text sees.
    wrong.uploads = directory.path().join("link/uploads");
    std::os::unix::fs::symlink("root", directory.path().join("link")).unwrap();
    let error = Served::start(&wrong, Arc::new(Site)).map(drop).unwrap_err();
    assert!(error.to_string().contains("lie in each other"), "{error}");
}
