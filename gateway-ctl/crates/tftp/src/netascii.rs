//! Text in the network's form (RFC 764, RFC 1350 section 1): a line ends with CR LF, and a
//! CR that ends none is followed by NUL.
//!
//! ```text
//!   here       on the wire
//!   LF         CR LF
//!   CR         CR NUL
//! ```

const CR: u8 = b'\r';
const LF: u8 = b'\n';
const NUL: u8 = 0;

/// From here to the wire. Needs no state: each byte becomes one or two.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToNetascii;

impl ToNetascii {
    /// Appends `bytes` in the network's form.
    pub fn append(bytes: &[u8], to: &mut Vec<u8>) {
        for &byte in bytes {
            match byte {
                LF => to.extend([CR, LF]),
                CR => to.extend([CR, NUL]),
                other => to.push(other),
            }
        }
    }

    /// How many bytes `bytes` become.
    #[must_use]
    pub fn length(bytes: &[u8]) -> u64 {
        let doubled = bytes.iter().filter(|byte| matches!(**byte, LF | CR));
        (bytes.len() + doubled.count()) as u64
    }
}

/// From the wire to here. A block may end between a CR and what follows it.
#[derive(Clone, Debug, Default)]
pub struct FromNetascii {
    after_cr: bool,
}

impl FromNetascii {
    /// Appends the text that `bytes` stand for. A CR that is followed by neither LF nor
    /// NUL is kept with what follows it.
    pub fn append(&mut self, bytes: &[u8], to: &mut Vec<u8>) {
        for &byte in bytes {
            match (std::mem::take(&mut self.after_cr), byte) {
                (true, LF) => to.push(LF),
                (true, NUL) => to.push(CR),
                (true, CR) => {
                    to.push(CR);
                    self.after_cr = true;
                }
                (true, other) => to.extend([CR, other]),
                (false, CR) => self.after_cr = true,
                (false, other) => to.push(other),
            }
        }
    }

    /// Appends what is left at the end: a CR that nothing followed.
    pub fn finish(self, to: &mut Vec<u8>) {
        if self.after_cr {
            to.push(CR);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn to(text: &[u8]) -> Vec<u8> {
        let mut wire = Vec::new();
        ToNetascii::append(text, &mut wire);
        wire
    }

    fn from(wire: &[u8], piece: usize) -> Vec<u8> {
        let mut text = Vec::new();
        let mut decoder = FromNetascii::default();
        for bytes in wire.chunks(piece) {
            decoder.append(bytes, &mut text);
        }
        decoder.finish(&mut text);
        text
    }

    #[test]
    fn lines_and_carriage_returns() {
        for (text, wire) in [
            (&b""[..], &b""[..]),
            (b"a\nb\n", b"a\r\nb\r\n"),
            (b"a\rb", b"a\r\0b"),
            (b"a\r\nb", b"a\r\0\r\nb"),
            (b"\0\n", b"\0\r\n"),
        ] {
            assert_eq!(to(text), wire, "{text:?}");
            assert_eq!(from(wire, 1), text, "{wire:?}");
        }
        for (wire, text) in [
            (&b"a\rb"[..], &b"a\rb"[..]),
            (b"a\r", b"a\r"),
            (b"\r\r\n", b"\r\n"),
        ] {
            assert_eq!(from(wire, 1), text, "{wire:?}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back_in_pieces(
            text in proptest::collection::vec(prop_oneof![Just(CR), Just(LF), Just(NUL), any::<u8>()], 0..200),
            piece in 1..20_usize,
        ) {
            let wire = to(&text);
            prop_assert_eq!(wire.len() as u64, ToNetascii::length(&text));
            prop_assert_eq!(from(&wire, piece), text);
        }
    }
}
