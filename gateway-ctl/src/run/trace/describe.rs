//! What a traced frame says of itself, as far as it goes: it was dropped, so nothing
//! in it is to be relied upon.

use std::net::Ipv4Addr;

use gateway_common::headers::protocol;

use crate::api::types::TraceLine;

/// Fills in what the frame's headers say.
pub(super) fn headers(frame: &[u8], ip_offset: usize, line: &mut TraceLine) {
    if ip_offset > 0 {
        line.vlans = vlans(frame);
    }
    let Some(ip) = frame.get(ip_offset..) else {
        return;
    };
    let (Some(source), Some(destination)) = (address(ip, 12), address(ip, 16)) else {
        return;
    };
    line.source = Some(source);
    line.destination = Some(destination);
    let number = ip[9];
    line.protocol = Some(name(number));
    let offset = u16_at(ip, 6).unwrap_or_default() & 0x1fff;
    if offset != 0 {
        line.detail = Some(format!("fragment at {}", u32::from(offset) * 8));
        return;
    }
    let transport = ip.get(usize::from(ip[0] & 0xf) * 4..).unwrap_or_default();
    match number {
        protocol::UDP | protocol::TCP | protocol::SCTP => {
            line.source_port = u16_at(transport, 0);
            line.destination_port = u16_at(transport, 2);
        }
        protocol::ICMP => {
            line.detail = transport
                .get(..2)
                .map(|kind| format!("type {}/{}", kind[0], kind[1]));
        }
        _ => {}
    }
}

fn vlans(frame: &[u8]) -> Vec<u16> {
    let mut found = Vec::new();
    let mut at = 12;
    while let Some(0x8100 | 0x88a8) = u16_at(frame, at)
        && let Some(tag) = u16_at(frame, at + 2)
    {
        found.push(tag & 0xfff);
        at += 4;
    }
    found
}

fn name(number: u8) -> String {
    match number {
        protocol::UDP => "udp".to_owned(),
        protocol::TCP => "tcp".to_owned(),
        protocol::SCTP => "sctp".to_owned(),
        protocol::ICMP => "icmp".to_owned(),
        other => format!("protocol {other}"),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn address(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(octets.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> TraceLine {
        serde_json::from_str(
            r#"{"time":"","interface":"","hook":"","reason":"","length":0,"vlans":[]}"#,
        )
        .unwrap()
    }

    const UDP: [u8; 28] = [
        0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 10, 0, 21, 203, 0, 113, 10, // IPv4
        0x9c, 0x40, 0x13, 0xc4, 0, 8, 0, 0, // UDP 40000 > 5060
    ];

    #[test]
    fn a_tagged_udp_packet() {
        let mut frame = vec![0; 12];
        frame.extend([0x81, 0, 0, 10, 8, 0]);
        frame.extend(UDP);
        let mut line = line();
        headers(&frame, 18, &mut line);
        assert_eq!(line.vlans, [10]);
        assert_eq!(line.protocol.as_deref(), Some("udp"));
        assert_eq!(line.source, Some(Ipv4Addr::new(10, 10, 0, 21)));
        assert_eq!(
            (line.source_port, line.destination_port),
            (Some(40000), Some(5060))
        );
    }

    #[test]
    fn whatever_is_cut_off_is_left_out() {
        for end in 0..UDP.len() {
            let mut line = line();
            headers(&UDP[..end], 0, &mut line);
            assert_eq!(line.source.is_some(), end >= 20);
            assert_eq!(line.destination_port.is_some(), end >= 24);
        }
        headers(&UDP, 0xffff, &mut line());
    }
}
