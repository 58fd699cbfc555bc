//! baresip, a phone that knows nothing of gateways: it is given an account and its range of ports, as
//! provisioning would write them, and is told by its control socket what to do (module ctrl_tcp: JSON
//! in netstrings). It says a sine, and what it hears goes into a file.

use std::collections::VecDeque;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_tests::process::Process;
use gateway_tests::wait::{Deadline, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bed::{LONG, Party, TLS};

const MODULES: &str = "/usr/lib/baresip/modules";
/// Samples of a second, each of two octets, behind a head.
const RATE: usize = 8000;
const HEAD: usize = 44;

/// Over what it speaks SIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Udp,
    Tcp,
    Tls,
}

impl Over {
    fn port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// A phone that runs.
#[derive(Debug)]
pub(crate) struct Baresip {
    pub(crate) party: Party,
    process: Process,
    control: TcpStream,
    received: Vec<u8>,
    /// Events that nobody has asked for yet, and those that were.
    pending: VecDeque<Value>,
    events: Vec<Value>,
    files: TempDir,
    commands: u32,
}

impl Baresip {
    /// Switches it on; it registers by itself. It says a sine of so many hertz.
    pub(crate) fn start(party: &Party, over: Over, hz: u16) -> Self {
        Self::trusting(party, over, hz, &format!("{TLS}/ca.pem"))
    }

    /// With other roots of certificates.
    pub(crate) fn trusting(party: &Party, over: Over, hz: u16, roots: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let folder = files.path().to_str().unwrap();
        fs::write(
            files.path().join("config"),
            config(party, folder, hz, roots),
        )
        .unwrap();
        fs::write(files.path().join("accounts"), account(party, over)).unwrap();
        let words = ["-f", folder, "-s"];
        let log = files.path().join("log");
        let mut process = Process::start(&party.ns, Path::new("baresip"), &words, &log).unwrap();
        let control = eventually(LONG, || {
            let ended = process.exited().map_err(|why| why.to_string())?;
            let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, 4444));
            let connected = party.ns.enter(connect);
            connected.map_err(|why| format!("{why}, {ended:?}\n{}", process.log()))
        });
        Self {
            party: party.clone(),
            process,
            control: control.unwrap(),
            received: Vec::new(),
            pending: VecDeque::new(),
            events: Vec::new(),
            files,
            commands: 0,
        }
    }

    pub(crate) fn dial(&mut self, number: &str) {
        self.tell("dial", number);
    }

    /// Waits for the bell, and lifts the handset; what it says of the call.
    pub(crate) fn answer(&mut self) -> Value {
        let call = self.expect("CALL_INCOMING");
        self.tell("accept", "");
        call
    }

    pub(crate) fn hang_up(&mut self) {
        self.tell("hangup", "");
    }

    /// Waits for an event of this type, and all before it are passed over.
    pub(crate) fn expect(&mut self, kind: &str) -> Value {
        let deadline = Deadline::after(LONG);
        loop {
            let known = self.pending.pop_front();
            let event = known.unwrap_or_else(|| self.next(deadline, kind));
            self.events.push(event.clone());
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// Waits until it has heard so much of a sine: what is heard last is nothing else.
    pub(crate) fn hears(&self, hz: u16, time: Duration) {
        let samples = RATE * time.as_millis() as usize / 1000;
        let heard = || {
            let all = self.heard()?;
            let last = all
                .get(all.len().saturating_sub(RATE / 10)..)
                .unwrap_or_default();
            let (found, loud) = tone(last);
            let hz = usize::from(hz);
            match all.len() >= samples && loud && found.abs_diff(hz) <= 20 {
                true => Ok(()),
                false => Err(format!(
                    "{} samples, at last {found} Hz, not {hz}",
                    all.len()
                )),
            }
        };
        eventually(LONG, heard).unwrap_or_else(|why| panic!("{}: {why}", self.party.number));
    }

    /// All that it has heard in its last call.
    fn heard(&self) -> Result<Vec<i16>, String> {
        let path = self.file_of_heard().ok_or("it hears nothing")?;
        let bytes = fs::read(path).map_err(|why| why.to_string())?;
        let sound = bytes.get(HEAD..).unwrap_or_default();
        let pairs = sound.chunks_exact(2);
        Ok(pairs
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
            .collect())
    }

    fn file_of_heard(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(self.files.path()).ok()?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let heard = |path: &PathBuf| path.to_string_lossy().ends_with("-dec.wav");
        paths.filter(heard).max()
    }

    /// All that it has logged, with every message of SIP.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// Does something that needs no more words.
    pub(crate) fn press(&mut self, command: &str) {
        self.tell(command, "");
    }

    fn tell(&mut self, command: &str, parameters: &str) {
        self.commands += 1;
        let token = self.commands.to_string();
        let order = json!({"command": command, "params": parameters, "token": token}).to_string();
        let frame = format!("{}:{order},", order.len());
        self.control.write_all(frame.as_bytes()).unwrap();
        let deadline = Deadline::after(LONG);
        loop {
            let said = self.next(deadline, command);
            if said["token"] == token.as_str() {
                assert_eq!(said["ok"], true, "{command} {parameters}: {said}");
                return;
            }
            self.pending.push_back(said);
        }
    }

    fn next(&mut self, deadline: Deadline, what: &str) -> Value {
        loop {
            if let Some(value) = self.take() {
                return value;
            }
            let left = deadline.remaining();
            let left = left.unwrap_or_else(|| panic!("no {what}: {:#?}", self.events));
            self.control.set_read_timeout(Some(left)).unwrap();
            let mut buffer = [0; 4096];
            match self.control.read(&mut buffer) {
                Ok(0) => panic!("baresip has ended before {what}: {:#?}", self.events),
                Ok(length) => self.received.extend(&buffer[..length]),
                Err(why) if why.kind() == ErrorKind::WouldBlock => {}
                Err(why) => panic!("{what}: {why}"),
            }
        }
    }

    /// A whole netstring of what has come: `5:hello,`.
    fn take(&mut self) -> Option<Value> {
        let colon = self.received.iter().position(|byte| *byte == b':')?;
        let length: usize = std::str::from_utf8(&self.received[..colon])
            .unwrap()
            .parse()
            .unwrap();
        let (begin, end) = (colon + 1, colon + 1 + length);
        if self.received.len() <= end {
            return None;
        }
        let value = serde_json::from_slice(&self.received[begin..end]).unwrap();
        self.received.drain(..=end);
        Some(value)
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- baresip {}\n{}", self.party.number, self.log());
        }
    }
}

fn config(party: &Party, folder: &str, hz: u16, roots: &str) -> String {
    let Party { address, ports, .. } = party;
    let (first, last) = (ports + 4, ports + 63);
    let settings = format!(
        "sip_listen {address}:{ports}\nsip_cafile {roots}\nrtp_ports {first}-{last}\n\
         rtcp_mux no\naudio_player aubridge,ear\naudio_alert aubridge,bell\n\
         audio_source ausine,{hz}\nausrc_srate 48000\nausrc_channels 2\n\
         ringback_disabled yes\nmenu_bell no\nsnd_path {folder}\n\
         ctrl_tcp_listen 127.0.0.1:4444\nmodule_path {MODULES}\nmodule_tmp account.so\n"
    );
    let modules =
        ["g711", "sndfile", "aubridge", "ausine"].map(|name| format!("module {name}.so\n"));
    let more = ["menu", "ctrl_tcp"].map(|name| format!("module_app {name}.so\n"));
    settings + &modules.concat() + &more.concat()
}

fn account(party: &Party, over: Over) -> String {
    let Party { number, switch, .. } = party;
    let (password, port, way) = (party.password(), over.port(), over.name());
    format!(
        "<sip:{number}@sip.example;transport={way}>;auth_pass={password};regint=30;\
         outbound=\"sip:{switch}:{port};transport={way}\"\n"
    )
}

/// The frequency of a sine by how often it crosses zero in a tenth of a second; whether it is loud.
fn tone(samples: &[i16]) -> (usize, bool) {
    let pairs = samples.iter().zip(samples.iter().skip(1));
    let crossings = pairs.filter(|(one, other)| (**one < 0) != (**other < 0));
    let loud = samples.iter().any(|sample| sample.unsigned_abs() > 4000);
    (crossings.count() * 5, loud)
}
