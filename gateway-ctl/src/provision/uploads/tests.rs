use std::os::unix::fs::{PermissionsExt as _, symlink};

use tempfile::TempDir;

use super::*;

const ALICE: [u8; 6] = [0x02, 0, 0, 0, 0, 0x0a];
const BOB: [u8; 6] = [0x02, 0, 0, 0, 0, 0x0b];
const QUOTA: Quota = Quota {
    bytes: 100,
    files: 3,
};

struct Bed {
    directory: TempDir,
    uploads: Uploads,
}

impl Bed {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let uploads = Uploads::start(&directory.path().join("uploads"), QUOTA).unwrap();
        Self { directory, uploads }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join("uploads").join(path)
    }

    fn create(&self, mac: [u8; 6], name: &str) -> Result<Box<dyn Upload>, Refused> {
        self.uploads.create(mac, &Name::new(name).unwrap(), None)
    }

    /// A whole upload of so many bytes.
    fn upload(&self, mac: [u8; 6], name: &str, bytes: usize) -> Result<(), Refused> {
        let mut upload = self.create(mac, name)?;
        upload.write_all(&vec![b'x'; bytes])?;
        upload.finish()
    }

    fn is_clean(&self) -> bool {
        let leftovers = std::fs::read_dir(self.at(PARTIAL)).unwrap().count();
        let inner = format!("{:?}", self.uploads.accounts);
        leftovers == 0 && inner.contains("by_mac: {}")
    }
}

#[track_caller]
fn assert_quota(result: Result<(), Refused>) {
    assert!(
        matches!(result, Err(Refused::QuotaExceeded(_))),
        "{result:?}"
    );
}

#[test]
fn a_file_is_there_whole_or_not_at_all() {
    let bed = Bed::new();
    let path = bed.at("02000000000a/app.log");
    let mut upload = bed.create(ALICE, "app.log").unwrap();
    upload.write_all(b"one ").unwrap();
    assert!(!path.exists());
    upload.write_all(b"two").unwrap();
    upload.finish().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"one two");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // One that was begun and given up leaves what was there.
    let mut upload = bed.create(ALICE, "app.log").unwrap();
    upload.write_all(b"three").unwrap();
    drop(upload);
    assert_eq!(std::fs::read(&path).unwrap(), b"one two");
    // The next one replaces it.
    bed.upload(ALICE, "app.log", 5).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"xxxxx");
    assert!(bed.is_clean());
}

#[test]
fn a_phone_reads_what_it_wrote_and_nothing_else() {
    let bed = Bed::new();
    bed.upload(ALICE, "logs/app.log", 5).unwrap();
    let name = |text| Name::new(text).unwrap();
    let read = |mac, text| {
        bed.uploads
            .open(mac, &name(text))
            .map(|content| content.length)
    };
    assert_eq!(read(ALICE, "logs/app.log").unwrap(), 5);
    assert_eq!(read(ALICE, "logs_app.log").unwrap(), 5);
    assert!(matches!(read(BOB, "logs/app.log"), Err(Refused::NotFound)));
    let other = "02000000000a/logs_app.log";
    assert!(matches!(read(BOB, other), Err(Refused::NotFound)));
    for hidden in [".partial", ".partial/0", "./.hidden"] {
        assert!(
            matches!(read(ALICE, hidden), Err(Refused::Denied(_))),
            "{hidden}"
        );
        assert!(
            matches!(bed.create(ALICE, hidden), Err(Refused::Denied(_))),
            "{hidden}"
        );
    }
    let long = format!("{}/{}", "x".repeat(200), "y".repeat(200));
    assert!(matches!(bed.create(ALICE, &long), Err(Refused::Denied(_))));
}

#[test]
fn links_in_a_folder_are_neither_read_nor_written_through() {
    let bed = Bed::new();
    let secret = bed.directory.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    std::fs::create_dir(bed.at("02000000000a")).unwrap();
    symlink(&secret, bed.at("02000000000a/link")).unwrap();
    let name = Name::new("link").unwrap();
    assert!(matches!(
        bed.uploads.open(ALICE, &name),
        Err(Refused::Denied(_))
    ));
    assert!(matches!(bed.create(ALICE, "link"), Err(Refused::Denied(_))));
    // A folder that is a link is none.
    let elsewhere = bed.directory.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, bed.at("02000000000b")).unwrap();
    assert!(matches!(bed.create(BOB, "log"), Err(Refused::Denied(_))));
    assert_eq!(std::fs::read(&secret).unwrap(), b"secret");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
    assert!(bed.is_clean());
}

#[test]
fn a_link_put_there_meanwhile_is_replaced_and_not_followed() {
    let bed = Bed::new();
    let secret = bed.directory.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let mut upload = bed.create(ALICE, "log").unwrap();
    upload.write_all(b"line").unwrap();
    symlink(&secret, bed.at("02000000000a/log")).unwrap();
    upload.finish().unwrap();
    assert_eq!(std::fs::read(&secret).unwrap(), b"secret");
    let path = bed.at("02000000000a/log");
    assert!(path.symlink_metadata().unwrap().is_file());
    assert_eq!(std::fs::read(path).unwrap(), b"line");
}

#[test]
fn bytes_are_limited_for_each_phone() {
    let bed = Bed::new();
    bed.upload(ALICE, "a", 60).unwrap();
    assert_quota(bed.upload(ALICE, "b", 41));
    bed.upload(ALICE, "b", 40).unwrap();
    assert_quota(bed.upload(ALICE, "c", 1));
    // What is replaced makes room for what replaces it.
    bed.upload(ALICE, "a", 60).unwrap();
    assert_quota(bed.upload(ALICE, "a", 61));
    bed.upload(ALICE, "a", 1).unwrap();
    bed.upload(ALICE, "c", 59).unwrap();
    // Another phone has its own room.
    bed.upload(BOB, "a", 100).unwrap();
    // A size that is told is refused before anything is written; one that lies later.
    let name = Name::new("d").unwrap();
    let told = bed.uploads.create([7; 6], &name, Some(101)).map(drop);
    assert_quota(told);
    let mut lying = bed.uploads.create([7; 6], &name, Some(1)).unwrap();
    lying.write_all(&[0; 100]).unwrap();
    assert_quota(lying.write_all(&[0]));
    drop(lying);
    assert!(bed.is_clean());
}

#[test]
fn uploads_at_the_same_time_share_the_room() {
    let bed = Bed::new();
    let mut a = bed.create(ALICE, "a").unwrap();
    a.write_all(&[0; 60]).unwrap();
    assert!(matches!(bed.create(ALICE, "a"), Err(Refused::Busy(_))));
    let mut b = bed.create(ALICE, "b").unwrap();
    assert_quota(b.write_all(&[0; 41]));
    b.write_all(&[0; 40]).unwrap();
    a.finish().unwrap();
    assert_quota(b.write_all(&[0]));
    b.finish().unwrap();
    assert!(bed.is_clean());
    assert_quota(bed.upload(ALICE, "c", 1));
}

#[test]
fn files_are_limited_and_so_is_what_goes_on_at_once() {
    let bed = Bed::new();
    for name in ["a", "b", "c"] {
        bed.upload(ALICE, name, 0).unwrap();
    }
    assert_quota(bed.upload(ALICE, "d", 0));
    bed.upload(ALICE, "c", 1).unwrap();
    let under_way: Vec<_> = ["a", "b", "c"]
        .map(|name| bed.create(BOB, name).unwrap())
        .into();
    assert_quota(bed.create(BOB, "d").map(drop));
    bed.uploads.set_quota(Quota { files: 9, ..QUOTA });
    let fourth = bed.create(BOB, "d").unwrap();
    assert!(matches!(bed.create(BOB, "e"), Err(Refused::Busy(_))));
    drop(under_way);
    bed.create(BOB, "e").unwrap().finish().unwrap();
    drop(fourth);
    assert!(bed.is_clean());
}

#[test]
fn what_a_killed_daemon_left_is_removed() {
    let bed = Bed::new();
    bed.upload(ALICE, "log", 5).unwrap();
    let mut upload = bed.create(ALICE, "log").unwrap();
    upload.write_all(b"half").unwrap();
    // As if killed: nothing of it runs any more.
    std::mem::forget(upload);
    assert_eq!(std::fs::read_dir(bed.at(PARTIAL)).unwrap().count(), 1);
    let path = bed.directory.path().join("uploads");
    let anew = Uploads::start(&path, QUOTA).unwrap();
    assert_eq!(std::fs::read_dir(bed.at(PARTIAL)).unwrap().count(), 0);
    let name = Name::new("log").unwrap();
    assert_eq!(anew.open(ALICE, &name).unwrap().length, 5);
    let mut upload = anew.create(ALICE, &name, None).unwrap();
    upload.write_all(b"whole").unwrap();
    upload.finish().unwrap();
}
