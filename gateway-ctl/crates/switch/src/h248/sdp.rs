//! Another address in a session description; all else stays as it is, octet by octet.

use std::net::Ipv4Addr;

/// The description with this address wherever an address of IPv4 stands for media: lines `c=`, and
/// `a=rtcp:` (RFC 3605). Ports stay: they are the phone's own inside and outside.
pub(crate) fn with_address(description: &[u8], address: Ipv4Addr) -> Vec<u8> {
    let text = address.to_string();
    let mut changed = Vec::with_capacity(description.len() + text.len());
    for line in description.split_inclusive(|byte| *byte == b'\n') {
        let body = line.trim_ascii_end();
        let end = &line[body.len()..];
        match before_address(body) {
            // On hold, the old way (RFC 2543): no address at all.
            Some(at) if !body[at..].starts_with(b"0.0.0.0") => {
                changed.extend_from_slice(&body[..at]);
                changed.extend_from_slice(text.as_bytes());
                let rest = &body[at..];
                let rest = rest.iter().position(|byte| matches!(byte, b'/' | b' '));
                changed.extend_from_slice(rest.map_or(&[], |rest| &body[at + rest..]));
                changed.extend_from_slice(end);
            }
            _ => changed.extend_from_slice(line),
        }
    }
    changed
}

/// The first address of media in a description.
pub(crate) fn address_in(description: &[u8]) -> Option<Ipv4Addr> {
    let mut lines = description.split(|byte| *byte == b'\n');
    let line = lines.find(|line| line.starts_with(b"c="))?;
    let at = before_address(line)?;
    let text = std::str::from_utf8(&line[at..]).ok()?;
    text.split(['/', ' ', '\r']).next()?.parse().ok()
}

/// Where in a line the address begins that is to be replaced.
fn before_address(line: &[u8]) -> Option<usize> {
    const MARK: &[u8] = b"IN IP4 ";
    let relevant = line.starts_with(b"c=") || line.starts_with(b"a=rtcp:");
    let at = line.windows(MARK.len()).position(|part| part == MARK)?;
    relevant.then_some(at + MARK.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_media_is_found() {
        let found = |text: &str| address_in(text.as_bytes());
        let there = Ipv4Addr::new(10, 10, 1, 1);
        assert_eq!(
            found("v=0\r\nc=IN IP4 10.10.1.1\r\nm=audio 4 RTP/AVP 0\r\n"),
            Some(there)
        );
        assert_eq!(found("c=IN IP4 10.10.1.1/127\nm=audio"), Some(there));
        for none in ["", "v=0\r\n", "c=IN IP4 $\r\n", "c=IN IP6 ::1\r\n"] {
            assert_eq!(found(none), None, "{none}");
        }
    }

    #[test]
    fn only_the_address_changes() {
        let before = "v=0\r\no=- 1 1 IN IP4 10.10.1.1\r\nc=IN IP4 10.10.1.1\r\n\
                      m=audio 40002 RTP/AVP 0\r\na=rtcp:40003 IN IP4 10.10.1.1\r\na=x\n";
        let after = with_address(before.as_bytes(), Ipv4Addr::new(198, 51, 100, 1));
        let expected = "v=0\r\no=- 1 1 IN IP4 10.10.1.1\r\nc=IN IP4 198.51.100.1\r\n\
                        m=audio 40002 RTP/AVP 0\r\na=rtcp:40003 IN IP4 198.51.100.1\r\na=x\n";
        assert_eq!(String::from_utf8_lossy(&after), expected);
        for same in [
            "",
            "c=IN IP6 ::1\r\n",
            "c=IN IP4 0.0.0.0\r\n",
            "c=IN IP4",
            "m=audio 1 RTP/AVP 0",
        ] {
            assert_eq!(
                with_address(same.as_bytes(), Ipv4Addr::LOCALHOST),
                same.as_bytes()
            );
        }
    }
}
