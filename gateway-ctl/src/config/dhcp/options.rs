//! DHCP options as they are written: `"42 ip 10.10.0.1, 10.10.0.2"`, and the keys that
//! stand for the usual ones.

use std::net::Ipv4Addr;

use super::super::section::{At, Section};
use super::super::values::{self, Wrong};

/// An option's number and its bytes.
pub(super) type Written = (u8, Vec<u8>);

/// Longest value: what several pieces of one option (RFC 3396) carry in a reply that fits.
const MOST_BYTES: usize = 1024;

/// Options that are the server's to say: writing one would break the protocol.
const OWN: &[(u8, &str)] = &[
    (0, "padding"),
    (1, "the scope's `network` says it"),
    (50, "the client's"),
    (51, "`lease_time` says it"),
    (52, "the server's"),
    (53, "the server's"),
    (54, "the server's"),
    (55, "the client's"),
    (57, "the client's"),
    (61, "the client's"),
    (82, "the relay agent's"),
    (159, "`option_159` of the scope turns it on"),
    (255, "the end"),
];

/// Keys for the usual options, each an array of addresses.
const ADDRESSES: &[(&str, u8)] = &[
    ("routers", 3),
    ("time_servers", 4),
    ("dns_servers", 6),
    ("ntp_servers", 42),
    ("tftp_servers", 150),
];

/// Keys of `[[scope]]`, `[[class]]` and `[[reservation]]` that stand for options.
pub(super) const KEYS: &[&str] = &[
    "routers",
    "time_servers",
    "dns_servers",
    "ntp_servers",
    "tftp_servers",
    "domain_name",
    "domain_search",
    "static_routes",
    "tftp_server_name",
    "options",
];

/// All options of a section, each once.
pub(super) fn read(section: &Section<'_>) -> Vec<Written> {
    let mut found = Found {
        section,
        options: Vec::new(),
    };
    for (key, code) in ADDRESSES {
        found.list(key, *code, "[\"10.10.0.1\"]", |text| {
            Ok(values::address(text)?.octets().to_vec())
        });
    }
    found.domain_name();
    found.text("tftp_server_name", 66, "\"10.10.0.1\"");
    found.list("domain_search", 119, "[\"example.com\"]", |text| {
        domain(text)
    });
    found.list(
        "static_routes",
        121,
        "[\"10.0.0.0/8 via 10.10.0.254\"]",
        route,
    );
    let example = "[\"42 ip 10.10.0.1\"]";
    for text in section.strings("options", example).unwrap_or_default() {
        match numbered(text.value) {
            Ok((code, bytes)) => found.add(text, code, bytes),
            Err(wrong) => section.problem(text.at, wrong.message, wrong.fix),
        }
    }
    found.options
}

struct Found<'a, 'b> {
    section: &'a Section<'b>,
    options: Vec<Written>,
}

impl Found<'_, '_> {
    fn add(&mut self, text: At<&str>, code: u8, bytes: Vec<u8>) {
        if self.options.iter().any(|(there, _)| *there == code) {
            let message = format!("option {code} is written twice");
            self.section
                .problem(text.at, message, "write it once, with all its values");
        } else if bytes.len() > MOST_BYTES {
            let message = format!(
                "option {code} has {} bytes, expected at most {MOST_BYTES}",
                bytes.len()
            );
            self.section.problem(text.at, message, "shorten it");
        } else {
            self.options.push((code, bytes));
        }
    }

    fn list(
        &mut self,
        key: &str,
        code: u8,
        example: &str,
        one: impl Fn(&str) -> Result<Vec<u8>, Wrong>,
    ) {
        let Some(texts) = self.section.strings(key, example) else {
            return;
        };
        let mut bytes = Vec::new();
        for text in &texts {
            match one(text.value) {
                Ok(value) => bytes.extend(value),
                Err(wrong) => {
                    self.section.problem(text.at, wrong.message, wrong.fix);
                    return;
                }
            }
        }
        // An empty list takes the option out, where a scope or class gives it.
        let at = texts.first().map_or(self.section.at, |text| text.at);
        self.add(At { value: key, at }, code, bytes);
    }

    /// RFC 2132 section 3.17: as text.
    fn domain_name(&mut self) {
        let text = self.section.string("domain_name", "\"example.com\"");
        if let Some(wrong) = text.and_then(|text| domain(text.value).err()) {
            let at = text.map_or(self.section.at, |text| text.at);
            self.section.problem(at, wrong.message, wrong.fix);
            return;
        }
        self.text("domain_name", 15, "\"example.com\"");
    }

    fn text(&mut self, key: &str, code: u8, example: &str) {
        if let Some(text) = self.section.string(key, example) {
            self.add(text, code, text.value.as_bytes().to_vec());
        }
    }
}

/// `42 ip 10.10.0.1`: number, type, value.
fn numbered(text: &str) -> Result<Written, Wrong> {
    let malformed = |what: String| {
        Wrong::new(
            what,
            "write number, type and value: \"42 ip 10.10.0.1\", \"160 text http://10.10.0.1/\", \
             \"224 hex 01 ff\", \"23 u8 64\"; types are ip, text, hex, u8, u16, u32, bool",
        )
    };
    let mut parts = text.trim().splitn(3, char::is_whitespace);
    let (number, kind, value) = (parts.next(), parts.next(), parts.next());
    let (Some(number), Some(kind)) = (number, kind) else {
        return Err(malformed(format!("\"{text}\" is no option")));
    };
    let code: u8 = number
        .parse()
        .map_err(|_| malformed(format!("\"{number}\" is no option's number")))?;
    if let Some((_, why)) = OWN.iter().find(|(own, _)| *own == code) {
        return Err(Wrong::new(
            format!("option {code} cannot be written here: {why}"),
            "leave it out",
        ));
    }
    let value = value.unwrap_or("").trim();
    let bytes = typed(kind, value).ok_or_else(|| {
        malformed(format!(
            "option {code}: \"{value}\" is no value of type {kind}"
        ))
    })?;
    Ok((code, bytes))
}

fn typed(kind: &str, value: &str) -> Option<Vec<u8>> {
    let numbers = |one: &dyn Fn(&str) -> Option<Vec<u8>>| -> Option<Vec<u8>> {
        let values: Option<Vec<Vec<u8>>> = value.split(',').map(|text| one(text.trim())).collect();
        Some(values?.concat())
    };
    match kind {
        "ip" => numbers(&|text| Some(text.parse::<Ipv4Addr>().ok()?.octets().to_vec())),
        "u8" => numbers(&|text| Some(vec![text.parse().ok()?])),
        "u16" => numbers(&|text| Some(text.parse::<u16>().ok()?.to_be_bytes().to_vec())),
        "u32" => numbers(&|text| Some(text.parse::<u32>().ok()?.to_be_bytes().to_vec())),
        "bool" => Some(vec![u8::from(value.parse::<bool>().ok()?)]),
        "text" => Some(value.as_bytes().to_vec()),
        "hex" => hex(value),
        _ => None,
    }
}

/// `01 ff`, `01:ff` or `01ff`.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != ':' && *c != '-')
        .map(|c| Some(u8::try_from(c.to_digit(16)?).unwrap_or(0)))
        .collect();
    let digits = digits?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    Some(
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

/// A domain name as labels (RFC 1035 section 3.1), without pointers (RFC 3397 allows them
/// and does not ask for them).
fn domain(text: &str) -> Result<Vec<u8>, Wrong> {
    let malformed = || {
        Wrong::new(
            format!("\"{text}\" is no domain name"),
            "write labels of 1 to 63 letters, digits and - with dots between, like example.com",
        )
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    let mut bytes = Vec::with_capacity(name.len() + 2);
    for label in name.split('.') {
        let length = u8::try_from(label.len()).map_err(|_| malformed())?;
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=63).contains(&length) || !label.chars().all(legal) {
            return Err(malformed());
        }
        bytes.push(length);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    if bytes.len() > 255 {
        return Err(malformed());
    }
    Ok(bytes)
}

/// `10.0.0.0/8 via 10.10.0.254`, as in RFC 3442: length, the bytes that count, router.
fn route(text: &str) -> Result<Vec<u8>, Wrong> {
    let (network, router) = text.split_once(" via ").ok_or_else(|| {
        Wrong::new(
            format!("\"{text}\" is no route"),
            "write network via router, like 10.0.0.0/8 via 10.10.0.254",
        )
    })?;
    let (network, length) = if network.trim() == "0.0.0.0/0" {
        (Ipv4Addr::UNSPECIFIED, 0)
    } else {
        let network = values::network(network.trim())?;
        (network.address(), network.length())
    };
    let router = values::address(router.trim())?;
    let counting = usize::from(length).div_ceil(8);
    let mut bytes = vec![length];
    bytes.extend(&network.octets()[..counting]);
    bytes.extend(router.octets());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_bytes() {
        for (text, code, bytes) in [
            (
                "42 ip 10.10.0.1, 10.10.0.2",
                42,
                &[10, 10, 0, 1, 10, 10, 0, 2][..],
            ),
            ("160 text http://x/", 160, b"http://x/"),
            ("224 hex 01:FF 0a", 224, &[1, 255, 10]),
            ("23 u8 64", 23, &[64]),
            ("26 u16 1400", 26, &[0x05, 0x78]),
            ("2 u32 3600", 2, &[0, 0, 14, 16]),
            ("19 bool false", 19, &[0]),
            ("80 hex ", 80, &[]),
        ] {
            assert_eq!(numbered(text), Ok((code, bytes.to_vec())), "{text}");
        }
    }

    #[test]
    fn what_is_no_option_is_refused() {
        for text in [
            "",
            "42",
            "x ip 1.2.3.4",
            "300 u8 1",
            "42 ip 10.10.0",
            "23 u8 256",
            "224 hex 0",
            "42 adr 1",
        ] {
            assert!(numbered(text).is_err(), "{text}");
        }
        let wrong = numbered("53 u8 5").unwrap_err();
        assert_eq!(
            wrong.message,
            "option 53 cannot be written here: the server's"
        );
    }

    #[test]
    fn routes_and_domains_are_written_as_their_standards_say() {
        assert_eq!(
            route("10.0.0.0/8 via 10.10.0.1"),
            Ok(vec![8, 10, 10, 10, 0, 1])
        );
        assert_eq!(
            route("192.0.2.128/25 via 10.10.0.1"),
            Ok(vec![25, 192, 0, 2, 128, 10, 10, 0, 1])
        );
        assert_eq!(route("0.0.0.0/0 via 10.10.0.1"), Ok(vec![0, 10, 10, 0, 1]));
        assert!(route("10.0.0.0/8").is_err());
        assert_eq!(domain("a.example."), Ok(b"\x01a\x07example\0".to_vec()));
        for text in [
            "",
            "a..b",
            "a b",
            "bücher.example",
            &"x".repeat(64),
            &["abcdefg"; 40].join("."),
        ] {
            assert!(domain(text).is_err(), "{text}");
        }
    }
}
