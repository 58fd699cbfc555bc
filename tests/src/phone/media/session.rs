//! One stream both ways, on a pair of ports: RTP on an even one, RTCP on the next.
//!
//! What comes from anywhere but where the remote side said is counted apart: behind the gateway
//! both sides use the ports that they have told, so nothing else is right.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use serde::Serialize;

use super::codec::Codec;
use super::receiver::Receiver;
use super::rtcp::{Block, Compound, SenderInfo};
use super::rtp::Packet;
use super::sender::Sender;

/// Between reports, on average. RFC 3550 section 6.2 asks for 5 s where calls are long; in calls of
/// a few seconds there would be none. Two senders' reports stay below 1 % of 64 kbit/s.
const REPORTS: Duration = Duration::from_secs(1);
/// From 1900, where NTP begins, to 1970, in seconds.
const NTP_BEFORE_UNIX: u64 = 2_208_988_800;

/// What a stream is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The phone's own address.
    pub address: Ipv4Addr,
    /// RTP's port: even.
    pub port: u16,
    /// What the phone says, in Hz.
    pub tone_hz: u16,
    /// It says nothing: neither RTP nor reports.
    pub mute: bool,
    /// Its name in reports.
    pub name: String,
    /// The time since 1970 at moment zero of the clock.
    pub epoch: Duration,
    /// Decides where numbers begin.
    pub random: [u32; 4],
}

/// Whether the phone speaks and listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// It speaks.
    pub send: bool,
    /// It listens.
    pub receive: bool,
}

impl Direction {
    /// Both.
    pub const BOTH: Self = Self {
        send: true,
        receive: true,
    };
}

/// Where the other side listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Address and port of RTP; RTCP is on the next.
    pub address: SocketAddrV4,
    /// What it wants to hear.
    pub codec: Codec,
}

/// What is to be sent from one of the two ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// The port it leaves from.
    pub port: u16,
    /// Where it goes.
    pub to: SocketAddrV4,
    /// Its payload.
    pub bytes: Vec<u8>,
}

/// A stream.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    direction: Direction,
    target: Option<Target>,
    sender: Sender,
    receiver: Receiver,
    source: Option<SocketAddrV4>,
    unexpected: u64,
    unexpected_source: Option<SocketAddrV4>,
    malformed: u64,
    unheard: u64,
    next_report: Option<Duration>,
    rtcp: RtcpReport,
    /// The other side's last report: the middle of its NTP time, and when it came.
    last_report: Option<(u32, Duration)>,
}

/// What a phone knows of a stream; names are those of the output.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The phone's own address and port.
    pub local: SocketAddrV4,
    /// Where the other side listens, as it said.
    pub remote: Option<SocketAddrV4>,
    /// Where packets came from.
    pub source: Option<SocketAddrV4>,
    /// Packets sent.
    pub sent: u64,
    /// Packets received, without duplicates and without what came from elsewhere.
    pub packets: u64,
    /// Packets missing between the first and the last that were received.
    pub lost: u64,
    /// Received twice.
    pub duplicates: u64,
    /// Received behind a later one.
    pub reordered: u64,
    /// Times that the other side began anew.
    pub restarts: u64,
    /// Interarrival jitter (RFC 3550, A.8), the most it was, in milliseconds.
    pub jitter_ms: f64,
    /// The tone that was heard last.
    pub tone_hz: Option<u16>,
    /// The codec that was sent.
    pub codec: &'static str,
    /// Packets from anywhere but `remote`.
    pub unexpected: u64,
    /// From where.
    pub unexpected_source: Option<SocketAddrV4>,
    /// Packets that came while the phone was not to listen.
    pub unheard: u64,
    /// Datagrams that are no RTP or RTCP.
    pub malformed: u64,
    /// What the two sides told each other.
    pub rtcp: RtcpReport,
}

/// RTCP of a stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RtcpReport {
    /// Reports sent.
    pub sent: u64,
    /// Reports received.
    pub received: u64,
    /// What the other side lost of what was sent to it, in packets, by its last report.
    pub remote_lost: Option<i32>,
    /// Jitter there, in milliseconds.
    pub remote_jitter_ms: Option<f64>,
    /// There and back, in milliseconds.
    pub round_trip_ms: Option<f64>,
    /// The other side's CNAME.
    pub name: Option<String>,
    /// It said good-bye.
    pub bye: bool,
}

impl Session {
    /// Silent and deaf, until it is told otherwise.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let [ssrc, timestamp, sequence, _] = settings.random;
        Self {
            sender: Sender::new(settings.tone_hz, Codec::Pcmu, [ssrc, timestamp, sequence]),
            settings,
            direction: Direction::default(),
            target: None,
            receiver: Receiver::default(),
            source: None,
            unexpected: 0,
            unexpected_source: None,
            malformed: 0,
            unheard: 0,
            next_report: None,
            rtcp: RtcpReport::default(),
            last_report: None,
        }
    }

    /// RTP's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.settings.port
    }

    /// The phone's address and RTP's port.
    #[must_use]
    pub fn local(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.settings.address, self.settings.port)
    }

    /// Where the other side listens, if that is known.
    #[must_use]
    pub fn target(&self) -> Option<Target> {
        self.target
    }

    /// Whether the phone speaks to somebody and listens.
    #[must_use]
    pub fn is_both_ways(&self) -> bool {
        self.direction == Direction::BOTH && self.target.is_some()
    }

    /// Changes who is talked to, and whether.
    pub fn set(&mut self, now: Duration, direction: Direction, target: Option<Target>) {
        (self.direction, self.target) = (direction, target);
        if let Some(target) = target {
            self.sender.set_codec(target.codec);
        }
        let mute = self.settings.mute;
        self.sender
            .speak(now, direction.send && target.is_some() && !mute);
        let active = target.is_some() && direction != Direction::default() && !mute;
        self.next_report = match self.next_report {
            _ if !active => None,
            Some(at) => Some(at),
            // The first comes earlier (RFC 3550 section 6.2).
            None => Some(now + self.interval() / 2),
        };
    }

    /// A datagram that arrived at RTP's port, or at RTCP's.
    pub fn handle(&mut self, now: Duration, port: u16, from: SocketAddrV4, bytes: &[u8]) {
        let control = port != self.settings.port;
        if !control {
            self.source = Some(from);
        }
        let expected = self.target.map(|target| match control {
            false => target.address,
            true => next_port(target.address),
        });
        if expected.is_some_and(|expected| expected != from) {
            self.unexpected += 1;
            self.unexpected_source = Some(from);
            return;
        }
        if control {
            match Compound::parse(bytes) {
                Ok(compound) => self.report_received(now, compound),
                Err(_) => self.malformed += 1,
            }
            return;
        }
        match Packet::parse(bytes) {
            Err(_) => self.malformed += 1,
            Ok(_) if !self.direction.receive => self.unheard += 1,
            Ok(packet) => self.receiver.hear(now, &packet),
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        [self.sender.due(), self.next_report]
            .into_iter()
            .flatten()
            .min()
    }

    /// What is due by now.
    pub fn handle_timeout(&mut self, now: Duration, out: &mut Vec<Datagram>) {
        let Some(target) = self.target else { return };
        while let Some(bytes) = self.sender.next(now) {
            let (port, to) = (self.settings.port, target.address);
            out.push(Datagram { port, to, bytes });
        }
        if self.next_report.is_some_and(|at| at <= now) {
            out.push(self.report(now, target, false));
            // Spread by a fixed part, so that two phones do not report together for ever.
            self.next_report = Some(now + self.interval());
        }
    }

    /// Ends it: a last report with a good-bye, if there was anybody to talk to.
    pub fn close(&mut self, now: Duration) -> Option<Datagram> {
        let target = self.target?;
        self.sender.speak(now, false);
        self.next_report = None;
        let heard = self.sender.packets > 0 || self.receiver.ssrc().is_some();
        heard.then(|| self.report(now, target, true))
    }

    /// 0.5 to 1.5 times the mean.
    fn interval(&self) -> Duration {
        let spread = f64::from(self.settings.random[3]) / f64::from(u32::MAX);
        REPORTS.mul_f64(0.5 + spread)
    }

    fn report(&mut self, now: Duration, target: Target, bye: bool) -> Datagram {
        self.rtcp.sent += 1;
        let info = SenderInfo {
            ntp: self.ntp(now),
            timestamp: self.sender.timestamp(now),
            packets: self.sender.packets,
            bytes: self.sender.bytes,
        };
        let ssrc = self.receiver.ssrc();
        let heard = ssrc.zip(self.receiver.since_report());
        let block = heard.map(|(ssrc, (highest, jitter, lost, fraction_lost))| Block {
            ssrc,
            fraction_lost,
            lost,
            highest,
            jitter,
            last_report: self.last_report.map_or(0, |(ntp, _)| ntp),
            delay: self
                .last_report
                .map_or(0, |(_, at)| short(now.saturating_sub(at))),
        });
        let compound = Compound {
            ssrc: self.sender.ssrc,
            sender: (self.sender.packets > 0).then_some(info),
            blocks: block.into_iter().collect(),
            name: self.settings.name.clone(),
            bye,
        };
        Datagram {
            port: self.settings.port + 1,
            to: next_port(target.address),
            bytes: compound.bytes(),
        }
    }

    fn report_received(&mut self, now: Duration, compound: Compound) {
        self.rtcp.received += 1;
        self.rtcp.bye |= compound.bye;
        if !compound.name.is_empty() {
            self.rtcp.name = Some(compound.name);
        }
        if let Some(info) = compound.sender {
            self.last_report = Some(((info.ntp >> 16) as u32, now));
        }
        let own = self.sender.ssrc;
        if let Some(block) = compound.blocks.iter().find(|block| block.ssrc == own) {
            self.rtcp.remote_lost = Some(block.lost);
            self.rtcp.remote_jitter_ms = Some(tenths(f64::from(block.jitter) / 8.0));
            if block.last_report != 0 {
                let at = (self.ntp(now) >> 16) as u32;
                let away = at.wrapping_sub(block.last_report).wrapping_sub(block.delay);
                // A clock's last place may say that it came before it was sent.
                let away = f64::from(away.cast_signed().max(0)) / 65_536.0;
                self.rtcp.round_trip_ms = Some(tenths(away * 1000.0));
            }
        }
    }

    fn ntp(&self, now: Duration) -> u64 {
        let time = self.settings.epoch + now;
        let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
        (time.as_secs() + NTP_BEFORE_UNIX) << 32 | fraction
    }

    /// What is known by now.
    #[must_use]
    pub fn summary(&self) -> Report {
        let arrivals = self.receiver.arrivals();
        Report {
            local: self.local(),
            remote: self.target.map(|target| target.address),
            source: self.source,
            sent: self.sender.packets.into(),
            packets: arrivals.packets,
            lost: arrivals.lost,
            duplicates: arrivals.duplicates,
            reordered: arrivals.reordered,
            restarts: arrivals.restarts,
            jitter_ms: tenths(self.receiver.most_jitter_ms()),
            tone_hz: self.receiver.tone_hz(),
            codec: self.sender.codec().name(),
            unexpected: self.unexpected,
            unexpected_source: self.unexpected_source,
            unheard: self.unheard,
            malformed: self.malformed,
            rtcp: self.rtcp.clone(),
        }
    }
}

fn next_port(address: SocketAddrV4) -> SocketAddrV4 {
    SocketAddrV4::new(*address.ip(), address.port().wrapping_add(1))
}

/// As 16 bits before and 16 behind the point.
fn short(time: Duration) -> u32 {
    (time.as_nanos() * 65_536 / 1_000_000_000) as u32
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests;
