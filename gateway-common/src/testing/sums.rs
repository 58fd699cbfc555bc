//! How wrong each checksum of a packet is, summed over all that it covers.
//!
//! Shares nothing with the engine: no header is read and nothing is added up by its
//! code. What a rewrite must keep is the *error* of each sum: right stays right, and
//! a damaged packet stays damaged for its receiver to find out.

/// The error of a checksum: what its sum is too much by, modulo 0xffff; 0: right.
/// `None`: there is none (UDP without, not quoted so far, unknown protocol).
pub type SumError = Option<u16>;

/// Errors of all checksums of an IPv4 packet.
///
/// Those of a fragment's transport header cover what is there, so they say something
/// only in comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Of the IP header.
    pub ip: SumError,
    /// Of UDP, TCP or ICMP.
    pub transport: SumError,
    /// Of the IP header that an ICMP error quotes.
    pub quoted_ip: SumError,
    /// Of the UDP, TCP or ICMP header that an ICMP error quotes.
    pub quoted_transport: SumError,
}

impl Sums {
    /// Every checksum of a packet without fragmentation, all of it quoted, is right.
    #[must_use]
    pub fn are_right(&self) -> bool {
        let Self {
            ip,
            transport,
            quoted_ip,
            quoted_transport,
        } = *self;
        [ip, transport, quoted_ip, quoted_transport]
            .iter()
            .all(|sum| matches!(sum, None | Some(0)))
    }
}

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Sums over `packet`, from its IP header to its end.
#[must_use]
pub fn sums(packet: &[u8]) -> Sums {
    let Some((ip, body)) = split(packet) else {
        return Sums::default();
    };
    let mut sums = Sums {
        ip: Some(error(&[ip])),
        ..Sums::default()
    };
    if half(ip, 6) & 0x1fff != 0 {
        return sums;
    }
    sums.transport = transport(ip, body);
    let is_error = ip[9] == ICMP && matches!(body.first(), Some(3 | 11 | 12));
    if let Some((ip, body)) = body.get(8..).filter(|_| is_error).and_then(split) {
        sums.quoted_ip = Some(error(&[ip]));
        sums.quoted_transport = transport(ip, body);
    }
    sums
}

/// Header and what follows.
fn split(packet: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(packet.first()? & 0x0f) * 4;
    packet
        .split_at_checked(length)
        .filter(|(header, _)| header.len() >= 20)
}

fn transport(ip: &[u8], body: &[u8]) -> SumError {
    let pseudo = &ip[12..20];
    match ip[9] {
        ICMP if body.len() >= 8 => Some(error(&[body])),
        UDP if body.len() >= 8 && half(body, 6) != 0 => {
            let length = half(body, 4).to_be_bytes();
            Some(error(&[pseudo, &[0, UDP], &length, body]))
        }
        TCP if body.len() >= 18 => {
            let length = (body.len() as u16).to_be_bytes();
            Some(error(&[pseudo, &[0, TCP], &length, body]))
        }
        _ => None,
    }
}

/// The sum of all 16-bit words, checksum included: 0xffff, thus 0, when it is right.
fn error(parts: &[&[u8]]) -> u16 {
    let sum: u64 = parts
        .iter()
        .flat_map(|part| part.chunks(2))
        .map(|word| u64::from(word[0]) << 8 | u64::from(*word.get(1).unwrap_or(&0)))
        .sum();
    (sum % 0xffff) as u16
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}
