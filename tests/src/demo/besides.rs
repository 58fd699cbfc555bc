//! What a gateway does for packets that no call has asked for.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};

use super::Shown;
use crate::packet::udp;
use crate::site::REMOTE;
use crate::traffic::{Injector, UdpEcho, exchange};
use crate::two_sites::files::{SUBSCRIBERS, Side, Subscriber};
use crate::two_sites::uplinks::Flow;
use crate::two_sites::{Hosted, PUBLIC_A};
use crate::wait::eventually;

type Step = fn(&mut Hosted) -> Result<Shown>;

pub(super) const ALL: &[Step] = &[reachable, hairpin, foreign_port];

const WAIT: Duration = Duration::from_secs(10);
const A1: &Subscriber = &SUBSCRIBERS[0];
const A2: &Subscriber = &SUBSCRIBERS[1];

/// A port of a phone's range that it does not use itself, counted from the last.
const fn spare(phone: &Subscriber, count: u16) -> u16 {
    *phone.ports.end() - count
}

fn reachable(hosted: &mut Hosted) -> Result<Shown> {
    let port = spare(A2, 0);
    let echo = UdpEcho::start(&hosted.host(A2).ns, SocketAddrV4::new(A2.private(), port))?;
    let to = SocketAddrV4::new(PUBLIC_A, port);
    let stranger = SocketAddrV4::new(REMOTE, 7078);
    let (_, from) = exchange(&hosted.sites.internet.ns, stranger, to, b"RTP", WAIT)?;
    let seen = echo.seen();
    let expected = seen == [stranger.into()] && from == to.into();
    Ok(Shown {
        what: format!("a stranger sends to {to}, where a2 has never sent from"),
        saw: format!("a2 has it from {seen:?}; the answer came from {from}"),
        wrong: complain(expected, "it should be a2's, from the stranger"),
    })
}

fn hairpin(hosted: &mut Hosted) -> Result<Shown> {
    let (one, other) = (spare(A1, 1), spare(A2, 1));
    let echo = UdpEcho::start(&hosted.host(A2).ns, SocketAddrV4::new(A2.private(), other))?;
    let to = SocketAddrV4::new(PUBLIC_A, other);
    let local = SocketAddrV4::new(A1.private(), one);
    let (_, from) = exchange(&hosted.host(A1).ns, local, to, b"RTP", WAIT)?;
    let seen = echo.seen();
    let expected = SocketAddrV4::new(PUBLIC_A, one);
    let right = seen == [expected.into()] && from == to.into();
    Ok(Shown {
        what: "a1 sends to a2's public address all the same: both ends are translated in one pass"
            .to_owned(),
        saw: format!("a2 has it from {seen:?}; the answer came from {from}"),
        wrong: complain(right, "both should see each other's public address"),
    })
}

fn foreign_port(hosted: &mut Hosted) -> Result<Shown> {
    /// Not of anybody's range.
    const FOREIGN: u16 = 1234;
    let before = refused(hosted)?;
    hosted.uplinks.take()?;
    let phone = hosted.host(A1).interface.clone();
    let router = hosted.sites.a.inside[0].router.mac;
    let own = spare(A1, 2);
    // One of its range behind it: once that is seen, the first would have been.
    for port in [FOREIGN, own] {
        let frame = udp(A1.private(), port, REMOTE, 9).macs(phone.mac, router);
        Injector::new(&phone)?.send(&frame.bytes())?;
    }
    let mut seen: BTreeMap<Flow, u64> = BTreeMap::new();
    let there = |seen: &BTreeMap<Flow, u64>, port: u16| {
        let mut flows = seen.keys();
        flows.any(|(from, to)| from.port() == port && *to.ip() == REMOTE)
    };
    let waited = eventually(WAIT, || {
        let [at_a, _] = hosted.uplinks.take().map_err(|why| format!("{why:#}"))?;
        seen.extend(at_a.media);
        match there(&seen, own) {
            true => Ok(()),
            false => Err(format!("port {own} has not passed the uplink: {seen:?}")),
        }
    });
    waited.map_err(|why| anyhow!(why))?;
    let leaked = there(&seen, FOREIGN);
    let counted = refused(hosted)? - before;
    Ok(Shown {
        what: format!("a1 sends from port {FOREIGN}, which is not its own"),
        saw: format!(
            "{} at the uplink; counted as source_port_out_of_range: {counted}",
            if leaked { "it was seen" } else { "nothing" },
        ),
        wrong: complain(!leaked && counted == 1, "it should be dropped and counted"),
    })
}

/// Packets that gateway A has dropped since they came from a port of nobody's.
fn refused(hosted: &mut Hosted) -> Result<u64> {
    let counters = hosted.gateway(Side::A).ctl(&["counters", "-o", "json"])?;
    let counters = counters.json()?;
    let interfaces = counters.as_array().context("no array")?.iter();
    let reasons = interfaces.filter_map(|of| of["reasons"].as_array());
    let of_port = reasons
        .flatten()
        .filter(|of| of["reason"] == "source_port_out_of_range");
    Ok(of_port.filter_map(|of| of["packets"].as_u64()).sum())
}

fn complain(right: bool, what: &str) -> Vec<String> {
    (!right).then(|| what.to_owned()).into_iter().collect()
}
