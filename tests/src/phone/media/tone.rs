//! A sine wave to say, and which one is heard.

use std::f64::consts::TAU;
use std::rc::Rc;

use super::codec::Codec;
use super::{CLOCK_HZ, PACKET_SAMPLES};

/// The lowest tone that is told apart.
pub const LOWEST_HZ: u16 = 200;
/// The highest tone that is told apart.
pub const HIGHEST_HZ: u16 = 3600;
/// Samples that are listened to at a time: 100 ms, so that tones 10 Hz apart differ.
const WINDOW: usize = 800;
/// What a window tells apart, in Hz.
const STEP_HZ: u16 = 10;
/// Half of the scale: clear of the codecs' ends.
const AMPLITUDE: f64 = 16_384.0;
/// The part of all that is heard which a tone must have to be one: the rest is the codec's noise,
/// and what a missing packet cuts.
const PURE: f64 = 0.5;
/// Mean square below which there is silence.
const SILENCE: f64 = 100.0;

/// A tone as bytes of a codec, packet by packet.
#[derive(Clone, Debug)]
pub(crate) struct Tone(Rc<[u8]>);

impl Tone {
    /// A sine of so many hertz, rounded to 10: it repeats after [`WINDOW`] samples.
    pub(crate) fn new(hz: u16, codec: Codec) -> Self {
        let hz = f64::from(hz / STEP_HZ * STEP_HZ);
        let sample = |n: usize| {
            let phase = TAU * hz * n as f64 / f64::from(CLOCK_HZ);
            codec.encode((AMPLITUDE * phase.sin()) as i16)
        };
        Self((0..WINDOW).map(sample).collect())
    }

    /// What packet `number` carries.
    pub(crate) fn packet(&self, number: u64) -> &[u8] {
        let at = (number % (WINDOW / PACKET_SAMPLES) as u64) as usize * PACKET_SAMPLES;
        &self.0[at..at + PACKET_SAMPLES]
    }
}

/// Listens, 100 ms at a time.
#[derive(Clone, Debug)]
pub struct ToneMeter {
    codec: Codec,
    window: Vec<u8>,
    last: Option<Box<[u8]>>,
}

impl Default for ToneMeter {
    fn default() -> Self {
        Self {
            codec: Codec::Pcmu,
            window: Vec::new(),
            last: None,
        }
    }
}

impl ToneMeter {
    /// The bytes of the next packet; without `contiguous`, something between was lost.
    pub fn hear(&mut self, codec: Codec, payload: &[u8], contiguous: bool) {
        if !contiguous || codec != self.codec {
            self.window.clear();
            self.codec = codec;
        }
        self.window.extend(payload);
        if self.window.len() >= WINDOW {
            self.last = Some(self.window[..WINDOW].into());
            self.window.clear();
        }
    }

    /// The tone in the last whole 100 ms, in Hz to the nearest 10; none in silence and noise.
    #[must_use]
    pub fn hz(&self) -> Option<u16> {
        let heard = self.last.as_deref()?;
        let decode = |byte: &u8| f64::from(self.codec.decode(*byte));
        let samples: Vec<f64> = heard.iter().map(decode).collect();
        let energy: f64 = samples.iter().map(|sample| sample * sample).sum();
        if energy < SILENCE * WINDOW as f64 {
            return None;
        }
        let grid = (LOWEST_HZ..=HIGHEST_HZ).step_by(usize::from(STEP_HZ));
        let (hz, power) = grid
            .map(|hz| (hz, goertzel(&samples, hz)))
            .max_by(|one, other| one.1.total_cmp(&other.1))?;
        // A pure sine of energy E has the power E * N / 2.
        (power > PURE * energy * WINDOW as f64 / 2.0).then_some(hz)
    }
}

/// Power of the samples at one frequency (Goertzel's algorithm).
fn goertzel(samples: &[f64], hz: u16) -> f64 {
    let factor = 2.0 * (TAU * f64::from(hz) / f64::from(CLOCK_HZ)).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        (one, two) = (sample + factor * one - two, one);
    }
    one * one + two * two - factor * one * two
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(packets: impl Iterator<Item = Vec<u8>>) -> Option<u16> {
        let mut meter = ToneMeter::default();
        packets.for_each(|packet| meter.hear(Codec::Pcmu, &packet, true));
        meter.hz()
    }

    #[test]
    fn every_tone_is_told_from_its_neighbours() {
        for codec in [Codec::Pcmu, Codec::Pcma] {
            for hz in (LOWEST_HZ..=HIGHEST_HZ).step_by(10) {
                let tone = Tone::new(hz, codec);
                let mut meter = ToneMeter::default();
                (3..8).for_each(|n| meter.hear(codec, tone.packet(n), true));
                assert_eq!(meter.hz(), Some(hz), "{codec:?}");
            }
        }
    }

    #[test]
    fn silence_noise_and_too_little_are_no_tone() {
        let tone = Tone::new(1000, Codec::Pcmu);
        assert_eq!(heard((0..4).map(|n| tone.packet(n).to_vec())), None);
        assert_eq!(heard((0..5).map(|_| vec![0xff; 160])), None);
        let mut state = 1_u32;
        let noise = (0..5).map(|_| {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            (0..160).map(|_| next()).collect()
        });
        assert_eq!(heard(noise), None);
    }

    #[test]
    fn a_gap_begins_anew() {
        let tone = Tone::new(440, Codec::Pcmu);
        let mut meter = ToneMeter::default();
        (0..4).for_each(|n| meter.hear(Codec::Pcmu, tone.packet(n), true));
        meter.hear(Codec::Pcmu, tone.packet(9), false);
        assert_eq!(meter.hz(), None);
        (10..14).for_each(|n| meter.hear(Codec::Pcmu, tone.packet(n), true));
        assert_eq!(meter.hz(), Some(440));
    }
}
