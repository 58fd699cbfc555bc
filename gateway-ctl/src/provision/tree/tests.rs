use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::unistd::mkfifo;
use tempfile::TempDir;

use super::*;

/// A root with some files, and a secret beside it.
struct Bed {
    directory: TempDir,
    tree: Tree,
}

impl Bed {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |path: &str| directory.path().join(path);
        std::fs::create_dir_all(at("root/folder")).unwrap();
        std::fs::create_dir(at("outside")).unwrap();
        for (path, text) in [
            ("root/a.cfg", "a"),
            ("root/folder/b.cfg", "b"),
            ("outside/secret", "secret"),
        ] {
            std::fs::write(at(path), text).unwrap();
        }
        let tree = Tree::new(&at("root"));
        Self { directory, tree }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// What is read, or why not.
    fn read(&self, name: &str) -> Result<String, String> {
        let name = Name::new(name).unwrap();
        let content = self.tree.open(&name).map_err(|error| match error {
            Refused::NotFound => "not found".to_owned(),
            refused => refused.to_string(),
        })?;
        Ok(text(&content))
    }
}

fn text(content: &Content) -> String {
    let mut buffer = vec![0; usize::try_from(content.length).unwrap()];
    assert_eq!(content.read_at(&mut buffer, 0).unwrap(), buffer.len());
    String::from_utf8(buffer).unwrap()
}

#[test]
fn files_are_read() {
    let bed = Bed::new();
    assert_eq!(bed.read("a.cfg").unwrap(), "a");
    assert_eq!(bed.read("/folder\\b.cfg").unwrap(), "b");
    for name in ["c.cfg", "folder/c.cfg", "a.cfg/b", "nothing/a.cfg"] {
        assert_eq!(bed.read(name).unwrap_err(), "not found", "{name}");
    }
    let long = format!("{0}/{0}/{0}", "x".repeat(255));
    assert_eq!(bed.read(&long).unwrap_err(), "not found");
}

#[test]
fn links_lead_nowhere_else() {
    let bed = Bed::new();
    for (link, target) in [
        ("root/current", "a.cfg"),
        ("root/folder/up", "../a.cfg"),
        ("root/dir", "folder"),
        ("root/relative", "../outside/secret"),
        ("root/dir-out", "../outside"),
        ("root/round", "round"),
        ("root/proc", "/proc/self/cwd"),
    ] {
        symlink(target, bed.at(link)).unwrap();
    }
    symlink(bed.at("outside/secret"), bed.at("root/absolute")).unwrap();
    // Even one that comes back: it went out.
    symlink(bed.at("root/a.cfg"), bed.at("root/home")).unwrap();
    symlink("../root/a.cfg", bed.at("root/back")).unwrap();
    assert_eq!(bed.read("current").unwrap(), "a");
    assert_eq!(bed.read("folder/up").unwrap(), "a");
    assert_eq!(bed.read("dir/b.cfg").unwrap(), "b");
    for name in [
        "relative",
        "dir-out/secret",
        "absolute",
        "home",
        "back",
        "proc/Cargo.toml",
    ] {
        let expected = format!("{name} leads out of its directory");
        assert_eq!(bed.read(name).unwrap_err(), expected);
    }
    let round = bed.read("round").unwrap_err();
    assert!(round.contains("a link that is not followed"), "{round}");
}

#[test]
fn links_of_proc_are_not_followed() {
    // With /proc itself as the root, and a file descriptor that is open on a secret.
    let bed = Bed::new();
    let secret = File::open(bed.at("outside/secret")).unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&secret);
    let tree = Tree::new(Path::new("/proc/self/fd"));
    let refused = tree.open(&Name::new(&fd.to_string()).unwrap()).unwrap_err();
    assert!(matches!(refused, Refused::Denied(_)), "{refused}");
}

#[test]
fn what_is_no_regular_file_is_refused_and_blocks_nobody() {
    let bed = Bed::new();
    mkfifo(&bed.at("root/fifo"), Mode::S_IRWXU).unwrap();
    let _socket = UnixListener::bind(bed.at("root/socket")).unwrap();
    for (name, why) in [
        ("fifo", "fifo is a FIFO, no regular file"),
        ("folder", "folder is a directory, no regular file"),
        ("socket", "socket is no regular file"),
    ] {
        assert_eq!(bed.read(name).unwrap_err(), why);
    }
    let devices = Tree::new(Path::new("/dev"));
    for device in ["null", "zero", "tty"] {
        let refused = devices.open(&Name::new(device).unwrap()).unwrap_err();
        assert!(matches!(refused, Refused::Denied(_)), "{device}: {refused}");
    }
}

#[test]
fn a_root_may_come_late_and_be_replaced() {
    let bed = Bed::new();
    std::fs::rename(bed.at("root"), bed.at("former")).unwrap();
    assert_eq!(bed.read("a.cfg").unwrap_err(), "not found");
    std::fs::create_dir(bed.at("root")).unwrap();
    std::fs::write(bed.at("root/a.cfg"), "new").unwrap();
    assert_eq!(bed.read("a.cfg").unwrap(), "new");
}

#[test]
fn whoever_swaps_a_folder_for_a_link_wins_nothing() {
    let bed = Bed::new();
    // The name is a file inside the root and a secret outside of it, depending on what
    // `root/swapped` is at the moment.
    std::fs::write(bed.at("root/folder/secret"), "harmless").unwrap();
    let (swapped, spare) = (bed.at("root/swapped"), bed.at("root/spare"));
    std::fs::create_dir(&swapped).unwrap();
    std::fs::write(swapped.join("secret"), "harmless").unwrap();
    symlink("../outside", &spare).unwrap();
    let is_done = AtomicBool::new(false);
    let (mut read, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        let swap = || {
            use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
            while !is_done.load(Ordering::Relaxed) {
                let flags = RenameFlags::RENAME_EXCHANGE;
                renameat2(AT_FDCWD, &swapped, AT_FDCWD, &spare, flags).unwrap();
            }
        };
        scope.spawn(swap);
        // Both sides of the race have been seen often, or the test is none.
        while read < 500 || refused < 500 {
            match bed.read("swapped/secret") {
                Ok(text) => {
                    assert_eq!(text, "harmless");
                    read += 1;
                }
                Err(_) => refused += 1,
            }
        }
        is_done.store(true, Ordering::Relaxed);
    });
}
