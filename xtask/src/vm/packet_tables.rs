//! `cargo xtask vm test`: the packet tables, loaded by the second kernel's verifier.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde::Deserialize;

use super::machine::{Job, Limits};
use super::prepare;
use crate::command::{shell_quoted, shown_output};
use crate::{setup, workspace};

/// The tests crate's targets that run there: those that need a kernel, but no second machine.
const TARGETS: &[&str] = &["packets", "vlan"];

/// A hang must not take the whole of CI's time.
const LIMITS: Limits = Limits {
    seconds: 600,
    memory_mib: 2048,
};

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Run only the tests whose name contains this
    filter: Option<String>,
}

/// One line of `cargo --message-format=json`, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Builds the packet tables, boots, and runs them; the exit status says whether all passed.
pub(crate) fn test(options: &Options) -> Result<ExitCode> {
    let ready = setup::for_tests()?;
    let kernel = prepare()?;
    let mut cargo = ready.host_cargo("test");
    cargo.args(["--no-run", "--message-format=json-render-diagnostics"]);
    let programs = test_programs(&shown_output(&mut cargo)?);
    if programs.is_empty() {
        bail!(
            "gateway-tests has none of the test targets {}",
            TARGETS.join(", ")
        );
    }
    let mut job = Job::new(&kernel, &[])?;
    // Tests find their data in the folder of their crate.
    let folder = workspace::root().join("tests");
    job.folder = folder.display().to_string();
    job.tree.add_folder(&folder);
    if folder.join("fixtures").is_dir() {
        job.tree.copy_folder(&folder.join("fixtures"))?;
    }
    for (name, path) in &programs {
        job.tree.copy(path, Path::new("/vm/tests").join(name))?;
        job.tree.add_libraries(path)?;
    }
    let names: Vec<&str> = programs.iter().map(|(name, _)| name.as_str()).collect();
    job.script(&script(&names, options.filter.as_deref()));
    eprintln!(
        "vm: running {} on {}",
        names.join(", "),
        kernel.image.display()
    );
    job.run(&LIMITS)
}

/// Runs every program even when one fails, and fails if any did.
fn script(names: &[&str], filter: Option<&str>) -> String {
    let filter = filter.map(shell_quoted).unwrap_or_default();
    let mut lines = vec!["uname -r; failed=0".to_owned()];
    for name in names {
        lines.push(format!("echo 'vm: {name}'"));
        lines.push(format!(
            "/vm/tests/{name} {filter} --test-threads=2 || failed=1"
        ));
    }
    lines.push("exit $failed".to_owned());
    lines.join("\n")
}

/// Names and paths of the wanted test programs, in the order of `TARGETS`.
fn test_programs(messages: &str) -> Vec<(String, PathBuf)> {
    let messages: Vec<Message> = messages
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let program_of = |wanted: &str| {
        messages.iter().find_map(|message| {
            let target = message.target.as_ref()?;
            let is_test = target.kind.iter().any(|kind| kind == "test");
            let path = message.executable.clone()?;
            (is_test && target.name == wanted).then(|| (target.name.clone(), path))
        })
    };
    TARGETS
        .iter()
        .filter_map(|wanted| program_of(wanted))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_read_from_cargos_messages() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"packets"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["test"],"name":"lab"},"executable":"/t/lab-1"}
{"reason":"compiler-artifact","target":{"kind":["test"],"name":"packets"},"executable":"/t/packets-2"}
{"reason":"build-finished","success":true}
"#;
        let expected = [("packets".to_owned(), PathBuf::from("/t/packets-2"))];
        assert_eq!(test_programs(messages), expected);
    }

    #[test]
    fn one_failure_fails_the_run_but_not_the_rest() {
        let expected = "uname -r; failed=0\n\
            echo 'vm: a'\n/vm/tests/a 'x y' --test-threads=2 || failed=1\n\
            echo 'vm: b'\n/vm/tests/b 'x y' --test-threads=2 || failed=1\n\
            exit $failed";
        assert_eq!(script(&["a", "b"], Some("x y")), expected);
    }
}
