//! Phones that are registered, whatever they speak.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use dhcp::MacAddr;
use megaco::TerminationId;
use switch::dial_plan::Number;
use switch::registration::{Registration, Service, Transport};
use switch::settings::Owner;
use switch::sip::{Account, Device};
use switch::{Switch, Time};

use super::calls::served;
use super::server::Failure;
use super::types::{Line, Phone};
use crate::run::{Shared, time_text};

pub(super) async fn phones(State(shared): State<Shared>) -> Result<Json<Vec<Phone>>, Failure> {
    let mut gateway = shared.lock();
    let switch = &served(&mut gateway)?.switch;
    let gateways = switch.registrations();
    let mut all: Vec<Phone> = gateways
        .map(|(registration, heard)| media_gateway(switch, registration, heard))
        .collect();
    let numbers = Numbers::of(switch);
    for account in switch.accounts() {
        let lines = numbers.lines(account);
        let devices = account.devices.iter();
        all.extend(devices.map(|device| sip_phone(account, device, lines.clone())));
    }
    Ok(Json(all))
}

fn media_gateway(switch: &Switch, registration: &Registration, heard: Time) -> Phone {
    let number = |line: &TerminationId| {
        let number = switch.number(registration, line);
        number.map(ToString::to_string)
    };
    let lines = switch.lines_of(&registration.id);
    let lines = lines.map(|(line, state)| Line {
        termination: Some(line.as_str().to_owned()),
        number: number(line),
        state: state.to_owned(),
    });
    Phone {
        protocol: "h248".to_owned(),
        gateway: Some(registration.id.to_string()),
        user: None,
        address: registration.peer.address.into(),
        transport: match registration.peer.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        }
        .to_owned(),
        public: registration.place.public,
        private: registration.place.private,
        mac: registration.mac.map(|mac| MacAddr(mac).to_string()),
        version: Some(registration.version),
        profile: registration.profile.clone(),
        agent: None,
        service: match registration.service {
            Service::Up => "up",
            Service::Leaving => "leaving",
            Service::Down => "down",
        }
        .to_owned(),
        lines: lines.collect(),
        registered: time_text(registration.since),
        heard: Some(time_text(heard.as_secs())),
        expires: None,
    }
}

fn sip_phone(account: &Account, device: &Device, lines: Vec<Line>) -> Phone {
    let Device { binding, place, .. } = device;
    Phone {
        protocol: "sip".to_owned(),
        gateway: None,
        user: Some(account.user.clone()),
        address: binding.source.address,
        transport: binding.source.transport.param().to_owned(),
        public: place.public,
        private: place.private,
        mac: device.mac.map(|mac| MacAddr(mac).to_string()),
        version: None,
        profile: None,
        agent: binding.agent.clone(),
        service: "up".to_owned(),
        lines,
        registered: time_text(device.since),
        heard: None,
        expires: Some(time_text(binding.expires.as_secs())),
    }
}

/// Numbers of users, looked up once for all of them.
struct Numbers<'s> {
    of: BTreeMap<&'s str, Vec<&'s Number>>,
    in_calls: BTreeSet<String>,
}

impl<'s> Numbers<'s> {
    fn of(switch: &'s Switch) -> Self {
        let mut of: BTreeMap<&str, Vec<&Number>> = BTreeMap::new();
        for line in &switch.settings().lines {
            if let Owner::User(user) = &line.owner {
                of.entry(user).or_default().push(&line.number);
            }
        }
        let calls = switch.calls();
        let ends = calls.flat_map(|call| [Some(call.caller), call.called]);
        Self {
            of,
            in_calls: ends.flatten().filter_map(|end| end.number).collect(),
        }
    }

    /// Which of a user's phones a call is with is not told.
    fn lines(&self, account: &Account) -> Vec<Line> {
        let numbers = self.of.get(account.user.as_str());
        let numbers = numbers.into_iter().flatten();
        let line = |number: &&Number| {
            let busy = self.in_calls.contains(number.as_str());
            Line {
                termination: None,
                number: Some(number.to_string()),
                state: if busy { "call" } else { "idle" }.to_owned(),
            }
        };
        numbers.map(line).collect()
    }
}
