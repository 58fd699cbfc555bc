//! The program `phone`.

use std::process::{Command, Output};

use gateway_tests::netns::Namespace;
use serde_json::Value;

fn run(ns: &Namespace, script: &str) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script).unwrap();
    let mut command: Command = ns.command(env!("CARGO_BIN_EXE_phone"));
    command.arg("run").arg(file.path()).output().unwrap()
}

/// Phones that know no switch that is there.
const ALONE: &str = "phone a1 address=127.0.0.1 ports=1024-1087 user=1 switch=127.0.0.9\n";

#[test]
fn what_passes_ends_with_0_and_a_json_object_a_line() {
    let ns = Namespace::new("phones").unwrap();
    let output = run(
        &ns,
        &format!("{ALONE}a1 offhook\na1 expect dialtone\nnote well done\n"),
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.last().unwrap()["event"], "passed");
    assert!(
        events
            .iter()
            .any(|event| event["event"] == "tone" && event["tone"] == "dial")
    );
    assert!(
        events
            .iter()
            .all(|event| event["time"].as_f64().unwrap() > 1.7e9)
    );
    assert!(events.iter().any(|event| event["text"] == "well done"));
}

#[test]
fn what_fails_ends_with_1_and_names_its_line() {
    let ns = Namespace::new("phones").unwrap();
    let output = run(&ns, &format!("{ALONE}\na1 expect ringing 100ms\n"));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.starts_with("line 3: a1 expect ringing 100ms: a1: on hook"),
        "{text}"
    );
}

#[test]
fn what_is_no_script_ends_with_2_before_anything_is_done() {
    let ns = Namespace::new("phones").unwrap();
    let output = run(&ns, &format!("{ALONE}a1 offhook\na1 sing\n"));
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("line 3: a1 sing"), "{text}");
}
