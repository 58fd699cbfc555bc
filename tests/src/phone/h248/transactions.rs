//! Transactions over UDP (RFC 3525 annex D.1): what is lost is sent again, and what comes twice is
//! done once.
//!
//! ```text
//!   request ---->        again after 0.5, 1, 2, 4, 4 .. s, until the reply or the end of patience
//!   <---- pending        it is being done: patience begins anew
//!   <---- reply
//!
//!   <---- request        done, and its reply kept for 30 s
//!   reply ---->
//!   <---- the same       the kept reply
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddrV4;
use std::time::Duration;

/// Before a request is sent again for the first time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Between two repetitions at most.
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// How long replies are kept (D.1.1, LONG-TIMER).
const KEPT: Duration = Duration::from_secs(30);

/// A request on its way. `P` is what its sender wants to remember.
#[derive(Debug)]
struct Sent<P> {
    bytes: Vec<u8>,
    to: SocketAddrV4,
    next: Duration,
    wait: Duration,
    give_up: Duration,
    what: P,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due<P> {
    /// Send it again.
    Again(SocketAddrV4, Vec<u8>),
    /// Nobody answers.
    GaveUp(SocketAddrV4, P),
}

/// Which request it was: sender, number, and its own octets, so that a controller that begins
/// anew with number 1 is not told what its predecessor was.
type Key = (SocketAddrV4, u32, u64);

/// Requests and replies of a gateway.
#[derive(Debug)]
pub(super) struct Transactions<P> {
    next: u32,
    patience: Duration,
    sent: BTreeMap<u32, Sent<P>>,
    replies: BTreeMap<Key, Vec<u8>>,
    forget: VecDeque<(Duration, Key)>,
}

impl<P> Transactions<P> {
    /// Numbers begin at `first`; nobody is asked for longer than `patience`.
    pub(super) fn new(first: u32, patience: Duration) -> Self {
        Self {
            next: first.max(1),
            patience,
            sent: BTreeMap::new(),
            replies: BTreeMap::new(),
            forget: VecDeque::new(),
        }
    }

    /// A number for a new request.
    pub(super) fn number(&mut self) -> u32 {
        let number = self.next;
        // 0 is for what has no number.
        self.next = self.next.checked_add(1).unwrap_or(1);
        number
    }

    /// A request has been sent.
    pub(super) fn sent(
        &mut self,
        now: Duration,
        id: u32,
        to: SocketAddrV4,
        bytes: Vec<u8>,
        what: P,
    ) {
        let sent = Sent {
            bytes,
            to,
            next: now + FIRST_WAIT,
            wait: FIRST_WAIT,
            give_up: now + self.patience,
            what,
        };
        self.sent.insert(id, sent);
    }

    /// Its reply has come: what was remembered, the first time.
    pub(super) fn replied(&mut self, id: u32) -> Option<P> {
        self.sent.remove(&id).map(|sent| sent.what)
    }

    /// It is being done.
    pub(super) fn pending(&mut self, now: Duration, id: u32) {
        if let Some(sent) = self.sent.get_mut(&id) {
            sent.wait = LONGEST_WAIT;
            sent.next = now + LONGEST_WAIT;
            sent.give_up = now + self.patience + LONGEST_WAIT;
        }
    }

    /// Takes back what is on its way.
    pub(super) fn drain(&mut self) -> Vec<P> {
        let sent = std::mem::take(&mut self.sent);
        sent.into_values().map(|sent| sent.what).collect()
    }

    /// The reply to a request that has been done before.
    pub(super) fn kept(&self, from: SocketAddrV4, id: u32, request: &[u8]) -> Option<&[u8]> {
        self.replies.get(&key(from, id, request)).map(Vec::as_slice)
    }

    /// Keeps a reply.
    pub(super) fn keep(
        &mut self,
        now: Duration,
        from: SocketAddrV4,
        id: u32,
        request: &[u8],
        reply: Vec<u8>,
    ) {
        let key = key(from, id, request);
        self.forget.push_back((now + KEPT, key));
        self.replies.insert(key, reply);
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let next = |sent: &Sent<P>| sent.next.min(sent.give_up);
        self.sent.values().map(next).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Duration) -> Vec<Due<P>> {
        while let Some((until, key)) = self.forget.front().copied()
            && until <= now
        {
            self.forget.pop_front();
            self.replies.remove(&key);
        }
        let over = |sent: &Sent<P>| sent.give_up <= now;
        let over: Vec<u32> = self
            .sent
            .iter()
            .filter(|(_, sent)| over(sent))
            .map(|(id, _)| *id)
            .collect();
        let gone = over.into_iter().filter_map(|id| self.sent.remove(&id));
        let mut due: Vec<Due<P>> = gone.map(|sent| Due::GaveUp(sent.to, sent.what)).collect();
        for sent in self.sent.values_mut().filter(|sent| sent.next <= now) {
            sent.wait = (sent.wait * 2).min(LONGEST_WAIT);
            sent.next = now + sent.wait;
            due.push(Due::Again(sent.to, sent.bytes.clone()));
        }
        due
    }
}

fn key(from: SocketAddrV4, id: u32, request: &[u8]) -> Key {
    let mut hasher = DefaultHasher::new();
    request.hash(&mut hasher);
    (from, id, hasher.finish())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const SWITCH: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 2944);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_request_is_repeated_ever_more_slowly_until_patience_ends() {
        let mut all = Transactions::new(7, at(10_000));
        let id = all.number();
        assert_eq!((id, all.number()), (7, 8));
        all.sent(at(0), id, SWITCH, b"T".to_vec(), "why");
        let mut times = Vec::new();
        let last = loop {
            let now = all.poll_timeout().unwrap();
            match all.handle_timeout(now).pop().unwrap() {
                Due::Again(to, bytes) => assert_eq!((to, bytes.as_slice()), (SWITCH, &b"T"[..])),
                gone => break (now, gone),
            }
            times.push(now.as_millis());
        };
        assert_eq!(times, [500, 1500, 3500, 7500]);
        assert_eq!(last, (at(10_000), Due::GaveUp(SWITCH, "why")));
        assert_eq!(all.poll_timeout(), None);
    }

    #[test]
    fn a_reply_ends_it_and_pending_slows_it_down() {
        let mut all = Transactions::new(1, at(5000));
        all.sent(at(0), 1, SWITCH, Vec::new(), ());
        all.pending(at(100), 1);
        assert_eq!(all.poll_timeout(), Some(at(4100)));
        assert_eq!((all.replied(1), all.replied(1)), (Some(()), None));
    }

    #[test]
    fn replies_are_kept_for_a_while_and_for_the_same_request_only() {
        let mut all = Transactions::<()>::new(1, at(5000));
        all.keep(at(0), SWITCH, 9, b"add", b"added".to_vec());
        assert_eq!(all.kept(SWITCH, 9, b"add"), Some(&b"added"[..]));
        assert_eq!(all.kept(SWITCH, 9, b"subtract"), None);
        let _ = all.handle_timeout(at(30_000));
        assert_eq!(all.kept(SWITCH, 9, b"add"), None);
    }
}
