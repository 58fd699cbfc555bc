//! RTCP: sender and receiver reports, a name, good-bye (RFC 3550 section 6).
//!
//! ```text
//!   V=2 P RC | 200 SR, 201 RR | length in words - 1
//!   SSRC of the sender
//!   SR: NTP time, 8 bytes; RTP time; packets; bytes
//!   RC report blocks: SSRC, lost part of 256, lost (3 bytes), highest sequence number,
//!                     jitter, last SR, delay since it
//!   then SDES (202) with a CNAME, and at the end BYE (203)
//! ```

use super::rtp::Malformed;

const SENDER: u8 = 200;
const RECEIVER: u8 = 201;
const NAMES: u8 = 202;
const BYE: u8 = 203;
const CNAME: u8 = 1;

/// What a sender says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SenderInfo {
    /// Seconds since 1900, 32 bits before and behind the point.
    pub(super) ntp: u64,
    /// The same moment in samples.
    pub(super) timestamp: u32,
    pub(super) packets: u32,
    pub(super) bytes: u32,
}

/// What a receiver says of a sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) ssrc: u32,
    /// Since the last report, of 256.
    pub(super) fraction_lost: u8,
    /// 24 bits with sign.
    pub(super) lost: i32,
    pub(super) highest: u32,
    /// In samples.
    pub(super) jitter: u32,
    /// The middle 32 bits of the last report's NTP time.
    pub(super) last_report: u32,
    /// Since then, in 65,536ths of a second.
    pub(super) delay: u32,
}

/// A compound packet, as far as it is looked at here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Compound {
    pub(super) ssrc: u32,
    pub(super) sender: Option<SenderInfo>,
    pub(super) blocks: Vec<Block>,
    pub(super) name: String,
    pub(super) bye: bool,
}

impl Compound {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut report = self.ssrc.to_be_bytes().to_vec();
        if let Some(info) = self.sender {
            report.extend(info.ntp.to_be_bytes());
            for word in [info.timestamp, info.packets, info.bytes] {
                report.extend(word.to_be_bytes());
            }
        }
        for block in &self.blocks {
            report.extend(block.bytes());
        }
        let kind = if self.sender.is_some() {
            SENDER
        } else {
            RECEIVER
        };
        let mut bytes = part(self.blocks.len(), kind, &report);
        let mut names = self.ssrc.to_be_bytes().to_vec();
        names.extend([CNAME, self.name.len().min(255) as u8]);
        names.extend(self.name.bytes().take(255));
        // One zero ends the list, more fill the word.
        names.push(0);
        names.resize(names.len().next_multiple_of(4), 0);
        bytes.extend(part(1, NAMES, &names));
        if self.bye {
            bytes.extend(part(1, BYE, &self.ssrc.to_be_bytes()));
        }
        bytes
    }

    /// Reads a datagram by the rules of RFC 3550, A.2: the first part is a report, the lengths
    /// fill the datagram.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, Malformed> {
        let mut compound = Self::default();
        let mut first = true;
        while !bytes.is_empty() {
            let (head, _) = bytes.split_at_checked(4).ok_or(Malformed)?;
            let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let (this, rest) = bytes.split_at_checked(4 + words * 4).ok_or(Malformed)?;
            let report = matches!(head[1], SENDER | RECEIVER);
            if head[0] >> 6 != 2 || first && (!report || head[0] & 0x20 != 0) {
                return Err(Malformed);
            }
            compound.part(head[1], usize::from(head[0] & 0x1f), &this[4..])?;
            (bytes, first) = (rest, false);
        }
        if first { Err(Malformed) } else { Ok(compound) }
    }

    fn part(&mut self, kind: u8, count: usize, body: &[u8]) -> Result<(), Malformed> {
        let mut words = body
            .chunks_exact(4)
            .map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
        let mut next = || words.next().ok_or(Malformed);
        match kind {
            SENDER | RECEIVER => {
                self.ssrc = next()?;
                if kind == SENDER {
                    self.sender = Some(SenderInfo {
                        ntp: u64::from(next()?) << 32 | u64::from(next()?),
                        timestamp: next()?,
                        packets: next()?,
                        bytes: next()?,
                    });
                }
                for _ in 0..count {
                    let block = [next()?, next()?, next()?, next()?, next()?, next()?];
                    self.blocks.push(Block::of(block));
                }
            }
            NAMES if count > 0 => {
                let item = body.get(4..).ok_or(Malformed)?;
                if let [CNAME, length, rest @ ..] = item {
                    let name = rest.get(..usize::from(*length)).ok_or(Malformed)?;
                    self.name = String::from_utf8_lossy(name).into_owned();
                }
            }
            BYE => self.bye = true,
            _ => {}
        }
        Ok(())
    }
}

impl Block {
    fn bytes(&self) -> [u8; 24] {
        let lost = (self.lost.clamp(-0x80_0000, 0x7f_ffff) as u32) & 0xff_ffff;
        let words = [
            self.ssrc,
            u32::from(self.fraction_lost) << 24 | lost,
            self.highest,
            self.jitter,
            self.last_report,
            self.delay,
        ];
        let mut bytes = [0; 24];
        for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    fn of([ssrc, loss, highest, jitter, last_report, delay]: [u32; 6]) -> Self {
        Self {
            ssrc,
            fraction_lost: (loss >> 24) as u8,
            // The sign of 24 bits becomes that of 32.
            lost: (loss << 8).cast_signed() >> 8,
            highest,
            jitter,
            last_report,
            delay,
        }
    }
}

fn part(count: usize, kind: u8, body: &[u8]) -> Vec<u8> {
    let words = (body.len() / 4) as u16;
    let mut bytes = vec![0x80 | (count & 0x1f) as u8, kind];
    bytes.extend(words.to_be_bytes());
    bytes.extend(body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compound() -> Compound {
        Compound {
            ssrc: 1,
            sender: Some(SenderInfo {
                ntp: 0x0102_0304_0506_0708,
                timestamp: 2,
                packets: 3,
                bytes: 4,
            }),
            blocks: vec![Block {
                ssrc: 5,
                fraction_lost: 6,
                lost: -7,
                highest: 8,
                jitter: 9,
                last_report: 10,
                delay: 11,
            }],
            name: "a1@10.0.0.1".to_owned(),
            bye: true,
        }
    }

    #[test]
    fn bytes_and_parse_are_inverse() {
        let (whole, receiver) = (
            compound(),
            Compound {
                sender: None,
                ..compound()
            },
        );
        for compound in [whole, receiver] {
            let bytes = compound.bytes();
            assert_eq!(Compound::parse(&bytes), Ok(compound));
            // Cut between two parts it is a shorter one.
            let whole = |end: &usize| Compound::parse(&bytes[..*end]).is_ok();
            assert!((0..bytes.len()).filter(whole).count() <= 2);
        }
    }

    #[test]
    fn lengths_are_those_of_the_wire() {
        let bytes = compound().bytes();
        assert_eq!(bytes[..4], [0x81, 200, 0, 12]);
        assert_eq!(bytes[52..56], [0x81, 202, 0, 5]);
        assert_eq!(bytes[76..], [0x81, 203, 0, 1, 0, 0, 0, 1]);
    }

    #[test]
    fn a_name_first_is_refused() {
        let bytes = compound().bytes();
        assert_eq!(Compound::parse(&bytes[52..]), Err(Malformed));
        assert_eq!(Compound::parse(&[]), Err(Malformed));
    }
}
