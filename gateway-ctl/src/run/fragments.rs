//! Fragments that came ahead of the one with the ports (RFC 4787 REQ-14): held until
//! that arrives, then translated and sent on; bounded in number, bytes and time.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd as _, OwnedFd};

use dataplane::{HeldFragment, Release};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, sendto, setsockopt,
    socket, sockopt,
};
use nix::{libc, setsockopt_impl, sockopt_impl};

use super::gateway::Gateway;

/// Fragments held at most.
const MOST_PACKETS: usize = 1024;
/// Bytes held at most.
const MOST_BYTES: usize = 2 << 20;
/// How long one is held, in nanoseconds.
const PATIENCE_NS: u64 = 2_000_000_000;

sockopt_impl!(
    /// Locally sent fragments are not reassembled by connection tracking (ip(7)).
    IpNoDefrag,
    SetOnly,
    libc::IPPROTO_IP,
    libc::IP_NODEFRAG,
    bool
);

/// What is held, oldest first.
#[derive(Debug, Default)]
pub(super) struct Held {
    waiting: VecDeque<HeldFragment>,
    bytes: usize,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes a fragment in; when there is no room it is lost. Whether it was taken.
    fn take(&mut self, fragment: HeldFragment) -> bool {
        let length = fragment.packet.len();
        if self.waiting.len() >= MOST_PACKETS || self.bytes + length > MOST_BYTES {
            return false;
        }
        self.bytes += length;
        self.waiting.push_back(fragment);
        true
    }

    /// Keeps those for which `keep` says so, in order.
    fn retain(&mut self, mut keep: impl FnMut(&HeldFragment) -> bool) {
        let bytes = &mut self.bytes;
        self.waiting.retain(|fragment| {
            let kept = keep(fragment);
            if !kept {
                *bytes -= fragment.packet.len();
            }
            kept
        });
    }
}

/// The way out for translated fragments: a raw socket that takes whole IP packets.
#[derive(Debug)]
pub(super) struct RawSender(OwnedFd);

impl RawSender {
    pub(super) fn open() -> io::Result<Self> {
        // IPPROTO_RAW implies IP_HDRINCL (raw(7)).
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Inet, SockType::Raw, flags, SockProtocol::Raw)?;
        setsockopt(&socket, IpNoDefrag, &true)?;
        // The router's firewall knows phones' packets by this mark (docs/router.md).
        setsockopt(&socket, sockopt::Mark, &gateway_common::abi::STACK_MARK)?;
        Ok(Self(socket))
    }

    fn send(&self, packet: &[u8]) -> io::Result<()> {
        let octets: Option<[u8; 4]> = packet.get(16..20).and_then(|bytes| bytes.try_into().ok());
        let destination = octets
            .map(Ipv4Addr::from)
            .ok_or(io::ErrorKind::InvalidData)?;
        let to = SockaddrIn::from(SocketAddrV4::new(destination, 0));
        sendto(self.0.as_raw_fd(), packet, &to, MsgFlags::empty())?;
        Ok(())
    }
}

fn too_old(fragment: &HeldFragment, now_ns: u64) -> bool {
    now_ns.saturating_sub(fragment.time_ns) > PATIENCE_NS
}

impl Gateway {
    /// A fragment has come early: sends it on at once if it can, else holds it. One that
    /// nobody fetched in time (no daemon ran) is refused: its datagram is given up.
    pub(super) fn early_fragment(
        &mut self,
        fragment: HeldFragment,
        held: &mut Held,
        sender: &RawSender,
        now_ns: u64,
    ) {
        if too_old(&fragment, now_ns) {
            self.fragments.refused += 1;
        } else if !self.still_waiting(&fragment, sender) || held.take(fragment) {
            self.fragments.held += 1;
        } else {
            self.fragments.refused += 1;
        }
    }

    /// Sends on what can be by now, gives up what waited too long.
    pub(super) fn release_fragments(&mut self, held: &mut Held, sender: &RawSender, now_ns: u64) {
        let mut expired = 0;
        // Of a datagram one is asked for: the others wait for the same.
        let mut waiting = BTreeSet::new();
        held.retain(|fragment| {
            if too_old(fragment, now_ns) {
                expired += 1;
                return false;
            }
            let datagram = (fragment.slot, fragment.key);
            if waiting.contains(&datagram) {
                return true;
            }
            let waits = self.still_waiting(fragment, sender);
            if waits {
                waiting.insert(datagram);
            }
            waits
        });
        self.fragments.expired += expired;
    }

    /// Sends a fragment if its first one has come; whether it must wait on.
    fn still_waiting(&mut self, fragment: &HeldFragment, sender: &RawSender) -> bool {
        match self.dataplane.release_fragment(fragment) {
            Release::Wait => return true,
            Release::NotOurs => self.fragments.expired += 1,
            Release::Send(packet) => match sender.send(&packet) {
                Ok(()) => self.fragments.sent += 1,
                Err(error) => {
                    self.fragments.expired += 1;
                    tracing::debug!(%error, "cannot send a held fragment");
                }
            },
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use gateway_common::abi::FragmentKey;

    use super::*;

    fn fragment(bytes: usize) -> HeldFragment {
        HeldFragment {
            key: FragmentKey::default(),
            time_ns: 0,
            slot: 1,
            packet: vec![0; bytes],
        }
    }

    #[test]
    fn patience_ends_after_two_seconds() {
        let early = HeldFragment {
            time_ns: 1_000,
            ..fragment(100)
        };
        assert!(!too_old(&early, 0));
        assert!(!too_old(&early, 1_000 + PATIENCE_NS));
        assert!(too_old(&early, 1_001 + PATIENCE_NS));
    }

    #[test]
    fn holds_no_more_than_there_is_room_for() {
        let mut held = Held::default();
        let taken = (0..2000).filter(|_| held.take(fragment(100))).count();
        assert_eq!(taken, MOST_PACKETS);
        let mut number = 0;
        held.retain(|_| {
            number += 1;
            number > 24
        });
        assert_eq!((held.waiting.len(), held.bytes), (1000, 100_000));

        let mut held = Held::default();
        let taken = (0..2000)
            .filter(|_| held.take(fragment(2048 + 2048)))
            .count();
        assert_eq!(taken, MOST_BYTES / 4096);
        held.retain(|_| false);
        assert!(held.is_empty());
        assert_eq!(held.bytes, 0);
    }
}
