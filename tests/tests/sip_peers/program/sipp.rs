//! sipp, which plays a scenario: `scenarios/NAME.xml`, where `{asked}` stands for `parts/asked.xml`,
//! and `{me}`, `{password}`, `{number}`, `{given}` for what a test says.

use std::fs;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use gateway_tests::netns::Namespace;
use gateway_tests::process::Process;
use gateway_tests::wait::eventually;
use tempfile::TempDir;

use crate::bed::{LONG, Party};

const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sip_peers/scenarios");
const PARTS: [&str; 6] = [
    "asked", "answered", "hangs_up", "hung_up", "invited", "answers",
];
/// The switch's port.
const SIP: u16 = 5060;

/// Over what, as sipp's option `-t` says it: one socket for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Udp,
    Tcp,
}

/// What somebody does.
#[derive(Clone, Debug)]
pub(crate) struct Play<'a> {
    pub(crate) scenario: &'a str,
    pub(crate) party: &'a Party,
    /// Another one than its own.
    pub(crate) password: Option<&'a str>,
    pub(crate) over: Over,
    /// Whom it calls.
    pub(crate) number: &'a str,
    /// The address of media that it is to be given.
    pub(crate) given: &'a str,
    /// How often, and how often in a second.
    pub(crate) calls: u32,
    pub(crate) rate: u32,
}

impl<'a> Play<'a> {
    /// Once, over UDP.
    pub(crate) fn once(scenario: &'a str, party: &'a Party) -> Self {
        Self {
            scenario,
            party,
            password: None,
            over: Over::Udp,
            number: "",
            given: "",
            calls: 1,
            rate: 10,
        }
    }

    pub(crate) fn over(self, over: Over) -> Self {
        Self { over, ..self }
    }

    pub(crate) fn to(self, number: &'a str) -> Self {
        Self { number, ..self }
    }

    pub(crate) fn given(self, given: &'a str) -> Self {
        Self { given, ..self }
    }

    pub(crate) fn many(self, calls: u32, rate: u32) -> Self {
        Self {
            calls,
            rate,
            ..self
        }
    }

    /// Begins; who is called listens when this returns.
    pub(crate) fn start(&self) -> Sipp {
        let files = tempfile::tempdir().unwrap();
        let scenario = files.path().join("scenario.xml");
        fs::write(&scenario, self.text()).unwrap();
        let mut sipp = Sipp {
            process: self.process(files.path(), &scenario),
            files,
            what: format!("{} by {}", self.scenario, self.party.number),
        };
        let at = SocketAddrV4::new(self.party.address, self.port());
        sipp.wait_listening(&self.party.ns, self.over, at);
        sipp
    }

    /// Plays it to its end.
    pub(crate) fn run(&self) {
        self.start().finish();
    }

    fn port(&self) -> u16 {
        self.party.ports + 10
    }

    fn process(&self, files: &Path, scenario: &Path) -> Process {
        let Party {
            ns,
            address,
            switch,
            ports,
            ..
        } = self.party;
        let messages = if self.calls == 1 { "-trace_msg" } else { "" };
        let file = |name: &str| files.join(name).to_str().unwrap().to_owned();
        let line = format!(
            "{switch}:{SIP} -sf {scenario} -i {address} -p {port} -mi {address} -mp {media} \
             -t {over} -m {calls} -r {rate} -nostdin -trace_err -error_file {errors} {messages} \
             -message_file {messages_file} -timeout 50s -timeout_error -recv_timeout 20000",
            scenario = scenario.display(),
            port = self.port(),
            media = ports + 20,
            over = match self.over {
                Over::Udp => "u1",
                Over::Tcp => "t1",
            },
            calls = self.calls,
            rate = self.rate,
            errors = file("errors"),
            messages_file = file("messages"),
        );
        let words: Vec<&str> = line.split_whitespace().collect();
        Process::start(ns, Path::new("sipp"), &words, &files.join("screen")).unwrap()
    }

    fn text(&self) -> String {
        let read = |name: &str| fs::read_to_string(format!("{SCENARIOS}/{name}.xml")).unwrap();
        let mut text = read(self.scenario);
        for part in PARTS {
            text = text.replace(&format!("{{{part}}}"), &read(&format!("parts/{part}")));
        }
        let own = self.party.password();
        for (what, value) in [
            ("{me}", self.party.number),
            ("{password}", self.password.unwrap_or(&own)),
            ("{number}", self.number),
            ("{given}", &self.given.replace('.', "\\.")),
        ] {
            text = text.replace(what, value);
        }
        text
    }
}

/// It plays.
#[derive(Debug)]
pub(crate) struct Sipp {
    process: Process,
    files: TempDir,
    what: String,
}

impl Sipp {
    /// Waits until all is played, as written.
    pub(crate) fn finish(mut self) {
        let status = self.process.wait(LONG).unwrap();
        assert!(status.success(), "{}: {status}\n{}", self.what, self.told());
    }

    /// Waits until it has failed; why.
    pub(crate) fn fail(mut self) -> String {
        let status = self.process.wait(LONG).unwrap();
        assert_eq!(status.code(), Some(1), "{}: {}", self.what, self.told());
        self.told()
    }

    fn told(&self) -> String {
        let read = |name| {
            let path: PathBuf = self.files.path().join(name);
            fs::read_to_string(path).unwrap_or_default()
        };
        let screen = self.process.log();
        let last = screen.len().saturating_sub(2000);
        let screen = screen.get(last..).unwrap_or_default();
        format!("{}\n{}\n{screen}", read("errors"), read("messages"))
    }

    fn wait_listening(&mut self, ns: &Namespace, over: Over, at: SocketAddrV4) {
        let kind = match over {
            Over::Udp => "-Hlun",
            Over::Tcp => "-Hltn",
        };
        eventually(LONG, || {
            if let Ok(Some(_)) = self.process.exited() {
                return Ok(());
            }
            let mut ss = ns.command("ss");
            let ss = ss.args([kind, "sport", "=", &format!(":{}", at.port())]);
            let output = ss.stdin(Stdio::null()).output();
            let output = output.map_err(|why| why.to_string())?;
            match String::from_utf8_lossy(&output.stdout).contains(&at.to_string()) {
                true => Ok(()),
                false => Err(format!("{} does not listen at {at}", self.what)),
            }
        })
        .unwrap();
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- sipp, {}\n{}", self.what, self.told());
        }
    }
}
