//! A server and its clients, message by message.

mod exchange;
mod gate;
mod leave;
mod malformed;
mod offers;
mod operator;
mod options;
mod properties;
mod ranges;
mod rebuild;
mod relay;
mod states;

use std::net::Ipv4Addr;

use crate::counters::{Answer, Event};
use crate::ignored::Ignored;
use crate::lease::{Lease, State};
use crate::testing::Pair;
use crate::testing::invariants::settle;
use crate::testing::site::settings;

fn pair() -> Pair {
    Pair::new(settings())
}

fn phone(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 10, 0, last)
}

impl Pair {
    fn ignored(&self, reason: Ignored) -> u64 {
        self.server.counters().ignored(reason)
    }

    fn events(&self, event: Event) -> u64 {
        self.server.counters().events(event)
    }

    fn answered(&self, answer: Answer) -> u64 {
        self.server.counters().answered(answer)
    }

    fn lease(&self, address: Ipv4Addr) -> Lease {
        self.server.lease(address).expect("a lease").clone()
    }

    fn state(&self, address: Ipv4Addr) -> Option<State> {
        self.server.lease(address).map(|lease| lease.state)
    }

    fn settle(&mut self) {
        settle(self);
    }
}
