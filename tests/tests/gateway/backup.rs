//! A backup: everything in a file, and back; never a part of it taken for the whole.

use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::PathBuf;

use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use gateway_tests::dhcp::client::{Client, Lease, Program};
use gateway_tests::site::{CtlOutput, Site};

use crate::bed::{Bed, LONG};
use crate::leases::{bed, binding, phone, range_of};

/// A gateway with a lease, and where its backup goes.
pub(crate) struct Office {
    pub(crate) bed: Bed,
    pub(crate) client: Client,
    pub(crate) lease: Lease,
    file: PathBuf,
}

impl Office {
    pub(crate) fn new() -> Self {
        let bed = bed(Site::new().unwrap(), "");
        let mut client = phone(Program::Udhcpc)
            .start(&bed.phone(1).interface)
            .unwrap();
        let lease = client.bound(LONG).unwrap();
        let file = bed.gateway.directory().join("backup.jsonl");
        Self {
            bed,
            client,
            lease,
            file,
        }
    }

    pub(crate) fn file(&self) -> &str {
        self.file.to_str().unwrap()
    }

    pub(crate) fn ctl(&self, words: &[&str]) -> CtlOutput {
        self.bed.gateway.ctl(words).unwrap()
    }

    /// Runs what is refused; why.
    pub(crate) fn refused(&self, words: &[&str]) -> String {
        let output = self.ctl(words);
        assert_eq!(output.code, Some(1), "{output:?}");
        output.stderr
    }
}

#[test]
fn a_backup_brings_everything_back() {
    let mut office = Office::new();
    let file = office.file().to_owned();
    let address = office.lease.address.to_string();
    let added = office.ctl(&["bindings", "add", "10.10.3.1", "192.0.2.2", "40000-40063"]);
    assert_eq!(added.code, Some(0), "{added:?}");
    let exported = office.ctl(&["export", &file]);
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let counts = "1 lease, 0 reservations, 1 line of history, 1 binding";
    assert_eq!(
        (exported.stdout, exported.stderr),
        (String::new(), format!("exported to {file}: {counts}\n"))
    );

    let refused = office.refused(&["import", &file]);
    assert!(refused.contains("1 phones have leases here"), "{refused}");
    office.ctl(&["leases", "release", &address]);
    office.ctl(&["bindings", "del", "10.10.3.1"]);
    let done = office.bed.json(&["import", &file]);
    let expected = serde_json::json!({
        "leases": 1, "reservations": 0, "history": 1, "bindings": 1, "lost": 0,
        "lost_reservations": 0, "lost_bindings": [],
    });
    assert_eq!(done, expected);
    let bound = binding(&office.bed, office.lease.address).unwrap();
    assert_eq!(bound["origin"], "lease");
    let renewed = office.client.renew(LONG).unwrap();
    assert_eq!(range_of(&renewed), range_of(&office.lease));

    let log = office.bed.gateway.log();
    assert!(log.contains("exported: 1 lease"), "{log}");
    assert!(log.contains("uid 0, pid"), "{log}");
    assert!(!log.contains(&address), "{log}");
    office.bed.finish();
}

#[test]
fn an_older_backup_is_not_lost() {
    let office = Office::new();
    let file = office.file();
    std::fs::write(file, "of last year").unwrap();
    let refused = office.refused(&["export", file]);
    assert!(refused.contains("replace it with --force"), "{refused}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "of last year");
    assert_eq!(office.ctl(&["export", file, "--force"]).code, Some(0));
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.starts_with("{\"gateway_export\":2}\n"), "{text}");
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for words in [&["export"][..], &["export", "-"]] {
        let piped = office.ctl(words);
        assert_eq!(piped.stdout, text);
        assert_eq!(
            piped.stderr,
            "exported: 1 lease, 0 reservations, 1 line of history, 0 bindings\n"
        );
    }
    // A device of our own, with /dev/null's number.
    let device = office.bed.gateway.directory().join("null");
    let mode = Mode::S_IRUSR | Mode::S_IWUSR;
    mknod(&device, SFlag::S_IFCHR, mode, makedev(1, 3)).unwrap();
    let refused = office.refused(&["export", device.to_str().unwrap(), "--force"]);
    assert!(refused.contains("is a device"), "{refused}");
    let there = std::fs::symlink_metadata(&device).unwrap();
    assert!(there.file_type().is_char_device());
    // Nothing but these is left behind.
    let names = std::fs::read_dir(office.bed.gateway.directory()).unwrap();
    let parts = names.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".part")
    });
    assert_eq!(parts.count(), 0);
    office.bed.finish();
}

#[test]
fn a_file_that_is_not_whole_changes_nothing() {
    let office = Office::new();
    let file = office.file();
    assert_eq!(office.ctl(&["export", file]).code, Some(0));
    let whole = std::fs::read_to_string(file).unwrap();
    let cut = whole.trim_end().rfind('\n').unwrap() + 1;
    for (text, error) in [
        (&whole[..cut], "line 3: the file was cut off: its last line"),
        (
            &whole[..cut + 9],
            "line 4: the file was cut off in this line",
        ),
        (
            "{\"gateway_export\":2}\n{\"lease\":{}}\n",
            "line 2: this is no line of a backup: missing field `address`\n",
        ),
        ("", "there is nothing in it"),
    ] {
        std::fs::write(file, text).unwrap();
        let refused = office.refused(&["import", file, "--replace"]);
        assert!(refused.contains(error), "{refused}");
        assert!(refused.contains("nothing was changed"), "{refused}");
    }
    assert!(binding(&office.bed, office.lease.address).is_some());
    office.bed.finish();
}

#[test]
fn bindings_without_room_are_left_out_and_named() {
    let office = Office::new();
    let file = office.file().to_owned();
    for (private, ports) in [("10.10.3.1", "40000-40063"), ("10.10.3.2", "40064-40127")] {
        let added = office.ctl(&["bindings", "add", private, "192.0.2.2", ports]);
        assert_eq!(added.code, Some(0), "{added:?}");
    }
    assert_eq!(office.ctl(&["export", &file]).code, Some(0));
    for private in ["10.10.3.1", "10.10.3.2"] {
        office.ctl(&["bindings", "del", private]);
    }
    // Somebody else has those of the first meanwhile.
    let added = office.ctl(&["bindings", "add", "10.10.3.9", "192.0.2.2", "40000-40063"]);
    assert_eq!(added.code, Some(0), "{added:?}");
    let done = office.ctl(&["import", &file, "--replace"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        done.stdout
            .contains("1 binding(s) were left out:\n  10.10.3.1: ports"),
        "{done:?}"
    );
    let bound = |private: &str| binding(&office.bed, private.parse().unwrap()).is_some();
    assert_eq!(
        ["10.10.3.1", "10.10.3.2", "10.10.3.9"].map(bound),
        [false, true, true]
    );
    assert!(binding(&office.bed, office.lease.address).is_some());

    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("40064-40127", "40065-40128")).unwrap();
    let refused = office.refused(&["import", &file, "--replace"]);
    assert!(
        refused.contains("nothing was changed") && !refused.contains("fix: ;"),
        "{refused}"
    );
    office.bed.finish();
}

#[test]
fn a_backup_may_be_large() {
    let office = Office::new();
    let file = office.file();
    assert_eq!(office.ctl(&["export", file]).code, Some(0));
    let whole = std::fs::read_to_string(file).unwrap();
    // More than a request may have otherwise; empty lines are none.
    let (head, rest) = whole.split_once('\n').unwrap();
    let mut large = std::io::BufWriter::new(std::fs::File::create(file).unwrap());
    writeln!(large, "{head}").unwrap();
    let mut nothing = vec![b' '; 1 << 19];
    nothing.push(b'\n');
    for _ in 0..514 {
        large.write_all(&nothing).unwrap();
    }
    large.write_all(rest.as_bytes()).unwrap();
    drop(large);
    let done = office.bed.json(&["import", file, "--replace"]);
    assert_eq!(done["leases"], 1, "{done}");
    // Refused at its beginning, and read to its end: the answer arrives.
    let wrong = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, wrong.replacen("export\":2", "export\":9", 1)).unwrap();
    let refused = office.refused(&["import", file, "--replace"]);
    assert!(refused.contains("line 1: format 9"), "{refused}");
    office.bed.finish();
}
