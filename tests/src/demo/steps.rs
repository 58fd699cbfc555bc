//! The steps: each sends real traffic and says what the other end saw.

use std::net::SocketAddrV4;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::Shown;
use crate::dhcp::client::{Program, Spec};
use crate::link::mac_of;
use crate::packet::{check, udp};
use crate::site::{Gateway, REMOTE, ROUTER_OUTSIDE, Site};
use crate::traffic::{Capture, Injector, Ping, Stream, StreamSpec, Transfer, UdpEcho, exchange};
use crate::wait::Deadline;

type Step = fn(&Site, &mut Gateway) -> Result<Shown>;

pub(super) const ALL: &[Step] = &[
    lease,
    port_is_kept,
    reachable_from_anywhere,
    file_transfer,
    hairpin,
    ping,
    foreign_port,
    kill,
];

const PUBLIC: [u8; 4] = [192, 0, 2, 1];
const WAIT: Duration = Duration::from_secs(10);

fn lease(site: &Site, gateway: &mut Gateway) -> Result<Shown> {
    let phone = site.phone(3);
    phone.ns.ip("address flush dev eth0")?;
    let spec = Spec::new(Program::Udhcpc).vendor_class("MyPhone 1.0");
    let lease = spec.start(&phone.interface)?.bound(WAIT)?;
    let all = gateway.ctl(&["leases", "show", &lease.address.to_string(), "-o", "json"])?;
    let shown = &all.json()?[0];
    let ports = shown["ports"].as_str().context("no ports")?;
    let first = ports.split('-').next().context("no port")?.parse()?;
    let server = SocketAddrV4::new(REMOTE, 5060);
    let echo = UdpEcho::start(&site.internet, server)?;
    let from = SocketAddrV4::new(lease.address, first);
    exchange(&phone.ns, from, server, b"REGISTER", WAIT)?;
    let seen = echo.seen();
    Ok(Shown {
        what: "phone 3 boots: DHCP leases it an address, and ports of its own with it",
        saw: format!(
            "{} with ports {ports} of 192.0.2.1; sent from {first}, the server saw {seen:?}",
            lease.address
        ),
        right: seen == [SocketAddrV4::new(PUBLIC.into(), first).into()],
    })
}

fn port_is_kept(site: &Site, _: &mut Gateway) -> Result<Shown> {
    let server = SocketAddrV4::new(REMOTE, 5060);
    let echo = UdpEcho::start(&site.internet, server)?;
    let phone = site.phone(1);
    exchange(&phone.ns, phone.at(40_010), server, b"REGISTER", WAIT)?;
    let seen = echo.seen();
    Ok(Shown {
        what: "phone 1 sends from 10.10.1.1:40010: the address is replaced, the port is not",
        saw: format!("the server saw {seen:?}"),
        right: seen
            .iter()
            .all(|seen| seen.to_string() == "192.0.2.1:40010")
            && !seen.is_empty(),
    })
}

fn reachable_from_anywhere(site: &Site, _: &mut Gateway) -> Result<Shown> {
    let phone = site.phone(2);
    let echo = UdpEcho::start(&phone.ns, phone.at(40_100))?;
    let (answer, from) = exchange(
        &site.internet,
        SocketAddrV4::new(REMOTE, 7078),
        SocketAddrV4::new(PUBLIC.into(), 40_100),
        b"RTP",
        WAIT,
    )?;
    Ok(Shown {
        what: "a stranger sends to 192.0.2.1:40100, where phone 2 said it would listen",
        saw: format!(
            "phone 2 got it from {:?}; its answer came from {from}",
            echo.seen()
        ),
        right: answer == b"RTP" && from.to_string() == "192.0.2.1:40100",
    })
}

fn file_transfer(site: &Site, _: &mut Gateway) -> Result<Shown> {
    let phone = site.phone(1);
    let remote = SocketAddrV4::new(REMOTE, 8080);
    let bytes = 16 << 20;
    let report = Transfer {
        client: &phone.ns,
        local: phone.at(40_020),
        remote,
        server: &site.internet,
        listen: remote,
        bytes,
    }
    .run(Duration::from_secs(60))?;
    Ok(Shown {
        what: "16 MiB of TCP each way, compared by SHA-256",
        saw: format!("equal; the server saw {}", report.client_seen_as),
        right: report.client_seen_as.to_string() == "192.0.2.1:40020",
    })
}

fn hairpin(site: &Site, _: &mut Gateway) -> Result<Shown> {
    let (one, two) = (site.phone(1), site.phone(2));
    let echo = UdpEcho::start(&two.ns, two.at(40_070))?;
    let public = SocketAddrV4::new(PUBLIC.into(), 40_070);
    exchange(&one.ns, one.at(40_002), public, b"RTP", WAIT)?;
    let seen = echo.seen();
    Ok(Shown {
        what: "phone 1 calls phone 2 by its public address: both ends translated in one pass",
        saw: format!("phone 2 saw {seen:?}"),
        right: seen
            .iter()
            .all(|seen| seen.to_string() == "192.0.2.1:40002")
            && !seen.is_empty(),
    })
}

fn ping(site: &Site, _: &mut Gateway) -> Result<Shown> {
    let report = Ping::new(REMOTE).count(3).run(&site.phone(1).ns)?;
    Ok(Shown {
        what: "phone 1 pings the internet: the echo identifier becomes one of its range",
        saw: format!("{} of {} answers", report.received, report.sent),
        right: report.received == report.sent,
    })
}

fn foreign_port(site: &Site, gateway: &mut Gateway) -> Result<Shown> {
    let mut capture = Capture::start(&site.upstream)?;
    let phone = site.phone(1);
    let frame = udp(phone.address, 1234, REMOTE, 9)
        .payload(b"not mine")
        .macs(mac_of(phone.address), mac_of(site.inside[0].router_address));
    Injector::new(&phone.interface)?.send(&frame.bytes())?;
    // A packet of its range behind it: once that is there, the first would have been.
    let marker = udp(phone.address, 40_063, REMOTE, 9)
        .payload(b"mine")
        .macs(mac_of(phone.address), mac_of(site.inside[0].router_address));
    Injector::new(&phone.interface)?.send(&marker.bytes())?;
    let frames = capture.until(Deadline::after(WAIT), |frames| {
        frames
            .iter()
            .any(|frame| source_port(&frame.bytes) == Some(40_063))
    })?;
    let leaked = frames
        .iter()
        .any(|frame| source_port(&frame.bytes) == Some(1234));
    let counters = gateway.ctl(&["counters"])?.stdout;
    let counted = counters.contains("source_port_out_of_range");
    Ok(Shown {
        what: "phone 1 sends from port 1234, which is not its own",
        saw: format!(
            "{} at the uplink ({ROUTER_OUTSIDE}); {} as source_port_out_of_range",
            if leaked { "it was seen" } else { "nothing" },
            if counted { "counted" } else { "not counted" }
        ),
        right: !leaked && counted,
    })
}

fn source_port(frame: &[u8]) -> Option<u16> {
    match check(frame).ok()?.body {
        crate::packet::Body::Udp { source, .. } => Some(source),
        _ => None,
    }
}

fn kill(site: &Site, gateway: &mut Gateway) -> Result<Shown> {
    let phone = site.phone(1);
    let remote = SocketAddrV4::new(REMOTE, 30_000);
    let stream = Stream::start(&StreamSpec {
        sender: &phone.ns,
        local: phone.at(40_030),
        remote,
        receiver: &site.internet,
        listen: remote,
        rate: 1000,
        payload: 172,
    })?;
    stream.wait_sent(500, WAIT)?;
    gateway.kill9()?;
    stream.wait_sent(1500, WAIT)?;
    gateway.restart(Deadline::seconds(20)).context("restart")?;
    stream.wait_sent(2500, WAIT)?;
    let report = stream.stop(Duration::from_secs(5))?;
    Ok(Shown {
        what: "the controller is killed (kill -9) and restarted under 1,000 packets/s",
        saw: format!(
            "{} sent, {} received, {} lost, longest gap {} ms",
            report.sent,
            report.received,
            report.lost,
            report.longest_gap.as_millis()
        ),
        right: report.lost == 0,
    })
}
