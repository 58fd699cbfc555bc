//! Which controller a gateway belongs to (RFC 3525 sections 7.2.8, 11.5).
//!
//! ```text
//!            begin: restart                      accepted
//!   Idle ------------------------> Asking ----------------------> Up
//!                                  |  ^  ^                         |
//!            refused, silent:      |  |  | controller silent:      |
//!            the next of the list -+  |  | failover, the next of   |
//!                                  |  |  | the list ---------------+
//!            none left:            v  |  | hand-off to another ----+
//!                                Resting: some seconds, then from the beginning
//! ```
//!
//! | asks | with |
//! |---|---|
//! | the first time | Restart, 901 (cold) or 902 (warm) |
//! | the controller that it belonged to | Disconnected, 900 |
//! | another, for that one is silent | Failover, 909 |
//! | the one that it was sent to | HandOff, 903 |

use std::net::SocketAddrV4;
use std::time::Duration;

use megaco::Method;

use crate::phone::random::Random;

/// How long it rests when nobody answered: this, and up to as much again.
const REST: Duration = Duration::from_secs(1);

/// Why a gateway that restarts does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Power was lost: 901.
    Cold,
    /// It was told to: 902.
    Warm,
}

/// A request to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) switch: SocketAddrV4,
    pub(super) method: Method,
    pub(super) reason: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Asking(Ask),
    Up(SocketAddrV4),
    Resting(Duration),
}

#[derive(Debug)]
pub(super) struct Association {
    switches: Vec<SocketAddrV4>,
    state: State,
    /// Still to be asked in this round, the next one last.
    left: Vec<SocketAddrV4>,
    /// Whom it belongs or belonged to, since it restarted.
    last: Option<SocketAddrV4>,
    restart: Restart,
    random: Random,
}

impl Association {
    pub(super) fn new(switches: Vec<SocketAddrV4>, random: Random) -> Self {
        Self {
            switches,
            state: State::Idle,
            left: Vec::new(),
            last: None,
            restart: Restart::Cold,
            random,
        }
    }

    /// Whom it belongs to now.
    pub(super) fn up(&self) -> Option<SocketAddrV4> {
        match self.state {
            State::Up(switch) => Some(switch),
            _ => None,
        }
    }

    /// Whom it is asking.
    pub(super) fn asking(&self) -> Option<SocketAddrV4> {
        match &self.state {
            State::Asking(ask) => Some(ask.switch),
            _ => None,
        }
    }

    /// Whether somebody may command it: whom it belongs to, and, since an answer can be
    /// overtaken, whom it asks.
    pub(super) fn obeys(&self, from: SocketAddrV4) -> bool {
        let from = from.ip();
        let same = |switch: SocketAddrV4| switch.ip() == from;
        self.up().is_some_and(same) || self.asking().is_some_and(same)
    }

    pub(super) fn is_primary(&self, switch: SocketAddrV4) -> bool {
        self.switches.first() == Some(&switch)
    }

    /// All begins anew.
    pub(super) fn begin(&mut self, now: Duration, restart: Restart) -> Option<Ask> {
        (self.restart, self.last) = (restart, None);
        self.round(now, None)
    }

    /// The one it belongs to is silent.
    pub(super) fn lost(&mut self, now: Duration) -> Option<Ask> {
        let failed = self.up();
        self.round(now, failed)
    }

    /// It does not know this gateway any more.
    pub(super) fn forgotten(&mut self) -> Option<Ask> {
        let switch = self.up()?;
        self.left = self.others(Some(switch));
        Some(self.ask(switch))
    }

    /// It sends the gateway to another.
    pub(super) fn hand_off(&mut self, to: SocketAddrV4) -> Ask {
        self.left = self.others(Some(to));
        let (method, reason) = (Method::HandOff, 903);
        self.asked(Ask {
            switch: to,
            method,
            reason,
        })
    }

    /// The one that was asked sends it to another before it has taken it.
    pub(super) fn redirected(&mut self, to: SocketAddrV4) -> Option<Ask> {
        let State::Asking(ask) = &self.state else {
            return None;
        };
        let ask = Ask {
            switch: to,
            ..ask.clone()
        };
        Some(self.asked(ask))
    }

    /// The one that was asked has accepted; requests go to `at` from now on.
    pub(super) fn accepted(&mut self, at: SocketAddrV4) {
        self.state = State::Up(at);
        self.last = Some(at);
    }

    /// The one that was asked refused, or is silent.
    pub(super) fn refused(&mut self, now: Duration) -> Option<Ask> {
        match self.left.pop() {
            Some(switch) => Some(self.ask(switch)),
            None => {
                let more = self.random.below(REST.as_millis() as u64);
                self.state = State::Resting(now + REST + Duration::from_millis(more));
                None
            }
        }
    }

    /// It belongs to nobody and asks nobody.
    pub(super) fn stop(&mut self) {
        self.state = State::Idle;
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        match self.state {
            State::Resting(until) => Some(until),
            _ => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Duration) -> Option<Ask> {
        match self.state {
            State::Resting(until) if until <= now => self.round(now, None),
            _ => None,
        }
    }

    /// Asks all but one, from the first on.
    fn round(&mut self, now: Duration, but: Option<SocketAddrV4>) -> Option<Ask> {
        self.left = self.others(but);
        self.refused(now)
    }

    fn others(&self, but: Option<SocketAddrV4>) -> Vec<SocketAddrV4> {
        let others = self.switches.iter().rev().filter(|one| Some(**one) != but);
        others.copied().collect()
    }

    fn ask(&mut self, switch: SocketAddrV4) -> Ask {
        let (method, reason) = match (self.last, self.restart) {
            (None, Restart::Cold) => (Method::Restart, 901),
            (None, Restart::Warm) => (Method::Restart, 902),
            (Some(last), _) if last == switch => (Method::Disconnected, 900),
            (Some(_), _) => (Method::Failover, 909),
        };
        self.asked(Ask {
            switch,
            method,
            reason,
        })
    }

    fn asked(&mut self, ask: Ask) -> Ask {
        self.state = State::Asking(ask.clone());
        ask
    }
}

/// As the output says it.
pub(super) fn word(method: &Method) -> &'static str {
    match method {
        Method::Restart => "restart",
        Method::Disconnected => "disconnected",
        Method::Failover => "failover",
        Method::HandOff => "handoff",
        Method::Graceful => "graceful",
        Method::Forced => "forced",
        Method::Other(_) => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    const fn switch(last: u8) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, last), 2944)
    }

    fn two() -> Association {
        Association::new(vec![switch(1), switch(2)], Random::new(1))
    }

    fn said(ask: Option<Ask>) -> Option<(u8, &'static str, u16)> {
        ask.map(|ask| (ask.switch.ip().octets()[3], word(&ask.method), ask.reason))
    }

    #[test]
    fn the_primary_is_asked_first_and_the_backup_next() {
        let mut one = two();
        assert_eq!(
            said(one.begin(NOW, Restart::Cold)),
            Some((1, "restart", 901))
        );
        assert!(one.obeys(switch(1)) && !one.obeys(switch(2)));
        assert_eq!(said(one.refused(NOW)), Some((2, "restart", 901)));
        assert_eq!(said(one.refused(NOW)), None);
        let again = one.poll_timeout().unwrap();
        assert!(again >= NOW + REST && again <= NOW + 2 * REST);
        assert_eq!(said(one.handle_timeout(NOW)), None);
        assert_eq!(said(one.handle_timeout(again)), Some((1, "restart", 901)));
        one.accepted(switch(1));
        assert_eq!((one.up(), one.poll_timeout()), (Some(switch(1)), None));
    }

    #[test]
    fn a_silent_controller_is_left_and_found_again() {
        let mut one = two();
        let _ = one.begin(NOW, Restart::Warm);
        one.accepted(switch(1));
        assert_eq!(said(one.lost(NOW)), Some((2, "failover", 909)));
        assert_eq!(said(one.refused(NOW)), None);
        let again = one.poll_timeout().unwrap();
        assert_eq!(
            said(one.handle_timeout(again)),
            Some((1, "disconnected", 900))
        );
        assert_eq!(said(one.refused(NOW)), Some((2, "failover", 909)));
        one.accepted(switch(2));
        assert_eq!(said(one.lost(NOW)), Some((1, "failover", 909)));
    }

    #[test]
    fn it_goes_where_it_is_sent() {
        let mut one = two();
        let _ = one.begin(NOW, Restart::Cold);
        assert_eq!(said(one.redirected(switch(3))), Some((3, "restart", 901)));
        one.accepted(switch(3));
        assert_eq!(
            said(Some(one.hand_off(switch(2)))),
            Some((2, "handoff", 903))
        );
        // Nobody there: it asks the others.
        assert_eq!(said(one.refused(NOW)), Some((1, "failover", 909)));
        one.accepted(switch(1));
        assert_eq!(said(one.forgotten()), Some((1, "disconnected", 900)));
        one.stop();
        assert_eq!((one.up(), one.forgotten()), (None, None));
    }
}
