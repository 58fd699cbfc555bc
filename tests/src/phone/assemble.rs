//! From all that is known of a phone to the phone: what the definition says goes before what its
//! file says, and that before what its lease says.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::boot::{Account, Lease, PhoneFile};
use super::definition::{Definition, Speaks};
use super::device::{Device, Habits, Protocol};
use super::ports::Range;
use super::random::Random;
use super::streams::{Common, Streams};
use super::{h248, sip};

/// Tones of phones that were given none: 400 Hz and up in steps of 20 Hz, then again.
const TONES: usize = 150;

/// What a phone knows when it has booted.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) lease: Option<Lease>,
    pub(super) file: Option<PhoneFile>,
}

/// What is the same for all phones of a run, and which phone it is.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// The time since 1970 at moment zero of the clock.
    pub(super) epoch: Duration,
    pub(super) number: usize,
    pub(super) random: Random,
    pub(super) trace: bool,
}

impl Known {
    /// The phone's own address.
    pub(super) fn address(&self, definition: &Definition) -> Option<Ipv4Addr> {
        let given = definition.address.map(|(address, _)| address);
        given.or_else(|| self.lease.as_ref().map(|lease| lease.address))
    }

    /// Its ports.
    pub(super) fn ports(&self, definition: &Definition) -> Result<Option<Range>> {
        let leased = self.lease.as_ref().and_then(|lease| lease.ports);
        let told = self
            .file
            .as_ref()
            .and_then(|file| file.first_port.zip(file.last_port));
        if let (Some(leased), Some(told)) = (leased, told) {
            ensure!(
                leased == told,
                "the lease has ports {leased:?}, the file {told:?}"
            );
        }
        match definition.ports {
            Some(ports) => Ok(Some(ports)),
            None => told
                .or(leased)
                .map(|(first, last)| Range::new(first, last))
                .transpose(),
        }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.file.as_ref()?.variables.get(name).map(String::as_str)
    }

    /// The account of this name in its file; without a name the first one.
    fn account(&self, user: Option<&str>) -> Option<&Account> {
        let mut accounts = self.file.as_ref()?.accounts.iter();
        accounts.find(|account| user.is_none_or(|user| account.user == user))
    }

    /// The image that it is to fetch.
    pub(super) fn image(&self, definition: &Definition, file: Option<&str>) -> Option<String> {
        let leased = self
            .lease
            .as_ref()
            .and_then(|lease| lease.boot_file.as_deref());
        let named = definition
            .image
            .as_deref()
            .or_else(|| self.variable("image"))
            .or(leased);
        named
            .filter(|named| Some(*named) != file)
            .map(str::to_owned)
    }

    fn speaks(&self, definition: &Definition) -> Speaks {
        let told = match self.variable("protocol") {
            Some("sip") => Some(Speaks::Sip),
            Some("h248") => Some(Speaks::H248),
            _ => None,
        };
        // An account is SIP's.
        let usual = if definition.user.is_some() || self.account(None).is_some() {
            Speaks::Sip
        } else {
            Speaks::H248
        };
        definition.speaks.or(told).unwrap_or(usual)
    }

    fn switches(&self, definition: &Definition, speaks: Speaks) -> Vec<SocketAddrV4> {
        let given = definition.switches.iter().flatten();
        let given: Vec<SocketAddrV4> = given
            .map(|(address, port)| SocketAddrV4::new(*address, port.unwrap_or(speaks.port())))
            .collect();
        let told = self.file.as_ref().map(|file| match speaks {
            Speaks::Sip if !file.accounts.is_empty() => file.registrars(),
            _ => file.switches(speaks.port()),
        });
        let leased = self.lease.as_ref().map(|lease| lease.switches.clone());
        let all = [Some(given), told, leased].into_iter().flatten();
        all.into_iter()
            .find(|switches| !switches.is_empty())
            .unwrap_or_default()
    }
}

/// A phone that has not started yet.
pub(super) fn assemble(definition: &Definition, known: &Known, run: Run) -> Result<Device> {
    let address = known.address(definition).context("it has no address")?;
    let ports = known
        .ports(definition)?
        .context("it has no ports: neither its lease nor its definition says which")?;
    let speaks = known.speaks(definition);
    let switches = known.switches(definition, speaks);
    ensure!(!switches.is_empty(), "it knows no switch");
    let mut random = run.random;
    let tone = 400 + 20 * (run.number % TONES) as u16;
    let common = Common {
        address,
        ports,
        tone_hz: definition.tone.unwrap_or(tone),
        mute: definition.mute,
        name: definition.name.clone(),
        epoch: run.epoch,
    };
    let streams = Streams::new(common, Random::new(random.next()));
    let habits = Habits {
        answer: definition.answer,
        hang_up: definition.hang_up,
    };
    let (protocol, lines) = match speaks {
        Speaks::H248 => {
            let settings = h248::Settings {
                switches,
                lines: definition.lines.clone(),
                mid: definition.mid.clone(),
                version: definition.version,
                patience: definition.patience,
                digit_time: definition.digit_time,
                trace: run.trace,
            };
            let lines = settings.lines.len();
            (
                Protocol::H248(Box::new(h248::Gateway::new(settings, streams, random))),
                lines,
            )
        }
        Speaks::Sip => {
            let user = definition.user.as_deref();
            let account = known.account(user);
            let told = || account.map(|account| account.user.as_str());
            let user = user.or_else(told).or_else(|| known.variable("account"));
            let told = || account.map(|account| account.password.as_str());
            let password = definition.password.as_deref().or_else(told);
            let password = password.or_else(|| known.variable("password"));
            let settings = sip::Settings {
                switches,
                user: user.context("it has no account: user=")?.to_owned(),
                password: password.unwrap_or_default().to_owned(),
                domain: definition.domain.clone(),
                expires: definition.expires,
                t1: definition.t1,
                trace: run.trace,
            };
            (
                Protocol::Sip(Box::new(sip::Phone::new(settings, streams, random))),
                1,
            )
        }
    };
    Ok(Device::new(protocol, habits, lines))
}
