//! Files that are new, used, another's, or not ours.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

/// One entry, in a file that is closed.
fn filled(directory: &Path) {
    let store = Embedded::open(directory).expect("a new store");
    commit(&store, Batch::new().put("k", "v")).expect("no condition");
}

fn refusal(directory: &Path) -> String {
    let error = Embedded::open(directory).expect_err("it cannot be opened");
    error.to_string()
}

#[test]
fn a_store_is_found_again_with_its_revision() {
    let directory = directory();
    filled(directory.path());
    let store = Embedded::open(directory.path()).expect("the same");
    let page = read(&store, Query::key("k"));
    assert_eq!(page.revision, Revision(1));
    assert_eq!(page.entries[0].value, b"v");
    assert_eq!(page.entries[0].revision, Revision(1));
    // What was before this start is not in its history.
    let forgotten = store.watch(b"", Revision::ZERO).map(|_| ());
    let oldest = Revision(1);
    assert_eq!(forgotten, Err(WatchError::Compacted { oldest }));
    assert!(store.watch(b"", oldest).is_ok());
    assert_eq!(commit(&store, Batch::new().put("k", "w")), Ok(Revision(2)));

    let names = fs::read_dir(directory.path()).expect("a directory");
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [FILE_NAME]);
    let file = fs::metadata(directory.path().join(FILE_NAME)).expect("the file");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_store_is_made_despite_what_a_crash_left_of_an_earlier_try() {
    let directory = directory();
    fs::write(directory.path().join("store.redb.new"), "half of it").expect("a file");
    filled(directory.path());
    assert!(!directory.path().join("store.redb.new").exists());
}

#[test]
fn a_store_belongs_to_one_process() {
    let directory = directory();
    let _store = Embedded::open(directory.path()).expect("a new store");
    let error = refusal(directory.path());
    assert!(error.contains("stop it first"), "{error}");
}

#[test]
fn what_is_not_ours_is_not_touched() {
    for content in ["", "leases\n", &"x".repeat(10_000)] {
        let directory = directory();
        let path = directory.path().join(FILE_NAME);
        fs::write(&path, content).expect("a file");
        let error = refusal(directory.path());
        assert!(error.contains("restore the file from a backup"), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("still there"), content);
    }
    let directory = directory();
    let path = directory.path().join(FILE_NAME);
    Database::create(&path).expect("a database of another kind");
    let error = refusal(directory.path());
    assert!(error.contains("no store of the gateway's"), "{error}");
}

#[test]
fn a_newer_layout_is_left_alone() {
    let directory = directory();
    filled(directory.path());
    let database = Database::open(directory.path().join(FILE_NAME)).expect("a database");
    let transaction = database.begin_write().expect("the only one");
    let mut meta = transaction.open_table(tables::META).expect("the table");
    meta.insert("format", 2).expect("written");
    drop(meta);
    transaction.commit().expect("committed");
    drop(database);
    let error = refusal(directory.path());
    assert!(error.contains("version 2, expected 1"), "{error}");
}

#[test]
fn without_a_directory_there_is_no_store() {
    let directory = directory();
    let error = refusal(&directory.path().join("none"));
    assert!(
        error.contains("check that the directory is there"),
        "{error}"
    );
}

/// A page that is not as it was written: an error, or entries that are right, but no end of
/// the daemon without a word.
#[test]
fn a_damaged_file_gives_an_error_and_no_panic() {
    let directory = directory();
    let store = Embedded::open(directory.path()).expect("a new store");
    for n in 0..1000_u32 {
        let batch = Batch::new().put(n.to_be_bytes(), vec![7; 300]);
        store.submit(batch, Box::new(|answer| assert!(answer.is_ok())));
    }
    drop(store);
    let path = directory.path().join(FILE_NAME);
    let whole = fs::read(&path).expect("the file");
    let mut refused = 0;
    for page in 0..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&path, damaged).expect("written");
        let seen = Embedded::open(directory.path()).and_then(|store| {
            let mut entries = 0;
            store.for_each(b"", |_, _, _| entries += 1)?;
            Ok(entries)
        });
        match seen {
            Ok(_) => {}
            Err(OpenError::Failed(Failure::Damaged { .. })) => refused += 1,
            Err(other) => panic!("page {page}: {other}"),
        }
    }
    assert!(refused > 10, "only {refused} pages were missed");
}
