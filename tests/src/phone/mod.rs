//! The simulated IP phone: boots, registers, calls, and checks what it hears. What it is for and
//! how it is used: `docs/simulated-phone.md`.
//!
//! ```text
//!                 script: commands, expectations          events: JSON lines
//!                            |                                    ^
//!   shell: sockets, clock, namespaces, one thread for all phones -+
//!      |         |
//!     boot    Device --- h248::Gateway or sip::Phone --- Streams: media on pairs of ports
//!   DHCP, TFTP     lines: handset, tones, ringing
//! ```
//! Everything below the shell is without sockets, clocks or random numbers.
//!
//! | file, folder | what it is for |
//! |---|---|
//! | [`boot`] | a lease, files |
//! | [`h248`] | a media gateway with lines |
//! | [`sip`] | a SIP user agent with a handset |
//! | [`line`] | a line as its user has it |
//! | [`media`], [`streams`], [`ports`] | RTP and RTCP, from the phone's own ports |
//! | `sdp.rs` | what session descriptions say |
//! | [`device`], `assemble.rs` | a phone that has booted, and how it becomes one |
//! | [`definition`], [`script`] | what is said of phones, and what they are to do |
//! | [`event`] | what they tell |
//! | [`shell`] | sockets, clocks, namespaces |
//! | [`Phones`] | phones for a test, told what to do step by step |

mod assemble;
pub mod boot;
pub mod definition;
pub mod device;
pub mod event;
pub mod h248;
mod handle;
pub mod line;
pub mod media;
pub mod ports;
pub mod random;
pub mod script;
mod sdp;
pub mod shell;
pub mod sip;
pub mod streams;

pub use handle::Phones;
