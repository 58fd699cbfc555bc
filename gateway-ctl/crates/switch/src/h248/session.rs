//! Session descriptions between H.248 and SIP.
//!
//! A line describes its media without session (no `o=`, `s=`, `t=`) and one stream at a time; SIP wants the
//! whole (RFC 8866), and an answer with as many media as the offer has (RFC 3264 section 6).
//!
//! ```text
//!   SIP to a line     first audio of RTP/AVP, what of 0, 8 and telephone-event it has  --> Remote, mode
//!   a line to SIP     its audio, within a session; other media of an offer at port 0
//! ```

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use megaco::StreamMode;

use super::sdp::with_address;

/// What a line is told of the other end's media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remote {
    /// Which way they flow, as the line sees it.
    pub(crate) mode: StreamMode,
    /// The description; none on hold without an address.
    pub(crate) text: Option<Vec<u8>>,
}

/// The media of a description that a line can have.
#[derive(Debug)]
struct Audio<'a> {
    port: &'a str,
    address: &'a str,
    formats: Vec<&'a str>,
    attributes: Vec<&'a str>,
    mode: StreamMode,
}

/// Formats that every gateway is asked for: PCMU and PCMA.
const COMMON: [&str; 2] = ["0", "8"];
const DTMF: &str = "telephone-event/8000";

/// What SIP describes, for a line; `None`: it has no media that a line can have.
pub(crate) fn remote(description: &[u8]) -> Option<Remote> {
    let text = std::str::from_utf8(description).ok()?;
    let audio = read(text)?;
    if !audio.formats.iter().any(|format| COMMON.contains(format)) {
        return None;
    }
    // As the line sees it: what the other end only sends is only received.
    let mode = match audio.mode {
        StreamMode::SendOnly => StreamMode::ReceiveOnly,
        StreamMode::ReceiveOnly => StreamMode::SendOnly,
        other => other,
    };
    if audio.address == "0.0.0.0" {
        let (mode, text) = (StreamMode::Inactive, None);
        return Some(Remote { mode, text });
    }
    let mut text = format!("v=0\r\nc=IN IP4 {}\r\n", audio.address);
    write_media(&mut text, &audio);
    let text = Some(text.into_bytes());
    Some(Remote { mode, text })
}

/// What a line offers, for SIP. The session is known by `id`; each change has another `version`.
pub(crate) fn offer(local: &[u8], address: Ipv4Addr, id: u64, version: u32) -> Option<Vec<u8>> {
    let local = with_address(local, address);
    let audio = read(std::str::from_utf8(&local).ok()?)?;
    let mut text = session(address, id, version);
    write_media(&mut text, &audio);
    Some(text.into_bytes())
}

/// What a line answers to an offer.
pub(crate) fn answer(
    local: &[u8],
    offer: &[u8],
    address: Ipv4Addr,
    id: u64,
    version: u32,
) -> Option<Vec<u8>> {
    let local = with_address(local, address);
    let mut audio = read(std::str::from_utf8(&local).ok()?)?;
    let offer = std::str::from_utf8(offer).ok()?;
    let offered = read(offer)?;
    // Only what was offered; events of telephones by their name, as their number may differ.
    let dtmf = |audio: &Audio<'_>| named(audio, DTMF).map(str::to_owned);
    let (own, theirs) = (dtmf(&audio), dtmf(&offered));
    audio.formats.retain(|format| {
        let both = COMMON.contains(format) && offered.formats.contains(format);
        both || (Some(*format) == own.as_deref() && theirs.is_some())
    });
    if !audio.formats.iter().any(|format| COMMON.contains(format)) {
        return None;
    }
    let mut text = session(address, id, version);
    let mut answered = false;
    for media in offer.lines().filter_map(|line| line.strip_prefix("m=")) {
        let words: Vec<&str> = media.split_ascii_whitespace().collect();
        let [kind, port, protocol, formats @ ..] = words.as_slice() else {
            return None;
        };
        if !answered && is_usable(kind, port, protocol) {
            answered = true;
            write_media(&mut text, &audio);
            text += match offered.mode {
                StreamMode::SendOnly => "a=recvonly\r\n",
                StreamMode::ReceiveOnly => "a=sendonly\r\n",
                StreamMode::Inactive => "a=inactive\r\n",
                _ => "",
            };
        } else {
            let _ = write!(text, "m={kind} 0 {protocol} {}\r\n", formats.join(" "));
        }
    }
    Some(text.into_bytes())
}

fn session(address: Ipv4Addr, id: u64, version: u32) -> String {
    format!("v=0\r\no=- {id} {version} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n")
}

fn is_usable(kind: &str, port: &str, protocol: &str) -> bool {
    kind == "audio" && port != "0" && protocol == "RTP/AVP"
}

/// The number of the format with this name.
fn named<'a>(audio: &Audio<'a>, name: &str) -> Option<&'a str> {
    let maps = audio.attributes.iter();
    let mut maps = maps.filter_map(|line| line.strip_prefix("rtpmap:")?.split_once(' '));
    let found = maps.find(|(_, what)| what.trim().eq_ignore_ascii_case(name));
    found.map(|(format, _)| format)
}

/// The first audio that is in use.
fn read(text: &str) -> Option<Audio<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut sections = lines.chunk_by(|_, next| !next.starts_with("m="));
    let session = sections.next()?;
    // A line's description may have no session at all.
    let (session, media) = match session.first()?.starts_with("m=") {
        true => (&[][..], Some(session)),
        false => (session, None),
    };
    let mut media = media.into_iter().chain(sections);
    media.find_map(|section| read_media(session, section))
}

fn read_media<'a>(session: &[&'a str], section: &[&'a str]) -> Option<Audio<'a>> {
    let words = section.first()?.strip_prefix("m=")?;
    let words: Vec<&str> = words.split_ascii_whitespace().collect();
    let [kind, port, protocol, formats @ ..] = words.as_slice() else {
        return None;
    };
    let lines = || section.iter().chain(session);
    let address = lines().find_map(|line| line.strip_prefix("c=IN IP4 "))?;
    let attributes = |lines: &[&'a str]| -> Vec<&'a str> {
        let found = lines.iter().filter_map(|line| line.strip_prefix("a="));
        found.collect()
    };
    let own = attributes(section);
    let all = own.iter().copied().chain(attributes(session));
    let mode = all.into_iter().find_map(way);
    is_usable(kind, port, protocol).then(|| Audio {
        port,
        address: address.split('/').next().unwrap_or_default().trim(),
        formats: formats.to_vec(),
        attributes: own,
        mode: mode.unwrap_or(StreamMode::SendReceive),
    })
}

/// The way of media that an attribute names.
fn way(attribute: &str) -> Option<StreamMode> {
    match attribute {
        "sendrecv" => Some(StreamMode::SendReceive),
        "sendonly" => Some(StreamMode::SendOnly),
        "recvonly" => Some(StreamMode::ReceiveOnly),
        "inactive" => Some(StreamMode::Inactive),
        _ => None,
    }
}

/// The media, with those formats and attributes that lines and telephones have in common.
fn write_media(text: &mut String, audio: &Audio<'_>) {
    let dtmf = named(audio, DTMF);
    let formats = audio.formats.iter().copied();
    let known = |format: &&str| COMMON.contains(format) || Some(*format) == dtmf;
    let formats: Vec<&str> = formats.filter(known).collect();
    let _ = write!(
        text,
        "m=audio {} RTP/AVP {}\r\n",
        audio.port,
        formats.join(" ")
    );
    for attribute in &audio.attributes {
        let format = ["rtpmap:", "fmtp:"].iter().find_map(|begin| {
            let rest = attribute.strip_prefix(begin)?;
            rest.split(' ').next()
        });
        let kept = match format {
            Some(format) => formats.contains(&format),
            None => ["rtcp:", "ptime:", "maxptime:"]
                .iter()
                .any(|begin| attribute.starts_with(begin)),
        };
        if kept {
            let _ = write!(text, "a={attribute}\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "v=0\r\nc=IN IP4 10.10.1.1\r\nm=audio 40002 RTP/AVP 0 8 101\r\n\
                         a=rtpmap:101 telephone-event/8000\r\n";
    const HERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

    fn text(bytes: Option<Vec<u8>>) -> String {
        String::from_utf8(bytes.expect("a description")).expect("text")
    }

    #[test]
    fn a_line_offers_a_session() {
        assert_eq!(
            text(offer(LOCAL.as_bytes(), HERE, 7, 1)),
            "v=0\r\no=- 7 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n\
             m=audio 40002 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        );
    }

    #[test]
    fn a_line_answers_what_was_offered_and_no_more() {
        let offered = "v=0\r\no=a 1 1 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\n\
                       m=video 5000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n\
                       m=audio 6000 RTP/AVP 18 8 96\r\na=rtpmap:96 telephone-event/8000\r\n\
                       a=sendonly\r\nm=audio 7000 RTP/AVP 0\r\n";
        let answered = text(answer(LOCAL.as_bytes(), offered.as_bytes(), HERE, 7, 2));
        let media = &answered[answered.find("m=").expect("media")..];
        assert_eq!(
            media,
            "m=video 0 RTP/AVP 99\r\nm=audio 40002 RTP/AVP 8 101\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=recvonly\r\nm=audio 0 RTP/AVP 0\r\n"
        );
        let strange = offered.replace("18 8 96", "18 96");
        assert_eq!(
            answer(LOCAL.as_bytes(), strange.as_bytes(), HERE, 7, 2),
            None
        );
    }

    #[test]
    fn a_line_is_told_what_it_can_have() {
        let whole = "v=0\r\no=a 1 1 IN IP4 10.1.1.1\r\ns=x\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\n\
                     a=ice-lite\r\nm=audio 6000 RTP/AVP 9 0 96\r\na=rtpmap:9 G722/8000\r\n\
                     a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=rtcp:6005\r\n\
                     a=candidate:1 1 UDP 1 10.1.1.1 6000 typ host\r\n";
        let told = remote(whole.as_bytes()).expect("media");
        assert_eq!(told.mode, StreamMode::SendReceive);
        assert_eq!(
            text(told.text),
            "v=0\r\nc=IN IP4 10.1.1.1\r\nm=audio 6000 RTP/AVP 0 96\r\n\
             a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=rtcp:6005\r\n"
        );
        for (way, mode) in [
            ("sendonly", StreamMode::ReceiveOnly),
            ("recvonly", StreamMode::SendOnly),
            ("inactive", StreamMode::Inactive),
        ] {
            let held = format!("{whole}a={way}\r\n");
            assert_eq!(remote(held.as_bytes()).map(|told| told.mode), Some(mode));
        }
        // On hold, the old way.
        let held = whole.replace("c=IN IP4 10.1.1.1", "c=IN IP4 0.0.0.0");
        let held = remote(held.as_bytes()).expect("media");
        assert_eq!(
            held,
            Remote {
                mode: StreamMode::Inactive,
                text: None
            }
        );
        for nothing in [
            "",
            "v=0\r\n",
            "v=0\r\nc=IN IP4 10.1.1.1\r\nm=audio 0 RTP/AVP 0\r\n",
            "v=0\r\nc=IN IP4 10.1.1.1\r\nm=audio 6000 RTP/SAVP 0\r\n",
            "v=0\r\nc=IN IP4 10.1.1.1\r\nm=audio 6000 RTP/AVP 18\r\n",
            "v=0\r\nm=audio 6000 RTP/AVP 0\r\n",
        ] {
            assert_eq!(remote(nothing.as_bytes()), None, "{nothing}");
        }
    }
}
