//! `cargo xtask vm test`: the packet tables, loaded by the second kernel's verifier, and the daemon
//! on VLAN devices.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::machine::{Job, Limits};
use super::prepare;
use crate::command::{shell_quoted, shown_output};
use crate::{setup, workspace};

/// The tests crate's targets that run there: those that need a kernel, but no second machine.
const TARGETS: &[&str] = &["packets", "vlan"];

/// What those start, beside them.
const DAEMON: &str = "gateway-ctl";

/// A hang must not take the whole of CI's time.
const LIMITS: Limits = Limits {
    seconds: 900,
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
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Builds everything, boots, and runs the tests; the exit status says whether all passed.
pub(crate) fn test(options: &Options) -> Result<ExitCode> {
    let ready = setup::for_tests()?;
    let kernel = prepare()?;
    let mut cargo = ready.host_cargo("build");
    cargo.args(["--bin", DAEMON]);
    for name in TARGETS {
        cargo.args(["--test", name]);
    }
    cargo.arg("--message-format=json-render-diagnostics");
    let built = Built::parse(&shown_output(&mut cargo)?);
    let programs = built.programs()?;
    let mut job = Job::new(&kernel, &[])?;
    // Tests find their data in the folder of their crate.
    let folder = workspace::root().join("tests");
    job.folder = folder.display().to_string();
    job.tree.add_folder(&folder);
    if folder.join("fixtures").is_dir() {
        job.tree.copy_folder(&folder.join("fixtures"))?;
    }
    // Tests look for the daemon in their own folder.
    for (name, path) in &programs {
        job.tree.copy(path, Path::new("/vm/tests").join(name))?;
        job.tree.add_libraries(path)?;
    }
    job.script(&script(TARGETS, options.filter.as_deref()));
    eprintln!(
        "vm: running {} on {}",
        TARGETS.join(", "),
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

/// What cargo has built.
struct Built(Vec<Message>);

impl Built {
    fn parse(messages: &str) -> Self {
        let messages = messages.lines();
        Self(
            messages
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect(),
        )
    }

    /// Path of a program; `kind` is `test` or `bin`.
    fn find(&self, kind: &str, name: &str) -> Option<PathBuf> {
        self.0.iter().find_map(|message| {
            let target = message.target.as_ref()?;
            let path = message.executable.clone()?;
            let is_wanted = target.name == name && target.kind.iter().any(|one| one == kind);
            // A program is also built as the harness of its own unit tests.
            let is_harness = message.profile.as_ref().is_some_and(|profile| profile.test);
            (is_wanted && is_harness == (kind == "test")).then_some(path)
        })
    }

    /// The tests of `TARGETS` and the daemon.
    fn programs(&self) -> Result<Vec<(&'static str, PathBuf)>> {
        let tests = TARGETS.iter().map(|name| ("test", *name));
        tests
            .chain([("bin", DAEMON)])
            .map(|(kind, name)| {
                let path = self.find(kind, name);
                Ok((name, path.with_context(|| format!("no {name} was built"))?))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_read_from_cargos_messages() {
        let built = Built::parse(
            r#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"packets"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["test"],"name":"lab"},"profile":{"test":true},"executable":"/t/lab-1"}
{"reason":"compiler-artifact","target":{"kind":["test"],"name":"packets"},"profile":{"test":true},"executable":"/t/packets-2"}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"gateway-ctl"},"profile":{"test":true},"executable":"/t/ctl-3"}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"gateway-ctl"},"profile":{"test":false},"executable":"/t/ctl"}
{"reason":"build-finished","success":true}
"#,
        );
        let find = |kind, name| built.find(kind, name);
        assert_eq!(find("test", "packets"), Some("/t/packets-2".into()));
        assert_eq!(find("bin", "gateway-ctl"), Some("/t/ctl".into()));
        assert_eq!(find("test", "gone"), None);
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
