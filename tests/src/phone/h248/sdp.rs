//! Session descriptions in Local and Remote (RFC 3525 section 7.1.8): SDP without `o=`, `s=` and
//! `t=`, with `$` for what the gateway chooses, and alternatives one behind the other.
//!
//! ```text
//!   v=0                        v=0
//!   c=IN IP4 $          -->    c=IN IP4 10.0.0.7
//!   m=audio $ RTP/AVP 0        m=audio 1026 RTP/AVP 0
//! ```

use std::net::SocketAddrV4;

use megaco::{ErrorCode, Octets};

use crate::phone::media::Target;
use crate::phone::sdp;

/// "Unsupported media type" (H.248.8).
pub(super) const UNSUPPORTED_MEDIA: ErrorCode = ErrorCode(515);

/// Fills in Local: the first alternative that can be done, with the phone's own address and port.
///
/// # Errors
/// When none can be done, or names another's address or port.
pub(super) fn fill(local: &Octets, own: SocketAddrV4) -> Result<Octets, ErrorCode> {
    let text = String::from_utf8_lossy(local.as_bytes()).into_owned();
    let mut why = UNSUPPORTED_MEDIA;
    for group in groups(&text) {
        match fill_group(&group, own) {
            Ok(filled) => return Ok(Octets::new(filled.into_bytes())),
            Err(code) => why = code,
        }
    }
    Err(why)
}

fn fill_group(lines: &[&str], own: SocketAddrV4) -> Result<String, ErrorCode> {
    let mut filled = vec!["v=0".to_owned()];
    let mut connection = false;
    let mut audio = false;
    for line in lines {
        match line.split_at_checked(2) {
            Some(("v=", _)) => {}
            Some(("c=", value)) => {
                let address = value.split_whitespace().nth(2).unwrap_or("$");
                let ours = address == "$" || address.parse() == Ok(*own.ip());
                if !ours {
                    return Err(ErrorCode::NO_RESOURCES);
                }
                connection = true;
                filled.push(format!("c=IN IP4 {}", own.ip()));
            }
            Some(("m=", value)) => {
                filled.push(fill_media(value, own.port())?);
                audio = true;
            }
            // Formats that are left out are not described either.
            Some(("a=", value)) if is_of_other_format(value) => {}
            _ => filled.push((*line).to_owned()),
        }
    }
    if !audio {
        return Err(UNSUPPORTED_MEDIA);
    }
    if !connection {
        filled.insert(1, format!("c=IN IP4 {}", own.ip()));
    }
    Ok(filled.join("\r\n") + "\r\n")
}

/// `rtpmap:101 telephone-event/8000`, `fmtp:101 0-15`
fn is_of_other_format(value: &str) -> bool {
    let of = value
        .strip_prefix("rtpmap:")
        .or_else(|| value.strip_prefix("fmtp:"));
    let format = of.and_then(|rest| rest.split_whitespace().next());
    format.is_some_and(|format| sdp::codec(format).is_none())
}

/// `audio $ RTP/AVP 18 0 8`: of several formats those that can be done.
fn fill_media(value: &str, port: u16) -> Result<String, ErrorCode> {
    let mut words = value.split_whitespace();
    let (kind, asked) = (words.next().unwrap_or("$"), words.next().unwrap_or("$"));
    let protocol = words.next().unwrap_or("$");
    let audio = kind == "$" || kind.eq_ignore_ascii_case("audio");
    let rtp = protocol == "$" || protocol.eq_ignore_ascii_case("RTP/AVP");
    if !audio || !rtp {
        return Err(UNSUPPORTED_MEDIA);
    }
    let ours = asked == "$" || asked.parse() == Ok(port);
    if !ours {
        return Err(ErrorCode::NO_RESOURCES);
    }
    let mut formats: Vec<&str> = words.collect();
    if formats.is_empty() || formats.contains(&"$") {
        formats = vec!["0"];
    }
    formats.retain(|format| sdp::codec(format).is_some());
    if formats.is_empty() {
        return Err(UNSUPPORTED_MEDIA);
    }
    Ok(format!("m=audio {port} RTP/AVP {}", formats.join(" ")))
}

/// Where the other side listens: none when it says nowhere (no port, no address).
///
/// # Errors
/// When it wants to hear what this phone cannot say.
pub(super) fn target(remote: &Octets) -> Result<Option<Target>, ErrorCode> {
    let text = String::from_utf8_lossy(remote.as_bytes()).into_owned();
    let mut why = None;
    for group in groups(&text) {
        match sdp::target(&group) {
            Ok(target) => return Ok(target),
            Err(sdp::Unsupported) => why = Some(UNSUPPORTED_MEDIA),
        }
    }
    why.map_or(Ok(None), Err)
}

/// Each `v=` begins an alternative.
fn groups(text: &str) -> Vec<Vec<&str>> {
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("v=") || groups.is_empty() {
            groups.push(Vec::new());
        }
        if let Some(group) = groups.last_mut() {
            group.push(line);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::phone::media::Codec;

    const OWN: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 7), 1026);

    fn filled(local: &str) -> Result<String, u16> {
        let filled = fill(&local.into(), OWN).map_err(|code| code.0)?;
        Ok(String::from_utf8(filled.as_bytes().to_vec())
            .unwrap()
            .replace("\r\n", "|"))
    }

    #[test]
    fn what_is_left_open_is_filled_in() {
        for (local, expected) in [
            (
                "v=0\nc=IN IP4 $\nm=audio $ RTP/AVP 0\n",
                "v=0|c=IN IP4 10.0.0.7|m=audio 1026 RTP/AVP 0|",
            ),
            (
                "v=0\nc=IN IP4 $\nm=audio $ RTP/AVP 18 8 0\na=ptime:20\n",
                "v=0|c=IN IP4 10.0.0.7|m=audio 1026 RTP/AVP 8 0|a=ptime:20|",
            ),
            (
                "v=0\nm=audio $ RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15",
                "v=0|c=IN IP4 10.0.0.7|m=audio 1026 RTP/AVP 0|a=rtpmap:0 PCMU/8000|",
            ),
            (
                "v=0\nm=audio $ RTP/AVP $",
                "v=0|c=IN IP4 10.0.0.7|m=audio 1026 RTP/AVP 0|",
            ),
            (
                "v=0\nc=IN IP4 10.0.0.7\nm=audio 1026 RTP/AVP 0\n",
                "v=0|c=IN IP4 10.0.0.7|m=audio 1026 RTP/AVP 0|",
            ),
            // The second alternative is the first that can be done.
            (
                "v=0\nc=IN IP4 $\nm=audio $ RTP/AVP 4\nv=0\nc=IN IP4 $\nm=audio $ RTP/AVP 8\n",
                "v=0|c=IN IP4 10.0.0.7|m=audio 1026 RTP/AVP 8|",
            ),
        ] {
            assert_eq!(filled(local).as_deref(), Ok(expected), "{local}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        for (local, code) in [
            ("v=0\nc=IN IP4 $\nm=audio $ RTP/AVP 18\n", 515),
            ("v=0\nc=IN IP4 $\nm=video $ RTP/AVP 31\n", 515),
            ("v=0\nc=IN IP4 10.0.0.8\nm=audio $ RTP/AVP 0\n", 510),
            ("v=0\nc=IN IP4 $\nm=audio 1028 RTP/AVP 0\n", 510),
            ("", 515),
        ] {
            assert_eq!(filled(local), Err(code), "{local}");
        }
    }

    #[test]
    fn the_first_alternative_that_can_be_done_is_taken() {
        let two = "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 18\nv=0\nc=IN IP4 192.0.2.1\nm=audio 4002 RTP/AVP 8\n";
        let found = target(&two.into()).unwrap().unwrap();
        assert_eq!((found.address.port(), found.codec), (4002, Codec::Pcma));
        assert_eq!(target(&"".into()), Ok(None));
        assert_eq!(
            target(&"v=0\nm=audio 4000 RTP/AVP 18\n".into()),
            Err(UNSUPPORTED_MEDIA)
        );
    }
}
