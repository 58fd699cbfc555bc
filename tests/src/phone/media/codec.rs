//! G.711: a sample of 16 bits in a byte, in two ways.
//!
//! ```text
//!   PCMU  s eee mmmm   all bits inverted; value = ((mmmm * 2 + 33) << eee) - 33, times 4
//!   PCMA  s eee mmmm   even bits inverted; value = (mmmm * 2 + 1, + 32 if eee > 0) << (eee - 1)
//! ```

/// Static payload types of RFC 3551, table 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// µ-law, payload type 0.
    Pcmu,
    /// A-law, payload type 8.
    Pcma,
}

const BIAS: i32 = 33;
/// Largest magnitude of 14 bits that µ-law can say.
const PCMU_MOST: i32 = 8158;
/// Largest magnitude of 13 bits that A-law can say.
const PCMA_MOST: i32 = 4095;

impl Codec {
    /// By its payload type.
    #[must_use]
    pub const fn of(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Pcmu),
            8 => Some(Self::Pcma),
            _ => None,
        }
    }

    /// Its payload type.
    #[must_use]
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// As session descriptions name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// A sample of 16 bits to a byte.
    #[must_use]
    pub fn encode(self, sample: i16) -> u8 {
        let value = i32::from(sample);
        let sign = if value < 0 { 0x80 } else { 0 };
        match self {
            Self::Pcmu => {
                let biased = (value.abs() >> 2).min(PCMU_MOST) + BIAS;
                // 33..8191: the highest bit is 5 to 12.
                let exponent = biased.ilog2() - 5;
                let mantissa = (biased >> (exponent + 1)) & 0x0f;
                !(sign | (exponent << 4) as u8 | mantissa as u8)
            }
            Self::Pcma => {
                let magnitude = (value.abs() >> 3).min(PCMA_MOST);
                let exponent = magnitude.max(1).ilog2().saturating_sub(4);
                let mantissa = (magnitude >> exponent.max(1)) & 0x0f;
                // Positive samples have the sign bit set.
                (0x80 ^ sign | (exponent << 4) as u8 | mantissa as u8) ^ 0x55
            }
        }
    }

    /// A byte to a sample of 16 bits.
    #[must_use]
    pub fn decode(self, byte: u8) -> i16 {
        let (negative, value) = match self {
            Self::Pcmu => {
                let byte = !byte;
                let (exponent, mantissa) = ((byte >> 4) & 7, i32::from(byte & 0x0f));
                let value = ((mantissa * 2 + BIAS) << exponent) - BIAS;
                (byte & 0x80 != 0, value << 2)
            }
            Self::Pcma => {
                let byte = byte ^ 0x55;
                let (exponent, mantissa) = ((byte >> 4) & 7, i32::from(byte & 0x0f));
                let value = match exponent {
                    0 => mantissa * 2 + 1,
                    _ => (mantissa * 2 + 33) << (exponent - 1),
                };
                (byte & 0x80 == 0, value << 3)
            }
        };
        // At most 32,124 and 32,256.
        (if negative { -value } else { value }) as i16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

    #[test]
    fn bytes_of_the_standard() {
        // Silence and the ends of the scale (G.711, tables 1 and 2).
        for (codec, sample, byte) in [
            (Codec::Pcmu, 0, 0xff),
            (Codec::Pcmu, i16::MAX, 0x80),
            (Codec::Pcmu, i16::MIN, 0x00),
            (Codec::Pcma, 0, 0xd5),
            (Codec::Pcma, i16::MAX, 0xaa),
            (Codec::Pcma, i16::MIN, 0x2a),
        ] {
            assert_eq!(codec.encode(sample), byte, "{codec:?} {sample}");
        }
    }

    #[test]
    fn every_byte_means_itself() {
        for codec in BOTH {
            for byte in 0..=255 {
                let again = codec.encode(codec.decode(byte));
                // µ-law has two zeros.
                let same = again == byte || codec.decode(again) == 0 && codec.decode(byte) == 0;
                assert!(same, "{codec:?} {byte:#x} {again:#x}");
            }
        }
    }

    #[test]
    fn a_sample_stays_near() {
        for codec in BOTH {
            for sample in i16::MIN..=i16::MAX {
                let heard = i32::from(codec.decode(codec.encode(sample)));
                let off = (heard - i32::from(sample)).abs();
                let most = (i32::from(sample).abs() / 16).max(16);
                assert!(off <= most, "{codec:?} {sample} {heard}");
            }
        }
    }
}
