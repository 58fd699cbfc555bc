//! Checksums over the whole of what they cover.

use std::net::Ipv4Addr;

/// The Internet checksum (RFC 1071) of `parts`, each of which starts at an even offset: the
/// value for the field if that field is zero in `parts`, and 0 if it is filled in correctly.
pub(super) fn internet(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    for part in parts {
        for word in part.chunks(2) {
            let low = word.get(1).copied().unwrap_or(0);
            sum += u64::from(u16::from_be_bytes([word[0], low]));
        }
    }
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16)
}

/// The checksum of a TCP or UDP segment with its pseudo-header (RFC 9293, 3.1).
pub(super) fn transport(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    segment: &[u8],
) -> u16 {
    let length = (segment.len() as u16).to_be_bytes();
    let end = [0, protocol, length[0], length[1]];
    internet(&[&source.octets(), &destination.octets(), &end, segment])
}

/// CRC32c (RFC 9260, appendix A) in the byte order in which SCTP sends it.
pub(super) fn crc32c(parts: &[&[u8]]) -> [u8; 4] {
    const REVERSED_POLYNOMIAL: u32 = 0x82F6_3B78;
    let mut crc = u32::MAX;
    for &byte in parts.iter().copied().flatten() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc = (crc >> 1) ^ (REVERSED_POLYNOMIAL * carry);
        }
    }
    (!crc).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internet_checksum_of_rfc_1071() {
        let bytes = [0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7];
        assert_eq!(internet(&[&bytes]), !0xDDF2);
        assert_eq!(
            internet(&[&bytes[..3]]),
            !0xF201,
            "an odd byte counts as the high one"
        );
    }

    #[test]
    fn crc32c_of_rfc_3720() {
        assert_eq!(crc32c(&[&[0; 32]]), [0xAA, 0x36, 0x91, 0x8A]);
        assert_eq!(crc32c(&[b"1234", b"56789"]), 0xE306_9283_u32.to_le_bytes());
    }
}
