//! What a phone says and hears: RTP and RTCP (RFC 3550, 3551) of 8 kHz telephony, without sockets
//! or clocks.
//!
//! ```text
//!   tone -> codec -> Sender -> RTP   port p, every 20 ms ------> remote
//!                              RTCP  port p + 1 ---------------> remote + 1
//!   tone <- codec <- Receiver: sequence, loss, jitter, source <- remote
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `session.rs` | one stream both ways on a pair of ports; what is reported of it |
//! | `rtp.rs` `rtcp.rs` | packets from and to bytes |
//! | `sender.rs` | packets at their pace |
//! | `receiver.rs` | what arrived, what did not, and how evenly |
//! | `codec.rs` | PCMU and PCMA (G.711) |
//! | `tone.rs` | a sine wave, and which one is heard |
//!
//! Times are durations since any fixed moment of a clock that never goes back.

mod codec;
mod receiver;
mod rtcp;
mod rtp;
mod sender;
mod session;
mod tone;

pub use codec::Codec;
pub use receiver::{Arrivals, Receiver};
pub use rtp::{Malformed, Packet};
pub use session::{Datagram, Direction, Report, RtcpReport, Session, Settings, Target};
pub use tone::{HIGHEST_HZ, LOWEST_HZ, ToneMeter};

/// Samples of a second: the clock of RTP timestamps (RFC 3551 section 4.5.14).
pub const CLOCK_HZ: u32 = 8000;
/// Samples, and bytes, of a packet.
pub const PACKET_SAMPLES: usize = 160;
