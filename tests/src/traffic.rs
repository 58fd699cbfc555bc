//! Real traffic between namespaces, through whatever lies between them.
//!
//! A socket belongs to the namespace in which it was opened, whichever thread uses it later: the
//! helpers here open theirs inside and then run on ordinary threads.

mod capture;
mod echo;
mod faults;
mod ping;
pub(crate) mod socket;
mod stream;
mod transfer;

pub(crate) use capture::packet_socket;
pub use capture::{Capture, Frame, Injector};
pub use echo::{UdpEcho, exchange};
pub use faults::{BadNetwork, Faults, Relayed};
pub use ping::{Ping, PingReport};
pub use socket::udp as bind_udp;
pub use stream::{Stream, StreamReport, StreamSpec};
pub use transfer::{Transfer, TransferReport};
