//! How an answer is waited for: watching, as long as that pays.
//!
//! In lockstep (one block, one acknowledgement) each block waits for two wake-ups, ours and
//! the client's. To wake a core that sleeps takes 20 to 50 us, on a virtual machine more; the block
//! itself takes 8. So who has a core to spare watches the socket for a while before it
//! sleeps, and gives way to everybody else between two looks.

use std::net::UdpSocket;
use std::os::fd::AsFd as _;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::run::clock::monotonic_ns;

/// How long it watches, in nanoseconds: some wake-ups of the client's core.
const PATIENCE: u64 = 250_000;
/// Answers that it then sleeps for at least, when watching did not pay.
const SLEEPS: u32 = 64;
/// An answer after so few looks came from this very core, which nobody has to wake.
const NEAR: u32 = 2;

/// Whether watching pays, by what it brought.
#[derive(Debug, Default)]
pub(super) struct Eager {
    /// Answers that are still slept for.
    sleeps: u32,
    /// Times in a row that it was in vain.
    vain: u32,
}

impl Eager {
    /// Watches until there is something to receive, or it does not pay.
    pub(super) fn watch(&mut self, socket: &UdpSocket) {
        if self.sleeps > 0 {
            self.sleeps -= 1;
            return;
        }
        let mut wanted = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        let begin = monotonic_ns();
        let mut looks = 0;
        while poll(&mut wanted, PollTimeout::ZERO) == Ok(0) {
            looks += 1;
            if monotonic_ns().saturating_sub(begin) > PATIENCE {
                return self.was_in_vain();
            }
            std::thread::yield_now();
        }
        self.vain = 0;
        if looks <= NEAR {
            self.sleeps = SLEEPS;
        }
    }

    /// A client that is far stays so: each time it is believed for longer.
    fn was_in_vain(&mut self) {
        self.sleeps = SLEEPS << self.vain.min(6);
        self.vain += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn who_is_far_is_slept_for() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let mut eager = Eager::default();
        let mut slept = Vec::new();
        for _ in 0..3 {
            eager.watch(&socket);
            slept.push(eager.sleeps);
            eager.sleeps = 0;
        }
        assert_eq!(slept, [64, 128, 256]);
        // Something is there at the first look: nobody was waited for.
        let own = socket.local_addr().expect("an address");
        socket.send_to(b"x", own).expect("sent");
        eager.watch(&socket);
        assert_eq!((eager.sleeps, eager.vain), (64, 0));
        eager.watch(&socket);
        assert_eq!(eager.sleeps, 63);
    }
}
