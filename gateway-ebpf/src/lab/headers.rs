//! Ethernet, IPv4 and UDP headers, every byte of them: live frames and repeated test
//! runs bring back a packet as it was left, not as it was.

use aya_ebpf::programs::XdpContext;

use crate::abi::Traffic;

/// Where a packet is from and where it goes, host byte order.
pub(crate) struct Ends {
    pub source: u32,
    pub source_port: u16,
    pub destination: u32,
    pub destination_port: u16,
}

/// Ethernet 14, IPv4 20, UDP 8 bytes, as 16-bit words.
type Headers = [u16; 21];

const IPV4: usize = 20;
const UDP: u16 = 17;
const TTL: u16 = 64;

/// Writes the headers. What follows them is zero, as the bench made it, so that the
/// checksum covers it without reading it.
#[inline(always)]
pub(crate) fn write(ctx: &XdpContext, traffic: &Traffic, ends: &Ends) -> Option<()> {
    let start = ctx.data();
    if start + size_of::<Headers>() > ctx.data_end() {
        return None;
    }
    let length = traffic.ip_length as u16;
    let udp_length = length - IPV4 as u16;
    let addresses = halves(ends.source) + halves(ends.destination);
    let ip_sum = 0x4500 + u32::from(length) + u32::from(TTL << 8 | UDP) + addresses;
    let ports = u32::from(ends.source_port) + u32::from(ends.destination_port);
    let udp_sum = addresses + u32::from(UDP) + 2 * u32::from(udp_length) + ports;
    let [d0, d1, d2, s0, s1, s2] = traffic.ethernet;
    // SAFETY: as many bytes are there, as just checked; words of 16 bits may stand at
    // any even address, and a packet starts at one.
    let to = unsafe { &mut *(start as *mut Headers) };
    let be = u16::to_be;
    let [source, destination] = [ends.source, ends.destination].map(words);
    let udp_checksum = match checksum(udp_sum) {
        // 0 would mean: none (RFC 768).
        0 => 0xffff,
        sum => sum,
    };
    *to = [
        d0,
        d1,
        d2,
        s0,
        s1,
        s2,
        be(0x0800),
        be(0x4500),
        be(length),
        0,
        0,
        be(TTL << 8 | UDP),
        be(checksum(ip_sum)),
        source[0],
        source[1],
        destination[0],
        destination[1],
        be(ends.source_port),
        be(ends.destination_port),
        be(udp_length),
        be(udp_checksum),
    ];
    Some(())
}

/// An address as it stands in a header.
#[inline(always)]
fn words(address: u32) -> [u16; 2] {
    [((address >> 16) as u16).to_be(), (address as u16).to_be()]
}

/// The sum of an address's halves.
#[inline(always)]
fn halves(address: u32) -> u32 {
    (address >> 16) + (address & 0xffff)
}

/// The complement of a sum of fewer than 65,536 words (RFC 1071).
#[inline(always)]
fn checksum(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    !((sum & 0xffff) + (sum >> 16)) as u16
}
