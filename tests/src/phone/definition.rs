//! What is said of a phone before it is switched on: words `key=value`, on the command line or in
//! a script.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use megaco::{Mid, Name};

use super::media::{HIGHEST_HZ, LOWEST_HZ};
use super::ports::Range;

/// What a phone speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// H.248.
    H248,
    /// SIP.
    Sip,
}

impl Speaks {
    /// The port of a switch that names none.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::H248 => super::h248::PORT,
            Self::Sip => 5060,
        }
    }
}

/// A phone. What is `None` comes from its lease or its file, or has a usual value.
#[derive(Clone, Debug)]
pub struct Definition {
    /// What it is called in scripts and in the output.
    pub name: String,
    /// Network namespace, by name or path; none: that of the process.
    pub netns: Option<String>,
    /// Its interface, if it leases or sets an address.
    pub interface: String,
    /// Its Ethernet address.
    pub mac: Option<[u8; 6]>,
    /// Its address, with the bits of the network if it is to be set; none: it leases one.
    pub address: Option<(Ipv4Addr, Option<u8>)>,
    /// The way out, if it is to be set.
    pub router: Option<Ipv4Addr>,
    /// Its ports.
    pub ports: Option<Range>,
    /// Option 60.
    pub vendor_class: Option<String>,
    /// Option 12.
    pub host_name: Option<String>,
    /// Its file; `none`: it fetches none.
    pub file: Option<String>,
    /// An image to be fetched too.
    pub image: Option<String>,
    /// Where files are.
    pub tftp: Option<Ipv4Addr>,
    /// What it speaks.
    pub speaks: Option<Speaks>,
    /// Switches as they were given: an address, with or without a port; the primary first.
    pub switches: [Option<(Ipv4Addr, Option<u16>)>; 2],
    /// Terminations of its lines.
    pub lines: Vec<Name>,
    /// What it calls itself in H.248.
    pub mid: Option<Mid>,
    /// Highest version of H.248.
    pub version: u8,
    /// Account in SIP.
    pub user: Option<String>,
    /// Password in SIP.
    pub password: Option<String>,
    /// Host of its address of record in SIP.
    pub domain: Option<String>,
    /// How long registrations last in SIP.
    pub expires: Duration,
    /// RFC 3261's T1.
    pub t1: Duration,
    /// How others call it.
    pub number: Option<String>,
    /// What it says, in Hz.
    pub tone: Option<u16>,
    /// It says nothing at all.
    pub mute: bool,
    /// Answers by itself when it has rung for so long.
    pub answer: Option<Duration>,
    /// Hangs up by itself so long after the other.
    pub hang_up: Option<Duration>,
    /// From digit to digit.
    pub digit_time: Duration,
    /// How long a controller may be silent.
    pub patience: Duration,
}

impl Definition {
    /// A phone of which nothing is said.
    #[must_use]
    pub fn new(name: &str) -> Self {
        const LINE: Name = Name::literal("line1");
        Self {
            name: name.to_owned(),
            netns: None,
            interface: "eth0".to_owned(),
            mac: None,
            address: None,
            router: None,
            ports: None,
            vendor_class: None,
            host_name: None,
            file: None,
            image: None,
            tftp: None,
            speaks: None,
            switches: [None, None],
            lines: vec![LINE],
            mid: None,
            version: 3,
            user: None,
            password: None,
            domain: None,
            expires: Duration::from_secs(3600),
            t1: Duration::from_millis(500),
            number: None,
            tone: None,
            mute: false,
            answer: None,
            hang_up: None,
            digit_time: Duration::from_millis(50),
            patience: Duration::from_secs(5),
        }
    }

    /// Sets one thing.
    ///
    /// # Errors
    /// When there is no such key, or the value is not one.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.try_set(key, value)
            .with_context(|| format!("{key}={value}"))
    }

    fn try_set(&mut self, key: &str, value: &str) -> Result<()> {
        let text = || Some(value.to_owned());
        match key {
            "netns" => self.netns = text(),
            "interface" => value.clone_into(&mut self.interface),
            "mac" => self.mac = Some(mac(value)?),
            "boot" if value == "dhcp" => self.address = None,
            "address" => self.address = Some(address(value)?),
            "router" => self.router = Some(value.parse()?),
            "ports" => self.ports = Some(value.parse()?),
            "vendor_class" => self.vendor_class = text(),
            "host_name" => self.host_name = text(),
            "file" => self.file = text(),
            "image" => self.image = text(),
            "tftp" => self.tftp = Some(value.parse()?),
            "protocol" => self.speaks = Some(speaks(value)?),
            "switch" => self.switches[0] = Some(switch(value)?),
            "backup" => self.switches[1] = Some(switch(value)?),
            "lines" => self.lines = lines(value)?,
            "mid" => self.mid = Some(mid(value)?),
            "version" => self.version = value.parse()?,
            "user" => self.user = text(),
            "password" => self.password = text(),
            "domain" => self.domain = text(),
            "expires" => self.expires = duration(value)?,
            "t1" => self.t1 = duration(value)?,
            "number" => self.number = text(),
            "tone" if value == "none" => self.mute = true,
            "tone" => (self.tone, self.mute) = (Some(tone(value)?), false),
            "answer" => self.answer = Some(duration(value)?),
            "hangup" => self.hang_up = Some(duration(value)?),
            "digit_time" => self.digit_time = duration(value)?,
            "patience" => self.patience = duration(value)?,
            _ => bail!("no such key: docs/simulated-phone.md has all of them"),
        }
        Ok(())
    }

    /// The name of its account, and what others dial.
    #[must_use]
    pub fn number(&self) -> Option<&str> {
        self.number.as_deref().or(self.user.as_deref())
    }

    /// The phone `step` places behind this one: name, addresses, number, user and a device's mId
    /// count on.
    #[must_use]
    pub fn counted(&self, name: &str, step: u32) -> Self {
        let address = |(address, prefix): (Ipv4Addr, Option<u8>)| {
            (
                Ipv4Addr::from_bits(address.to_bits().wrapping_add(step)),
                prefix,
            )
        };
        Self {
            name: name.to_owned(),
            address: self.address.map(address),
            mac: self.mac.map(|mac| count_mac(mac, step)),
            number: self.number.as_deref().map(|number| count(number, step)),
            user: self.user.as_deref().map(|user| count(user, step)),
            mid: self.mid.clone().map(|mid| count_mid(mid, step)),
            ..self.clone()
        }
    }
}

/// `5000` and 7: `5007`; what has no digits at its end stays.
fn count(text: &str, step: u32) -> String {
    let head = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &text[head.len()..];
    match digits.parse::<u64>() {
        Ok(number) => format!(
            "{head}{:0width$}",
            number + u64::from(step),
            width = digits.len()
        ),
        Err(_) => text.to_owned(),
    }
}

/// A device's name counts; an address or domain is that of one gateway.
fn count_mid(mid: Mid, step: u32) -> Mid {
    match mid {
        Mid::Device(name) => Mid::Device(Name::new(&count(name.as_str(), step)).unwrap_or(name)),
        other => other,
    }
}

fn count_mac([a, b, rest @ ..]: [u8; 6], step: u32) -> [u8; 6] {
    let [c, d, e, f] = u32::from_be_bytes(rest).wrapping_add(step).to_be_bytes();
    [a, b, c, d, e, f]
}

/// `2s`, `300ms`, `1.5s`, `2m`.
///
/// # Errors
/// When it is none of these.
pub fn duration(text: &str) -> Result<Duration> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let found = units.iter().find_map(|(unit, seconds)| {
        let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
        Duration::try_from_secs_f64(number * seconds).ok()
    });
    found.with_context(|| format!("got {text:?}, expected a time such as 300ms, 2s, 1.5s or 2m"))
}

fn mac(text: &str) -> Result<[u8; 6]> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-')).collect();
    let number = u64::from_str_radix(&digits, 16)
        .ok()
        .filter(|_| digits.len() == 12);
    let number =
        number.with_context(|| format!("got {text:?}, expected such as 02:00:00:00:00:01"))?;
    let [_, _, mac @ ..] = number.to_be_bytes();
    Ok(mac)
}

fn address(text: &str) -> Result<(Ipv4Addr, Option<u8>)> {
    match text.split_once('/') {
        None => Ok((text.parse()?, None)),
        Some((address, prefix)) => {
            let prefix = prefix.parse::<u8>().ok().filter(|prefix| *prefix <= 32);
            Ok((
                address.parse()?,
                Some(prefix.context("a prefix has 0 to 32 bits")?),
            ))
        }
    }
}

fn switch(text: &str) -> Result<(Ipv4Addr, Option<u16>)> {
    if let Ok(both) = text.parse::<SocketAddrV4>() {
        return Ok((*both.ip(), Some(both.port())));
    }
    Ok((
        text.parse()
            .context("expected an address, with or without a port")?,
        None,
    ))
}

fn speaks(text: &str) -> Result<Speaks> {
    match text {
        "h248" => Ok(Speaks::H248),
        "sip" => Ok(Speaks::Sip),
        _ => bail!("got {text:?}, expected h248 or sip"),
    }
}

/// `2`: line1 and line2; or their names.
fn lines(text: &str) -> Result<Vec<Name>> {
    let names: Vec<String> = match text.parse::<usize>() {
        Ok(count) => (1..=count).map(|number| format!("line{number}")).collect(),
        Err(_) => text.split(',').map(str::to_owned).collect(),
    };
    ensure!(!names.is_empty(), "a phone has a line at least");
    let names = names.iter().map(|name| Ok(Name::new(name)?));
    names.collect()
}

/// `<name>`, `[address]`, either with a port, or a device's name.
fn mid(text: &str) -> Result<Mid> {
    let port = |rest: &str| match rest.strip_prefix(':') {
        Some(port) => Ok(Some(port.parse::<u16>()?)),
        None if rest.is_empty() => Ok(None),
        None => bail!("got {rest:?}, expected a colon and a port"),
    };
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Ok(Mid::Address(address.parse()?, port(rest)?));
    }
    if let Some((name, rest)) = text.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        return Ok(Mid::Domain(Name::new(name)?, port(rest)?));
    }
    Ok(Mid::Device(Name::new(text)?))
}

fn tone(text: &str) -> Result<u16> {
    let hz: u16 = text.parse()?;
    let fits = (LOWEST_HZ..=HIGHEST_HZ).contains(&hz) && hz.is_multiple_of(10);
    ensure!(
        fits,
        "expected {LOWEST_HZ} to {HIGHEST_HZ} Hz, a multiple of 10"
    );
    Ok(hz)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_said() {
        let mut phone = Definition::new("a1");
        for (key, value) in [
            ("address", "10.0.0.1/16"),
            ("mac", "02-00-00-00-00-ff"),
            ("switch", "192.0.2.1"),
            ("backup", "192.0.2.2:2945"),
            ("lines", "tdm/1,tdm/2"),
            ("mid", "<a1.example>:2944"),
            ("ports", "1024-1087"),
            ("answer", "300ms"),
            ("user", "099"),
        ] {
            phone.set(key, value).unwrap();
        }
        assert_eq!(phone.address, Some((Ipv4Addr::new(10, 0, 0, 1), Some(16))));
        assert_eq!(phone.switches[1].unwrap().1, Some(2945));
        assert_eq!(phone.mid.clone().unwrap().to_string(), "<a1.example>:2944");
        assert_eq!(
            (phone.lines.len(), phone.answer),
            (2, Some(Duration::from_millis(300)))
        );
        let next = phone.counted("a2", 2);
        assert_eq!(next.address.unwrap().0, Ipv4Addr::new(10, 0, 0, 3));
        assert_eq!(next.mac, Some([2, 0, 0, 0, 1, 1]));
        assert_eq!((next.name.as_str(), next.number()), ("a2", Some("101")));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_key() {
        let mut phone = Definition::new("a1");
        for (key, value) in [
            ("colour", "red"),
            ("mac", "02:00"),
            ("address", "10.0.0.1/33"),
            ("tone", "445"),
            ("answer", "soon"),
            ("protocol", "mgcp"),
            ("switch", "switch.example"),
            ("lines", "0"),
            ("boot", "bootp"),
        ] {
            let why = phone.set(key, value).unwrap_err().to_string();
            assert_eq!(why, format!("{key}={value}"));
        }
    }
}
