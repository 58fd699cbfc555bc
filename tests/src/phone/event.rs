//! What a phone tells: one JSON object a line. Names and meanings stay as they are; what is new
//! gets a new name. `docs/simulated-phone.md` describes each of them.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::media::Report;

/// A line of the output.
#[derive(Debug, Serialize)]
pub struct Entry<'a> {
    /// Seconds since 1970.
    #[serde(serialize_with = "seconds")]
    pub time: Duration,
    /// Whose event it is.
    pub phone: &'a str,
    /// Which line of the phone, from 1; none for what is the whole phone's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What happened.
    #[serde(flatten)]
    pub event: &'a Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The phone has an address and, mostly, a range.
    Leased {
        /// Its own address.
        address: Ipv4Addr,
        /// The public one.
        public_address: Option<Ipv4Addr>,
        /// First port of its range.
        first_port: Option<u16>,
        /// Last port of its range.
        last_port: Option<u16>,
        /// Who leased it.
        server: Option<Ipv4Addr>,
        /// For how long.
        lease_seconds: Option<u32>,
    },
    /// A file has been fetched.
    Fetched {
        /// Its name.
        name: String,
        /// Its size.
        bytes: usize,
        /// SHA-256 of it, in hexadecimal digits.
        sha256: String,
    },
    /// It asks a switch to be registered.
    Registering {
        /// Whom.
        switch: SocketAddrV4,
        /// How: `restart`, `disconnected`, `failover`, `handoff`; `register` in SIP.
        method: &'static str,
        /// Reason of the ServiceChange; none in SIP.
        reason: Option<u16>,
    },
    /// A switch has registered it.
    Registered {
        /// Which.
        switch: SocketAddrV4,
        /// `h248` or `sip`.
        protocol: &'static str,
        /// It is the first of the phone's list.
        primary: bool,
        /// How long it took, in milliseconds.
        took_ms: f64,
    },
    /// No switch has it registered.
    Unregistered {
        /// The last that had.
        switch: SocketAddrV4,
        /// Why.
        reason: String,
    },
    /// The handset was lifted.
    OffHook,
    /// The handset was put down.
    OnHook,
    /// It rings.
    Ringing {
        /// Who calls, as far as that is told.
        caller: Option<String>,
        /// The number that a trunk has been given to call.
        called: Option<String>,
    },
    /// It rings no more.
    Quiet,
    /// A tone is heard.
    Tone {
        /// `dial`, `ringback`, `busy`, `congestion`, or a signal's own name.
        tone: String,
    },
    /// All of a number has been pressed.
    Dialed {
        /// The number.
        number: String,
    },
    /// Both can talk.
    Talking {
        /// Where media goes; none for another line of the same phone.
        remote: Option<SocketAddrV4>,
        /// Where it leaves from.
        local: Option<SocketAddrV4>,
        /// Which address was chosen for the other: `private`, `public` or `internal`.
        choice: &'static str,
    },
    /// They cannot for now, but nobody has hung up.
    Held,
    /// The other side has ended the call.
    HungUp {
        /// Why, as far as that is told.
        reason: Option<String>,
    },
    /// The call was not taken.
    Refused {
        /// The protocol's code, if it has one.
        code: Option<u16>,
        /// Why, as far as that is told.
        reason: String,
    },
    /// How a stream went, at its end or when asked.
    Media(Box<Report>),
    /// Something went wrong.
    Error {
        /// What.
        what: String,
        /// The protocol's code, if it has one.
        code: Option<u16>,
    },
    /// A message was sent or received (`--trace`).
    Trace {
        /// `sent` or `received`.
        direction: &'static str,
        /// The other end.
        peer: SocketAddrV4,
        /// All of it.
        text: String,
    },
}

fn seconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    // Microseconds are kept: a double holds them for centuries.
    to.serialize_f64((time.as_micros() as f64) / 1e6)
}

/// Which address a phone was given: `private` (RFC 1918 and its like) or `public`.
#[must_use]
pub fn choice(address: Ipv4Addr) -> &'static str {
    let [a, b, ..] = address.octets();
    // 100.64.0.0/10 is for carriers' own networks (RFC 6598).
    let shared = a == 100 && (64..128).contains(&b);
    if address.is_private() || shared {
        "private"
    } else {
        "public"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: Option<usize>, event: &Event) -> String {
        let (time, phone) = (Duration::from_micros(1_700_000_000_250_000), "a1");
        serde_json::to_string(&Entry {
            time,
            phone,
            line,
            event,
        })
        .unwrap()
    }

    #[test]
    fn lines_are_flat() {
        assert_eq!(
            line(Some(1), &Event::OffHook),
            r#"{"time":1700000000.25,"phone":"a1","line":1,"event":"off_hook"}"#
        );
        let talking = Event::Talking {
            remote: Some("10.0.0.2:1026".parse().unwrap()),
            local: None,
            choice: "private",
        };
        assert_eq!(
            line(None, &talking),
            r#"{"time":1700000000.25,"phone":"a1","event":"talking","remote":"10.0.0.2:1026","local":null,"choice":"private"}"#
        );
    }

    #[test]
    fn addresses_are_private_or_public() {
        for (address, expected) in [
            ([10, 1, 2, 3], "private"),
            ([172, 31, 0, 1], "private"),
            ([100, 64, 0, 1], "private"),
            ([100, 128, 0, 1], "public"),
            ([192, 0, 2, 1], "public"),
        ] {
            assert_eq!(choice(address.into()), expected, "{address:?}");
        }
    }
}
