//! Packets at their pace: one each 20 ms, whose numbers and timestamps begin anywhere (RFC 3550
//! section 5.1).

use std::time::Duration;

use super::PACKET_SAMPLES;
use super::codec::Codec;
use super::rtp::Packet;
use super::tone::Tone;

/// The time between two packets.
pub(super) const INTERVAL: Duration = Duration::from_millis(20);
/// Packets that are made up for after a delay; what would have come before them is left out.
const MOST_BEHIND: u64 = 5;

#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) ssrc: u32,
    pub(super) packets: u32,
    pub(super) bytes: u32,
    tone_hz: u16,
    codec: Codec,
    tone: Tone,
    sequence: u16,
    first_timestamp: u32,
    /// When the first packet of this talkspurt was due, and how many have been since.
    spurt: Option<(Duration, u64)>,
    /// Intervals before this talkspurt.
    before: u64,
}

impl Sender {
    /// `random` decides where numbers begin.
    pub(super) fn new(tone_hz: u16, codec: Codec, random: [u32; 3]) -> Self {
        let [ssrc, first_timestamp, sequence] = random;
        Self {
            ssrc,
            packets: 0,
            bytes: 0,
            tone_hz,
            codec,
            tone: Tone::new(tone_hz, codec),
            sequence: (sequence & 0xffff) as u16,
            first_timestamp,
            spurt: None,
            before: 0,
        }
    }

    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    pub(super) fn set_codec(&mut self, codec: Codec) {
        if codec != self.codec {
            (self.codec, self.tone) = (codec, Tone::new(self.tone_hz, codec));
        }
    }

    /// Speaks, or falls silent.
    pub(super) fn speak(&mut self, now: Duration, on: bool) {
        match (on, self.spurt) {
            (true, None) => self.spurt = Some((now, 0)),
            (false, Some((begin, _))) => {
                // Time goes on in silence, to the next whole packet.
                self.before += intervals(now.saturating_sub(begin)) + 1;
                self.spurt = None;
            }
            _ => {}
        }
    }

    pub(super) fn due(&self) -> Option<Duration> {
        let (begin, sent) = self.spurt?;
        Some(begin + INTERVAL * u32::try_from(sent).unwrap_or(u32::MAX))
    }

    /// The next packet, if it is due.
    pub(super) fn next(&mut self, now: Duration) -> Option<Vec<u8>> {
        let (begin, sent) = self.spurt?;
        let elapsed = now.checked_sub(begin)?;
        let due = intervals(elapsed);
        if sent > due {
            return None;
        }
        let number = sent.max(due.saturating_sub(MOST_BEHIND));
        self.spurt = Some((begin, number + 1));
        let place = self.before + number;
        let bytes = Packet {
            marker: sent == 0,
            payload_type: self.codec.payload_type(),
            sequence: self.sequence,
            timestamp: self.timestamp_of(place),
            ssrc: self.ssrc,
            payload: self.tone.packet(place),
        }
        .bytes();
        self.sequence = self.sequence.wrapping_add(1);
        self.packets += 1;
        self.bytes += PACKET_SAMPLES as u32;
        Some(bytes)
    }

    /// The timestamp of this moment, for sender reports.
    pub(super) fn timestamp(&self, now: Duration) -> u32 {
        match self.spurt {
            Some((begin, _)) => {
                let since = now.saturating_sub(begin);
                let samples = since.as_micros() * u128::from(super::CLOCK_HZ) / 1_000_000;
                self.timestamp_of(self.before).wrapping_add(samples as u32)
            }
            None => self.timestamp_of(self.before),
        }
    }

    fn timestamp_of(&self, place: u64) -> u32 {
        let samples = place.wrapping_mul(PACKET_SAMPLES as u64) as u32;
        self.first_timestamp.wrapping_add(samples)
    }
}

fn intervals(time: Duration) -> u64 {
    (time.as_micros() / INTERVAL.as_micros()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(7);

    fn at(millis: u64) -> Duration {
        START + Duration::from_millis(millis)
    }

    fn sender() -> Sender {
        Sender::new(1000, Codec::Pcmu, [1, u32::MAX - 100, 0xffff])
    }

    fn heads(sender: &mut Sender, now: Duration) -> Vec<(bool, u16, u32)> {
        let all = std::iter::from_fn(|| sender.next(now));
        all.map(|bytes| {
            let packet = Packet::parse(&bytes).unwrap();
            assert_eq!((packet.ssrc, packet.payload.len()), (1, 160));
            (packet.marker, packet.sequence, packet.timestamp)
        })
        .collect()
    }

    #[test]
    fn a_packet_each_20_ms() {
        let mut sender = sender();
        assert_eq!((sender.due(), sender.next(START)), (None, None));
        sender.speak(START, true);
        let first = u32::MAX - 100;
        assert_eq!(heads(&mut sender, START), [(true, 0xffff, first)]);
        assert_eq!(sender.due(), Some(at(20)));
        assert_eq!(heads(&mut sender, at(19)), []);
        // Numbers and timestamps go round.
        assert_eq!(heads(&mut sender, at(20)), [(false, 0, 59)]);
        assert_eq!(
            heads(&mut sender, at(60)),
            [(false, 1, 219), (false, 2, 379)]
        );
        assert_eq!(sender.timestamp(at(70)), first.wrapping_add(560));
        assert_eq!((sender.packets, sender.bytes), (4, 640));
    }

    #[test]
    fn after_a_long_delay_time_is_left_out_but_no_number() {
        let mut sender = sender();
        sender.speak(START, true);
        heads(&mut sender, START);
        let late = heads(&mut sender, at(1000));
        assert_eq!(late.len(), 6);
        assert_eq!(late[0].1, 0);
        assert_eq!(late[0].2, (u32::MAX - 100).wrapping_add(45 * 160));
    }

    #[test]
    fn silence_takes_time() {
        let mut sender = sender();
        sender.speak(START, true);
        heads(&mut sender, START);
        sender.speak(at(30), false);
        assert_eq!((sender.due(), heads(&mut sender, at(100))), (None, vec![]));
        sender.speak(at(500), true);
        let again = heads(&mut sender, at(500));
        assert_eq!(again, [(true, 0, (u32::MAX - 100).wrapping_add(2 * 160))]);
    }
}
