//! What arrived, what did not, and how evenly (RFC 3550, A.1, A.3 and A.8).
//!
//! Sequence numbers are counted on past their 16 bits. What is missing when a later one arrives is
//! lost, until it arrives after all: then it was reordered. What arrives twice is a duplicate.

use std::time::Duration;

use super::codec::Codec;
use super::rtp::Packet;
use super::tone::ToneMeter;
use super::{CLOCK_HZ, PACKET_SAMPLES};

/// A number further ahead than this is not a loss, but another beginning.
const MOST_MISSING: u16 = 3000;
/// Numbers of the past that are remembered.
const REMEMBERED: u32 = 128;

/// What arrived, in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Without duplicates.
    pub packets: u64,
    /// Missing so far.
    pub lost: u64,
    /// Twice or more often.
    pub duplicates: u64,
    /// Behind a later one.
    pub reordered: u64,
    /// Times that another source began, or the same one began anew.
    pub restarts: u64,
}

/// A source that is listened to.
#[derive(Clone, Debug)]
struct Source {
    ssrc: u32,
    /// Number of the first packet.
    first: u32,
    /// Highest number so far, counted past 16 bits.
    highest: u32,
    /// Bit n: number `highest - n` has arrived.
    seen: u128,
    packets: u64,
    /// In samples.
    jitter: f64,
    transit: Option<f64>,
    /// At the last report: expected and arrived.
    reported: (u64, u64),
}

/// Listens to one source at a time.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    source: Option<Source>,
    before: Arrivals,
    duplicates: u64,
    reordered: u64,
    restarts: u64,
    tone: ToneMeter,
    most_jitter: f64,
}

impl Receiver {
    /// A packet that arrived at `now`.
    pub fn hear(&mut self, now: Duration, packet: &Packet<'_>) {
        let Some(codec) = Codec::of(packet.payload_type) else {
            // Comfort noise and telephone events take part in the numbering alone.
            self.count(packet);
            return;
        };
        let contiguous = self.count(packet);
        let Some(contiguous) = contiguous else { return };
        if let Some(source) = &mut self.source {
            let arrival = now.as_secs_f64() * f64::from(CLOCK_HZ);
            // Timestamps go round: the difference to the last does not.
            let transit = arrival - f64::from(packet.timestamp);
            if let Some(last) = source.transit {
                let round = f64::from(u32::MAX) + 1.0;
                let mut difference = (transit - last).abs() % round;
                difference = difference.min(round - difference);
                source.jitter += (difference - source.jitter) / 16.0;
                self.most_jitter = self.most_jitter.max(source.jitter);
            }
            source.transit = Some(transit);
        }
        self.tone.hear(codec, packet.payload, contiguous);
    }

    /// Counts a packet: whether it is the one behind the last; none when it has been heard.
    fn count(&mut self, packet: &Packet<'_>) -> Option<bool> {
        let Some(source) = self
            .source
            .as_mut()
            .filter(|source| source.ssrc == packet.ssrc)
        else {
            self.begin(packet);
            return Some(false);
        };
        let ahead = packet
            .sequence
            .wrapping_sub((source.highest & 0xffff) as u16);
        let behind = u32::from(ahead.wrapping_neg());
        if ahead == 0 || behind < REMEMBERED {
            let bit = 1_u128 << behind;
            // What came before the first was sent before anybody listened.
            if source.seen & bit != 0 || source.highest - source.first < behind {
                self.duplicates += u64::from(source.seen & bit != 0);
                return None;
            }
            source.seen |= bit;
            source.packets += 1;
            self.reordered += 1;
            return Some(false);
        }
        if ahead < MOST_MISSING {
            let ahead = u32::from(ahead);
            source.highest += ahead;
            source.seen = source.seen.checked_shl(ahead).unwrap_or(0) | 1;
            source.packets += 1;
            return Some(ahead == 1);
        }
        self.begin(packet);
        Some(false)
    }

    fn begin(&mut self, packet: &Packet<'_>) {
        let first = u32::from(packet.sequence);
        if self.source.is_some() {
            self.restarts += 1;
        }
        self.before = self.arrivals();
        self.source = Some(Source {
            ssrc: packet.ssrc,
            first,
            highest: first,
            seen: 1,
            packets: 1,
            jitter: 0.0,
            transit: None,
            reported: (0, 0),
        });
    }

    /// What arrived so far, of all sources.
    #[must_use]
    pub fn arrivals(&self) -> Arrivals {
        let (packets, lost) = self.source.as_ref().map_or((0, 0), |source| {
            (source.packets, source.expected() - source.packets)
        });
        Arrivals {
            packets: self.before.packets + packets,
            lost: self.before.lost + lost,
            duplicates: self.duplicates,
            reordered: self.reordered,
            restarts: self.restarts,
        }
    }

    /// Interarrival jitter now, in milliseconds.
    #[must_use]
    pub fn jitter_ms(&self) -> f64 {
        millis(self.source.as_ref().map_or(0.0, |source| source.jitter))
    }

    /// The most that it ever was, in milliseconds.
    #[must_use]
    pub fn most_jitter_ms(&self) -> f64 {
        millis(self.most_jitter)
    }

    /// The tone that was heard last, in Hz.
    #[must_use]
    pub fn tone_hz(&self) -> Option<u16> {
        self.tone.hz()
    }

    /// Who is heard.
    #[must_use]
    pub fn ssrc(&self) -> Option<u32> {
        self.source.as_ref().map(|source| source.ssrc)
    }

    /// For a report block: highest number, jitter in samples, lost, and the part of 256 that was
    /// lost since it was asked last.
    pub(super) fn since_report(&mut self) -> Option<(u32, u32, i32, u8)> {
        let source = self.source.as_mut()?;
        let now = (source.expected(), source.packets);
        let (expected, arrived) = (now.0 - source.reported.0, now.1 - source.reported.1);
        source.reported = now;
        let missing = expected.saturating_sub(arrived);
        let fraction = (missing * 256).checked_div(expected).unwrap_or(0).min(255);
        let lost = i32::try_from(now.0 - now.1).unwrap_or(i32::MAX);
        Some((source.highest, source.jitter as u32, lost, fraction as u8))
    }
}

impl Source {
    fn expected(&self) -> u64 {
        u64::from(self.highest - self.first) + 1
    }
}

fn millis(samples: f64) -> f64 {
    samples * 1000.0 / f64::from(CLOCK_HZ)
}

// Packets of another length would only spoil the tone, but they are counted all the same.
const _: () = assert!(PACKET_SAMPLES * 5 == 800);

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(20);

    struct Bed {
        receiver: Receiver,
        ssrc: u32,
    }

    impl Bed {
        fn new() -> Self {
            let (receiver, ssrc) = (Receiver::default(), 1);
            Self { receiver, ssrc }
        }

        /// Packet `number`, so many milliseconds late.
        fn hear(&mut self, number: u32, late: u64) {
            let now = Duration::from_secs(9) + STEP * number + Duration::from_millis(late);
            let packet = Packet {
                marker: false,
                payload_type: 0,
                sequence: (number & 0xffff) as u16,
                timestamp: number.wrapping_mul(160),
                ssrc: self.ssrc,
                payload: &[0xff; 160],
            };
            self.receiver.hear(now, &packet);
        }

        fn counted(&self) -> [u64; 5] {
            let Arrivals {
                packets,
                lost,
                duplicates,
                reordered,
                restarts,
            } = self.receiver.arrivals();
            [packets, lost, duplicates, reordered, restarts]
        }
    }

    #[test]
    fn all_in_order_round_the_end_of_the_numbers() {
        let mut bed = Bed::new();
        (65_500..66_000).for_each(|number| bed.hear(number, 3));
        assert_eq!(bed.counted(), [500, 0, 0, 0, 0]);
        assert!(bed.receiver.jitter_ms() < 0.001);
        let (highest, jitter, lost, fraction) = bed.receiver.since_report().unwrap();
        assert_eq!((highest, jitter, lost, fraction), (65_999, 0, 0, 0));
    }

    #[test]
    fn lost_late_and_double() {
        let mut bed = Bed::new();
        for number in [10, 11, 14, 13, 13, 14, 16, 9] {
            bed.hear(number, 0);
        }
        // 12 and 15 are missing; 9 was sent before anybody listened.
        assert_eq!(bed.counted(), [5, 2, 2, 1, 0]);
        assert_eq!(bed.receiver.since_report().unwrap().3, (2 * 256 / 7) as u8);
        bed.hear(17, 0);
        assert_eq!(bed.receiver.since_report().unwrap().3, 0);
        // Longer ago than is remembered.
        bed.hear(17 + 300, 0);
        assert_eq!(bed.counted(), [7, 301, 2, 1, 0]);
    }

    #[test]
    fn another_source_and_a_leap_begin_anew() {
        let mut bed = Bed::new();
        (0..10).for_each(|number| bed.hear(number, 0));
        bed.ssrc = 2;
        (500..510).for_each(|number| bed.hear(number, 0));
        bed.hear(5000, 0);
        assert_eq!(bed.counted(), [21, 0, 0, 0, 2]);
        assert_eq!(bed.receiver.ssrc(), Some(2));
    }

    #[test]
    fn jitter_is_a_sixteenth_of_each_difference() {
        let mut bed = Bed::new();
        bed.hear(0, 0);
        bed.hear(1, 16);
        assert!((bed.receiver.jitter_ms() - 1.0).abs() < 1e-6);
        bed.hear(2, 16);
        assert!((bed.receiver.jitter_ms() - 15.0 / 16.0).abs() < 1e-6);
        assert!((bed.receiver.most_jitter_ms() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn other_payloads_take_part_in_the_numbering_alone() {
        let mut bed = Bed::new();
        bed.hear(0, 0);
        let event = Packet {
            marker: true,
            payload_type: 101,
            sequence: 1,
            timestamp: 0,
            ssrc: 1,
            payload: &[],
        };
        bed.receiver.hear(Duration::from_secs(10), &event);
        bed.hear(2, 0);
        assert_eq!(bed.counted(), [3, 0, 0, 0, 0]);
        assert!(bed.receiver.jitter_ms() < 0.001);
    }
}
