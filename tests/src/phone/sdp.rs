//! What the other side's session description says: where it listens, to which codec, and whether
//! it does. For both protocols; each fills in or makes its own.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::media::{Codec, Direction, Target};

/// It wants to hear what this phone cannot say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsupported;

/// Where the first audio stream is received: none when nowhere (no port, no address).
///
/// # Errors
/// When there is no audio, or no codec that this phone knows.
pub(super) fn target(lines: &[&str]) -> Result<Option<Target>, Unsupported> {
    let audio = |line: &&str| line.starts_with("m=audio ");
    let at = lines.iter().position(audio).ok_or(Unsupported)?;
    let (session, own) = lines.split_at(at);
    let own = own.split_first().map_or(&[][..], |(_, rest)| rest);
    let next = own.iter().position(|line| line.starts_with("m="));
    let own = &own[..next.unwrap_or(own.len())];
    let mut words = lines[at].split_whitespace().skip(1);
    let port = words.next().and_then(|port| port.parse().ok()).unwrap_or(0);
    let codec = words.skip(1).find_map(codec).ok_or(Unsupported)?;
    let first = session.iter().position(|line| line.starts_with("m="));
    let session = &session[..first.unwrap_or(session.len())];
    // The stream's own connection line counts more than the session's.
    let address = connection(own).or_else(|| connection(session));
    let address = address.filter(|address| !address.is_unspecified() && port != 0);
    Ok(address.map(|address| Target {
        address: SocketAddrV4::new(address, port),
        codec,
    }))
}

/// What this phone does when the other side says what it does.
pub(super) fn direction(lines: &[&str]) -> Direction {
    let said = |word: &str| {
        lines
            .iter()
            .any(|line| line.strip_prefix("a=") == Some(word))
    };
    let (theirs_sends, theirs_receives) = match () {
        () if said("sendonly") => (true, false),
        () if said("recvonly") => (false, true),
        () if said("inactive") => (false, false),
        () => (true, true),
    };
    Direction {
        send: theirs_receives,
        receive: theirs_sends,
    }
}

/// A payload type as text.
pub(super) fn codec(format: &str) -> Option<Codec> {
    format.parse().ok().and_then(Codec::of)
}

fn connection(lines: &[&str]) -> Option<Ipv4Addr> {
    let value = lines.iter().find_map(|line| line.strip_prefix("c="))?;
    value.split_whitespace().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<Option<String>, Unsupported> {
        let lines: Vec<&str> = text.split('|').collect();
        target(&lines).map(|found| found.map(|one| format!("{} {}", one.address, one.codec.name())))
    }

    #[test]
    fn where_the_other_listens() {
        for (text, expected) in [
            (
                "v=0|c=IN IP4 192.0.2.1|m=audio 4000 RTP/AVP 0",
                Some("192.0.2.1:4000 PCMU"),
            ),
            (
                "c=IN IP4 192.0.2.1|m=audio 4000 RTP/AVP 18 8 0|c=IN IP4 192.0.2.2",
                Some("192.0.2.2:4000 PCMA"),
            ),
            (
                "c=IN IP4 192.0.2.1|m=audio 4000 RTP/AVP 0|m=video 4002 RTP/AVP 31|c=IN IP4 192.0.2.3",
                Some("192.0.2.1:4000 PCMU"),
            ),
            (
                "m=video 4002 RTP/AVP 31|c=IN IP4 192.0.2.3|m=audio 4000 RTP/AVP 0",
                None,
            ),
            ("c=IN IP4 0.0.0.0|m=audio 4000 RTP/AVP 0", None),
            ("c=IN IP4 192.0.2.1|m=audio 0 RTP/AVP 0", None),
        ] {
            assert_eq!(found(text), Ok(expected.map(str::to_owned)), "{text}");
        }
        assert_eq!(
            found("c=IN IP4 192.0.2.1|m=audio 4000 RTP/AVP 18"),
            Err(Unsupported)
        );
        assert_eq!(found("v=0"), Err(Unsupported));
    }

    #[test]
    fn what_the_other_does_is_the_other_way_round_here() {
        let of = |line| {
            let Direction { send, receive } = direction(&[line]);
            (send, receive)
        };
        assert_eq!(of("a=sendonly"), (false, true));
        assert_eq!(of("a=recvonly"), (true, false));
        assert_eq!(of("a=inactive"), (false, false));
        assert_eq!(of("a=ptime:20"), (true, true));
    }
}
