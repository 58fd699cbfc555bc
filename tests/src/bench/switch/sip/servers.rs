//! The gateway and Kamailio, with the same users and the same password.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use gateway_tests::process::Process;
use gateway_tests::site;
use gateway_tests::wait::eventually;

use super::super::gateway;
use super::super::place::{Place, SWITCH, phone_line};

/// Of all users.
pub(super) const PASSWORD: &str = "correct horse";
const SOON: Duration = Duration::from_secs(10);

/// Which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// This project: each registration on disk before it is answered.
    Gateway,
    /// Two workers, users in memory.
    Kamailio,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Kamailio => "Kamailio",
        }
    }
}

/// A server that answers, in its place.
#[derive(Debug)]
pub(super) struct Running {
    kind: Kind,
    place: Place,
    _program: Program,
}

#[derive(Debug)]
enum Program {
    Gateway { _daemon: site::Gateway },
    Kamailio { _process: Process },
}

impl Running {
    pub(super) fn start(kind: Kind, phones: u32) -> Result<Self> {
        let place = Place::new(kind.name())?;
        let program = match kind {
            Kind::Gateway => Program::Gateway {
                _daemon: gateway::start(&place, 0, &users(phones)?)?,
            },
            Kind::Kamailio => Program::Kamailio {
                _process: kamailio(&place)?,
            },
        };
        Ok(Self {
            kind,
            place,
            _program: program,
        })
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }
}

/// What the gateway is told of SIP.
fn users(phones: u32) -> Result<String> {
    let mut text = String::from("[sip]\n");
    for phone in 0..phones {
        let number = phone_line(phone);
        writeln!(
            text,
            "[[line]]\nnumber = \"{number}\"\npassword = \"{PASSWORD}\""
        )?;
    }
    Ok(text)
}

fn kamailio(place: &Place) -> Result<Process> {
    let text = include_str!("../peers/kamailio.cfg");
    let text = text.replace("ADDRESS", &SWITCH.to_string());
    let text = text.replace("PASSWORD", PASSWORD);
    let file = place.file("kamailio.cfg");
    std::fs::write(&file, text)?;
    let folder = place.file("");
    // In the foreground; 512 MB for all, 16 for each worker.
    let words = ["-DD", "-f", &file, "-m", "512", "-M", "16", "-Y", &folder];
    let program = Path::new("/usr/sbin/kamailio");
    let log = place.directory.path().join("log");
    let process = Process::start(&place.switch, program, &words, &log)?;
    let listens = || {
        let open = place.switch.run(&["ss", "-Hlun", "sport = :5060"]);
        let open = open.map_err(|error| error.to_string())?;
        (!open.trim().is_empty()).then_some(()).ok_or(open)
    };
    eventually(SOON, listens).map_err(|_| anyhow!("Kamailio:\n{}", process.log()))?;
    Ok(process)
}
