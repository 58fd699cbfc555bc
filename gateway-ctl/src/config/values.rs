//! Addresses, networks and ports as they are written; errors are message and fix.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use gateway_common::PortRange;
use gateway_common::Prefix;

/// Addresses that one entry of a pool may stand for at most.
const MOST_POOL_ADDRESSES: u32 = 1 << 16;
/// Addresses that one entry of a scope may stand for at most: as many as there may be bindings.
const MOST_SCOPE_ADDRESSES: u32 = 1 << 24;

/// What is wrong with a value, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) fix: String,
}

impl Wrong {
    pub(crate) fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            fix: fix.into(),
        }
    }
}

/// An inclusive span of ports, not necessarily a phone's range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PortSpan {
    pub(crate) first: u16,
    pub(crate) last: u16,
}

impl PortSpan {
    pub(crate) fn touches(self, range: PortRange) -> bool {
        self.first <= range.last() && range.first() <= self.last
    }
}

impl fmt::Display for PortSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// `10.10.0.21`.
pub(crate) fn address(text: &str) -> Result<Ipv4Addr, Wrong> {
    let Ok(address) = text.parse::<Ipv4Addr>() else {
        if text.contains('/') {
            return Err(Wrong::new(
                format!("\"{text}\" is a network, expected one address"),
                "leave out the / and what follows",
            ));
        }
        return Err(Wrong::new(
            format!("\"{text}\" is no IPv4 address"),
            "write four numbers from 0 to 255, like 10.10.0.21",
        ));
    };
    usable(address)
}

fn usable(address: Ipv4Addr) -> Result<Ipv4Addr, Wrong> {
    let first = address.octets()[0];
    let what = match first {
        0 => "\"this network\"",
        127 => "loopback",
        224..=239 => "multicast",
        240..=255 => "reserved",
        _ => return Ok(address),
    };
    Err(Wrong::new(
        format!("{address} is {what}, expected the address of a host"),
        "write a unicast address",
    ))
}

/// `10.10.0.0/16`.
pub(crate) fn network(text: &str) -> Result<Prefix, Wrong> {
    let malformed = || {
        Wrong::new(
            format!("\"{text}\" is no IPv4 network"),
            "write address/length, like 10.10.0.0/16",
        )
    };
    let (base, length) = text.split_once('/').ok_or_else(malformed)?;
    let base: Ipv4Addr = base.parse().map_err(|_| malformed())?;
    let length: u8 = length.parse().map_err(|_| malformed())?;
    if !(1..=32).contains(&length) {
        return Err(Wrong::new(
            format!("\"{text}\" has length {length}, expected 1 to 32"),
            "write address/length, like 10.10.0.0/16",
        ));
    }
    usable(base)?;
    Prefix::new(base, length).ok_or_else(|| {
        let first = Ipv4Addr::from(u32::from(base) & (u32::MAX << (32 - u32::from(length))));
        Wrong::new(
            format!("\"{text}\" has bits beyond its length"),
            format!("write {first}/{length}"),
        )
    })
}

/// `198.51.100.1`, `203.0.113.0/28` or `192.0.2.10-192.0.2.19`: first and last address.
pub(crate) fn addresses(text: &str) -> Result<(Ipv4Addr, Ipv4Addr), Wrong> {
    let fix = "name only the addresses that are routed to this gateway";
    span(text, MOST_POOL_ADDRESSES, fix)
}

/// The same, of addresses that are leased.
pub(crate) fn scope_addresses(text: &str) -> Result<(Ipv4Addr, Ipv4Addr), Wrong> {
    let fix = "lease fewer addresses, or write several entries";
    span(text, MOST_SCOPE_ADDRESSES, fix)
}

fn span(text: &str, most: u32, fix: &str) -> Result<(Ipv4Addr, Ipv4Addr), Wrong> {
    let (first, last) = if text.contains('/') {
        let network = network(text)?;
        let first = u32::from(network.address());
        let size = u32::MAX
            .checked_shr(u32::from(network.length()))
            .unwrap_or(0);
        (network.address(), Ipv4Addr::from(first | size))
    } else if let Some((first, last)) = text.split_once('-') {
        (address(first.trim())?, address(last.trim())?)
    } else {
        let single = address(text)?;
        (single, single)
    };
    if last < first {
        return Err(Wrong::new(
            format!("{first}-{last} is reversed"),
            format!("write {last}-{first}"),
        ));
    }
    let count = u32::from(last) - u32::from(first);
    if count >= most {
        return Err(Wrong::new(
            format!(
                "\"{text}\" has {} addresses, expected at most {most}",
                u64::from(count) + 1
            ),
            fix,
        ));
    }
    Ok((first, last))
}

/// `5060` or `5060-5061`.
pub(crate) fn port_span(text: &str) -> Result<PortSpan, Wrong> {
    let malformed = || {
        Wrong::new(
            format!("\"{text}\" is no port and no span of ports"),
            "write 4500, or 5060-5061, within 1 to 65535",
        )
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let first: u16 = first.trim().parse().map_err(|_| malformed())?;
    let last: u16 = last.trim().parse().map_err(|_| malformed())?;
    if first == 0 {
        return Err(malformed());
    }
    if last < first {
        return Err(Wrong::new(
            format!("ports {first}-{last} are reversed"),
            format!("write {last}-{first}"),
        ));
    }
    Ok(PortSpan { first, last })
}

/// `40000-40063`, a phone's range.
pub(crate) fn port_range(text: &str) -> Result<PortRange, Wrong> {
    let malformed = || {
        Wrong::new(
            format!("\"{text}\" is no range of ports"),
            "write first-last, like 40000-40063",
        )
    };
    let (first, last) = text.split_once('-').ok_or_else(malformed)?;
    let first: u16 = first.trim().parse().map_err(|_| malformed())?;
    let last: u16 = last.trim().parse().map_err(|_| malformed())?;
    range_of(first, last)
}

/// `10485760`, `10 MiB` or `10 MB`, in bytes.
pub(crate) fn size(text: &str) -> Result<u64, Wrong> {
    let malformed = |what| {
        Wrong::new(
            format!("\"{text}\" is {what}"),
            "write a number of bytes, or one with kB, MB, GB, KiB, MiB or GiB",
        )
    };
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_');
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let number: u64 = number
        .replace('_', "")
        .parse()
        .map_err(|_| malformed("no size"))?;
    let unit: u64 = match unit.trim_start() {
        "" | "B" => 1,
        "kB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(malformed("no size")),
    };
    number
        .checked_mul(unit)
        .ok_or_else(|| malformed("too large"))
}

/// The range from its two ends.
pub(crate) fn range_of(first: u16, last: u16) -> Result<PortRange, Wrong> {
    // The error carries its own fix.
    PortRange::new(first, last).map_err(|error| Wrong::new(error.to_string(), ""))
}

/// `400ms`, `90s`, `15m`, `8h`, `7days`.
pub(crate) fn duration(text: &str) -> Result<Duration, Wrong> {
    humantime::parse_duration(text).map_err(|_| {
        Wrong::new(
            format!("\"{text}\" is no span of time"),
            "write a number with its unit, like 400ms, 90s, 15m, 8h or 7days",
        )
    })
}

/// `198.51.100.200:2944`.
pub(crate) fn socket_address(text: &str) -> Result<SocketAddrV4, Wrong> {
    let malformed = || {
        Wrong::new(
            format!("\"{text}\" is no address with a port"),
            "write address:port, like 198.51.100.200:5060",
        )
    };
    let parsed: SocketAddrV4 = text.parse().map_err(|_| malformed())?;
    if parsed.port() == 0 {
        return Err(malformed());
    }
    usable(*parsed.ip())?;
    Ok(parsed)
}
