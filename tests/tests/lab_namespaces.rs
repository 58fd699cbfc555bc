//! Namespaces, processes and the gateway's handle come and go as a test needs them to.

use std::path::Path;
use std::time::Duration;

use gateway_tests::netns::Namespace;
use gateway_tests::process::Process;
use gateway_tests::site::Gateway;
use gateway_tests::wait::eventually;

const SOON: Duration = Duration::from_secs(10);

fn exists(ns: &str) -> bool {
    Path::new("/run/netns").join(ns).exists()
}

#[test]
fn a_namespace_goes_with_its_last_handle() {
    let ns = Namespace::new("short").unwrap();
    let name = ns.name().to_owned();
    assert!(
        name.contains("a_namespace_goes_with_its_last_handle-short"),
        "{name}"
    );
    let clone = ns.clone();
    drop(ns);
    assert!(exists(&name));
    drop(clone);
    assert!(!exists(&name));
}

#[test]
fn a_namespace_goes_when_its_test_panics() {
    let ns = Namespace::new("panic").unwrap();
    let name = ns.name().to_owned();
    let failed = std::panic::catch_unwind(move || ns.enter(|| panic!("on purpose")));
    assert_eq!(failed.unwrap_err().downcast_ref(), Some(&"on purpose"));
    assert!(!exists(&name));
}

#[test]
fn a_killed_run_is_cleaned_up_after() {
    // What a killed test leaves: a namespace with a dead process's id, and a stranger's.
    let mut dead = std::process::Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    let stale = format!("sgt-{}-0-killed-router", dead.id());
    let foreign = format!("foreign-{}", std::process::id());
    let host = |words: &[&str]| {
        assert!(
            std::process::Command::new("ip")
                .args(words)
                .status()
                .unwrap()
                .success()
        );
    };
    host(&["netns", "add", &stale]);
    host(&["netns", "add", &foreign]);
    // Collection runs once per process, and another test here may have been first.
    let this = std::env::current_exe().unwrap();
    let again = std::process::Command::new(this)
        .args(["--exact", "a_namespace_goes_with_its_last_handle"])
        .output()
        .unwrap();
    assert!(again.status.success(), "{again:?}");
    let (stale_left, foreign_left) = (exists(&stale), exists(&foreign));
    host(&["netns", "del", &foreign]);
    assert!(!stale_left, "{stale} was not collected");
    assert!(foreign_left, "{foreign} is not ours and was removed");
}

#[test]
fn each_namespace_has_its_own_sys_and_bpf_file_system() {
    let (one, other) = (
        Namespace::new("one").unwrap(),
        Namespace::new("other").unwrap(),
    );
    let directory = "/sys/fs/bpf/gateway";
    one.enter(|| std::fs::create_dir(directory)).unwrap();
    assert!(
        one.run(&["test", "-d", directory]).is_ok(),
        "a child sees the same mounts"
    );
    assert!(!other.enter(|| Path::new(directory).exists()));
    assert!(
        !Path::new(directory).exists(),
        "nothing shows on the machine itself"
    );
    let devices = one.enter(|| std::fs::read_dir("/sys/class/net").unwrap().count());
    assert_eq!(devices, 1, "only the loopback device");
}

#[test]
fn a_failing_command_says_what_and_where() {
    let ns = Namespace::new("router").unwrap();
    let why = format!("{:#}", ns.ip("link set nowhere up").unwrap_err());
    assert!(
        why.contains("router") && why.contains("ip link set nowhere up"),
        "{why}"
    );
    assert!(why.contains("Cannot find device"), "{why}");
}

#[test]
fn a_process_ends_with_its_handle() {
    let ns = Namespace::new("host").unwrap();
    let log = tempfile::NamedTempFile::new().unwrap();
    let script = ["-c", "ip -brief link; exec sleep 1000"];
    let mut process = Process::start(&ns, Path::new("/bin/sh"), &script, log.path()).unwrap();
    eventually(SOON, || {
        let text = process.log();
        if text.contains("lo ") && !text.contains("eth0") {
            Ok(())
        } else {
            Err(text)
        }
    })
    .unwrap();
    let proc = format!("/proc/{}", process.pid());
    assert_eq!(process.exited().unwrap(), None);
    drop(process);
    assert!(!Path::new(&proc).exists());
}

#[test]
fn pins_outlive_the_daemon_but_not_the_lab() {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fake-gateway.sh");
    let router = Namespace::new("router").unwrap();
    let mut gateway = Gateway::start_program(&router, &program, "here = \"{dir}\"\n").unwrap();
    gateway.wait_ready(SOON).unwrap();
    let logged = |gateway: &Gateway, what: &str| {
        let log = || gateway.log();
        eventually(SOON, || {
            if log().contains(what) {
                Ok(())
            } else {
                Err(log())
            }
        })
        .unwrap();
    };
    logged(&gateway, &format!("here = {:?}", gateway.directory()));
    logged(&gateway, &format!("[api]\nsocket = {:?}", gateway.socket()));
    gateway.reload().unwrap();
    logged(&gateway, "reloaded");
    assert!(!gateway.log().contains("adopted"));
    gateway.kill9().unwrap();
    gateway.restart(SOON).unwrap();
    logged(&gateway, "adopted");
    gateway.stop().unwrap();
    let why = gateway.wait_ready(SOON).unwrap_err();
    assert!(format!("{why:?}").contains("the gateway ended"), "{why:?}");
    drop((gateway, router));
    assert!(!Path::new("/sys/fs/bpf/gateway").exists());
}
