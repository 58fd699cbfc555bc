//! What a reply says, and where it goes.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use dhcproto::v4::MessageType;
use ports::Grant;

use super::Server;
use super::hear::{Heard, Subject};
use crate::counters::{Answer, Event, Kind};
use crate::output::{Destination, Output};
use crate::settings::{Class, LeaseTime, Scope};
use crate::site::mask;
use crate::wire::code;
use crate::wire::reply::{Opt, Reply, Room};
use crate::wire::request::BROADCAST;
use crate::wire::vendor::{Told, port_parameters, sub_options, vendor_identifying};

/// A lease is not made shorter than this because its client wishes it, seconds: each one is
/// written to disk.
const SHORTEST_WISH: u32 = 120;

/// What a client is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) answer: Answer,
    /// Unspecified: the client has an address.
    pub(super) yiaddr: Ipv4Addr,
    pub(super) scope: usize,
    pub(super) grant: Option<Grant>,
    /// `None`: there is no lease.
    pub(super) time: Option<LeaseTime>,
}

/// Options that are said by the exchange itself, not by settings.
const PROTOCOL: &[u8] = &[
    code::PAD,
    code::REQUESTED_ADDRESS,
    code::LEASE_TIME,
    code::OVERLOAD,
    code::MESSAGE_TYPE,
    code::SERVER_IDENTIFIER,
    code::PARAMETER_LIST,
    code::MESSAGE,
    code::MESSAGE_SIZE,
    code::RENEWAL_TIME,
    code::REBINDING_TIME,
    code::CLIENT_IDENTIFIER,
    code::RELAY_INFORMATION,
    code::SUBNET_SELECTION,
    code::END,
];

/// Options that are sent even to clients that do not ask for them, if there is something to say.
const UNASKED: &[u8] = &[
    code::SUBNET_MASK,
    code::ROUTER,
    code::VENDOR_SPECIFIC,
    code::VENDOR_IDENTIFYING,
];

/// Where values of options come from.
struct Sources<'a> {
    scope: &'a Scope,
    class: Option<&'a Class>,
    reserved: &'a [(u8, Vec<u8>)],
    grant: Option<Grant>,
    asks_159: bool,
}

impl<'a> Sources<'a> {
    fn all_configured(&self) -> impl Iterator<Item = &'a (u8, Vec<u8>)> {
        let class = self.class.map_or(&[][..], |class| &class.options);
        self.reserved.iter().chain(class).chain(&self.scope.options)
    }

    fn configured(&self, code: u8) -> Option<Cow<'a, [u8]>> {
        let found = self.all_configured().find(|(found, _)| *found == code);
        found.map(|(_, value)| Cow::Borrowed(value.as_slice()))
    }

    fn boot_file(&self) -> Option<&'a str> {
        let class = self.class.and_then(|class| class.boot_file.as_deref());
        class.or(self.scope.boot_file.as_deref())
    }

    fn told(&self) -> Vec<u8> {
        sub_options(Told {
            grant: self.grant,
            primary: self.class.and_then(|class| class.primary_switch),
            backup: self.class.and_then(|class| class.backup_switch),
        })
    }

    /// Ours, then what is configured besides.
    fn with_configured(&self, code: u8, mut ours: Vec<u8>) -> Option<Cow<'a, [u8]>> {
        ours.extend_from_slice(&self.configured(code).unwrap_or_default());
        (!ours.is_empty()).then_some(Cow::Owned(ours))
    }

    fn value(&self, code: u8) -> Option<Cow<'a, [u8]>> {
        let next_server = self.scope.next_server;
        match code {
            code::VENDOR_SPECIFIC if self.class.is_some_and(|class| class.vendor_options) => {
                self.with_configured(code, self.told())
            }
            code::VENDOR_IDENTIFYING if self.class.is_some_and(|c| c.enterprise.is_some()) => {
                let enterprise = self.class.and_then(|class| class.enterprise)?;
                self.with_configured(code, vendor_identifying(enterprise, &self.told()))
            }
            code::PORT_PARAMETERS => {
                let grant = self
                    .grant
                    .filter(|_| self.scope.option_159 && self.asks_159)?;
                Some(port_parameters(grant.ports).to_vec().into())
            }
            code::SUBNET_MASK => self
                .configured(code)
                .or_else(|| Some(mask(self.scope.network).octets().to_vec().into())),
            code::TFTP_SERVER => self
                .configured(code)
                .or_else(|| Some(next_server?.to_string().into_bytes().into())),
            code::TFTP_ADDRESSES => self
                .configured(code)
                .or_else(|| Some(next_server?.octets().to_vec().into())),
            code::BOOT_FILE => self
                .configured(code)
                .or_else(|| Some(self.boot_file()?.as_bytes().into())),
            _ => self.configured(code),
        }
    }

    /// All that there is to say, for clients that do not say what they want.
    fn codes(&self) -> Vec<u8> {
        let own = [code::TFTP_SERVER, code::BOOT_FILE, code::TFTP_ADDRESSES];
        let configured = self.all_configured().map(|(code, _)| *code);
        UNASKED
            .iter()
            .copied()
            .chain(configured)
            .chain(own)
            .collect()
    }
}

impl Server {
    /// How long a lease of this client would last.
    pub(super) fn lease_time(
        &self,
        heard: &Heard<'_>,
        subject: &Subject,
        scope: usize,
    ) -> LeaseTime {
        if heard.request.kind == Kind::Bootp {
            // RFC 1534 section 2: it would not know of an end.
            return LeaseTime::Infinite { update: None };
        }
        let class = self
            .site
            .class(subject.class)
            .and_then(|class| class.lease_time);
        match class.unwrap_or(self.site.scope(scope).lease_time) {
            LeaseTime::Finite(most) => {
                let wish = heard.request.lease_time().unwrap_or(most);
                LeaseTime::Finite(wish.max(SHORTEST_WISH).min(most))
            }
            infinite => infinite,
        }
    }

    /// The reply that says this; it is counted.
    pub(super) fn reply(&mut self, heard: &Heard<'_>, subject: &Subject, terms: &Terms) -> Output {
        let (payload, dropped) = self.compose(heard, subject, terms).encode();
        self.counters.count_answered(terms.answer);
        if dropped {
            self.counters.count(Event::OptionsDropped);
        }
        self.output(heard, destination(heard, terms.yiaddr), payload)
    }

    fn output(&self, heard: &Heard<'_>, to: Destination, payload: Vec<u8>) -> Output {
        let destination = heard.received.destination;
        let own = self.site.is_own(destination).then_some(destination);
        let interface = heard.received.interface;
        Output::Reply {
            interface,
            from: own.unwrap_or(self.site.settings.interfaces[interface].address),
            to,
            payload,
        }
    }

    fn compose<'a>(&'a self, heard: &'a Heard<'_>, subject: &Subject, terms: &Terms) -> Reply<'a> {
        let request = &heard.request;
        let scope = self.site.scope(terms.scope);
        let reservation = self.reservations.get(subject.reservation);
        let sources = Sources {
            scope,
            class: self.site.class(subject.class),
            reserved: reservation.map_or(&[], |reservation| &reservation.options),
            grant: terms.grant,
            asks_159: request.asks_for(code::PORT_PARAMETERS),
        };
        let is_bootp = request.kind == Kind::Bootp;
        let mut options = Vec::with_capacity(24);
        if !is_bootp {
            let kind = match terms.answer {
                Answer::Offer => MessageType::Offer,
                _ => MessageType::Ack,
            };
            options.push(Opt::new(code::MESSAGE_TYPE, vec![kind.into()]));
            options.push(Opt::new(
                code::SERVER_IDENTIFIER,
                heard.server.octets().to_vec(),
            ));
            times(terms.time, &mut options);
        }
        if !is_bootp || request.has_options {
            wanted(request.parameters(), &sources, &mut options);
        }
        echo(heard, &mut options);
        Reply {
            hops: request.hops(),
            xid: request.xid(),
            flags: request.flags(),
            ciaddr: match terms.answer {
                Answer::Offer => Ipv4Addr::UNSPECIFIED,
                _ => request.ciaddr(),
            },
            yiaddr: terms.yiaddr,
            siaddr: scope.next_server.unwrap_or(heard.server),
            giaddr: request.giaddr(),
            hardware: request.hardware,
            file: sources.boot_file().unwrap_or_default().as_bytes(),
            options,
            room: match is_bootp {
                true => Room::Bootp,
                false => Room::Datagram(request.datagram()),
            },
        }
    }

    /// Sends a NAK (RFC 2131 section 4.3.2).
    pub(super) fn refuse(&mut self, heard: &Heard<'_>, text: &'static str) {
        self.drop_offer(heard);
        let request = &heard.request;
        let mut options = vec![
            Opt::new(code::MESSAGE_TYPE, vec![MessageType::Nak.into()]),
            Opt::new(code::SERVER_IDENTIFIER, heard.server.octets().to_vec()),
            Opt::new(code::MESSAGE, text.as_bytes()),
        ];
        echo(heard, &mut options);
        let relayed = request.is_relayed();
        let reply = Reply {
            hops: request.hops(),
            xid: request.xid(),
            // A client that is refused has no address that a relay could send to.
            flags: request.flags() | if relayed { BROADCAST } else { 0 },
            ciaddr: Ipv4Addr::UNSPECIFIED,
            yiaddr: Ipv4Addr::UNSPECIFIED,
            siaddr: Ipv4Addr::UNSPECIFIED,
            giaddr: request.giaddr(),
            hardware: request.hardware,
            file: &[],
            options,
            room: Room::Datagram(request.datagram()),
        };
        let (payload, _) = reply.encode();
        self.counters.count_answered(Answer::Nak);
        let to = match relayed {
            true => Destination::Relay(request.giaddr()),
            false => self.refused_where(heard),
        };
        let output = self.output(heard, to, payload);
        self.outputs.push_back(output);
    }

    /// On broadcast, but for a client behind a router: no broadcast of ours gets there.
    fn refused_where(&self, heard: &Heard<'_>) -> Destination {
        let ciaddr = heard.request.ciaddr();
        let here = self.site.interface_link(heard.received.interface);
        let there = self
            .site
            .scope_of(ciaddr)
            .map(|scope| self.site.link_of(scope));
        match there {
            Some(link) if Some(link) != here && self.site.is_own(heard.received.destination) => {
                Destination::Unicast(ciaddr)
            }
            _ => Destination::Broadcast,
        }
    }
}

/// Lease time, T1 and T2 (RFC 2131 section 4.4.5: half, and seven eighths).
fn times(time: Option<LeaseTime>, options: &mut Vec<Opt<'_>>) {
    let mut put = |code, seconds: u32| {
        options.push(Opt::new(code, seconds.to_be_bytes().to_vec()));
    };
    match time {
        None => {}
        Some(LeaseTime::Finite(seconds)) => {
            put(code::LEASE_TIME, seconds);
            put(code::RENEWAL_TIME, seconds / 2);
            put(code::REBINDING_TIME, seconds - seconds / 8);
        }
        Some(LeaseTime::Infinite { update }) => {
            put(code::LEASE_TIME, u32::MAX);
            if let Some(update) = update {
                put(code::RENEWAL_TIME, update);
                put(code::REBINDING_TIME, update.saturating_add(update / 4 * 3));
            }
        }
    }
}

/// What the client asks for in its order, then what it gets in any case.
fn wanted<'a>(parameters: Option<&[u8]>, sources: &Sources<'a>, options: &mut Vec<Opt<'a>>) {
    let mut seen = [false; 256];
    for code in PROTOCOL {
        seen[usize::from(*code)] = true;
    }
    let codes = parameters.map_or_else(|| sources.codes().into(), Cow::Borrowed);
    for code in codes.iter().chain(UNASKED) {
        let seen = &mut seen[usize::from(*code)];
        if !std::mem::replace(seen, true)
            && let Some(value) = sources.value(*code)
            // Nothing is how a class or a reservation takes an option out.
            && !value.is_empty()
        {
            options.push(Opt::new(*code, value));
        }
    }
}

/// What goes back as it came: option 61 (RFC 6842), 118 (RFC 3011), 82 (RFC 3046).
fn echo<'a>(heard: &'a Heard<'_>, options: &mut Vec<Opt<'a>>) {
    for code in [
        code::CLIENT_IDENTIFIER,
        code::SUBNET_SELECTION,
        code::RELAY_INFORMATION,
    ] {
        if let Some(value) = heard.request.option(code)
            && !value.is_empty()
        {
            options.push(Opt::new(code, value));
        }
    }
}

/// RFC 2131 section 4.1: the relay, the address it has, broadcast if it wants that, its hardware.
fn destination(heard: &Heard<'_>, yiaddr: Ipv4Addr) -> Destination {
    let request = &heard.request;
    if request.is_relayed() {
        return Destination::Relay(request.giaddr());
    }
    if !request.ciaddr().is_unspecified() {
        return Destination::Unicast(request.ciaddr());
    }
    if request.kind == Kind::Inform {
        return Destination::Unicast(*heard.received.source.ip());
    }
    match request.hardware.mac() {
        Some(mac) if request.flags() & BROADCAST == 0 => Destination::Hardware { mac, ip: yiaddr },
        _ => Destination::Broadcast,
    }
}
