//! Requests of others, and our replies.
//!
//! ```text
//!              reply                    acknowledged, or nobody waits for that
//!   Open ------------------> Answered ------------------------------> (30 s) forgotten
//!    | repeated, or time:     | repeated: the reply again
//!    `- Pending               `- time: again, while an acknowledgement is waited for
//! ```

use std::hash::Hasher as _;
use std::time::Duration;

use super::hear::Sender;
use super::segments;
use super::timers::Timer;
use super::{Address, Dropped, Endpoint, Output, PeerKey, RequestKey};
use crate::error::ErrorCode;
use crate::message::{
    Command, Method, Outcome, SegmentReply, TerminationId, Transaction, TransactionReply,
    TransactionRequest,
};

/// A request of another.
#[derive(Clone, Debug)]
pub(super) struct Asked<A: Address> {
    peer: PeerKey<A::Host>,
    /// Where the last repetition came from; that is where replies go.
    from: A,
    version: u8,
    id: u32,
    hash: u64,
    /// Whether a whole gateway says by it that it has restarted.
    restart: bool,
    deadline: Duration,
    /// Whether it was told that it takes long.
    told: bool,
    /// How often its time has passed.
    passed: u32,
    reply: Option<Reply>,
}

/// What was replied.
#[derive(Clone, Debug)]
struct Reply {
    at: Duration,
    /// Segments, or one whole, that were not acknowledged.
    messages: Vec<(u16, Vec<u8>)>,
    /// Sent again until it is acknowledged.
    wanted: bool,
    sent: u32,
    /// When its sender said to have all of it.
    confirmed: Option<Duration>,
}

impl Reply {
    fn octets(&self) -> usize {
        self.messages.iter().map(|(_, bytes)| bytes.len()).sum()
    }
}

impl<A: Address> Endpoint<A> {
    pub(super) fn hear_request(
        &mut self,
        now: Duration,
        sender: &Sender<'_, A>,
        request: TransactionRequest,
        octets: &[u8],
    ) {
        let restart = is_restart(&request);
        let Some(key) = self.accept(now, sender, request.id, restart, octets) else {
            return;
        };
        self.outputs.push_back(Output::Request {
            request: key,
            from: sender.from,
            mid: sender.mid(),
            version: sender.head.version,
            transaction: request.id,
            actions: request.actions,
        });
    }

    /// A request that cannot be read is answered at once.
    pub(super) fn refuse(
        &mut self,
        now: Duration,
        sender: &Sender<'_, A>,
        id: u32,
        octets: &[u8],
        outcome: Outcome,
    ) {
        if let Some(key) = self.accept(now, sender, id, false, octets) {
            self.reply(now, key, outcome);
        }
    }

    /// Opens a request, unless it was there before or one may not ask.
    fn accept(
        &mut self,
        now: Duration,
        sender: &Sender<'_, A>,
        id: u32,
        restart: bool,
        octets: &[u8],
    ) -> Option<RequestKey> {
        let (limits, full) = (
            self.settings.peer,
            self.peers.len() >= self.settings.most_peers,
        );
        let (host, mid) = (sender.from.host(), sender.mid());
        let peer_key = PeerKey { host, mid };
        if full && !self.peers.contains_key(&peer_key) {
            self.counters.count(Dropped::TooManyPeers);
            return None;
        }
        let peer = self.peers.entry(peer_key.clone()).or_default();
        if !peer.may_ask(now, &limits) {
            self.counters.count(Dropped::TooFast);
            return None;
        }
        let hash = hash(octets.trim_ascii_end());
        if let Some(&key) = peer.requests.get(&(id, hash)) {
            if !self.begins_anew(now, key) {
                self.repeat(now, key, sender.from);
                return None;
            }
            self.drop_asked(key);
        }
        let peer = self.peers.entry(peer_key.clone()).or_default();
        if peer.open >= limits.open.max(1) {
            self.counters.count(Dropped::TooManyOpen);
            return None;
        }
        let key = RequestKey(self.next_key);
        self.next_key += 1;
        peer.requests.insert((id, hash), key);
        peer.open += 1;
        self.counters.requests_in += 1;
        let deadline = now + self.settings.pending_every;
        self.timers.set(Timer::Asked(key), deadline);
        let asked = Asked {
            peer: peer_key,
            from: sender.from,
            version: sender.head.version,
            id,
            hash,
            restart,
            deadline,
            told: false,
            passed: 0,
            reply: None,
        };
        self.asked.insert(key, asked);
        Some(key)
    }

    /// Whether the same request is another: its sender said to have the reply, and nothing stays
    /// under way so long. A phone that was restarted, then.
    fn begins_anew(&self, now: Duration, key: RequestKey) -> bool {
        let reply = self.asked.get(&key).and_then(|asked| asked.reply.as_ref());
        let confirmed = reply.and_then(|reply| reply.confirmed);
        confirmed.is_some_and(|at| now.saturating_sub(at) >= self.settings.duplicates)
    }

    /// It came again.
    fn repeat(&mut self, now: Duration, key: RequestKey, from: A) {
        self.counters.repeated_in += 1;
        let Some(asked) = self.asked.get_mut(&key) else {
            return;
        };
        asked.from = from;
        let Some(reply) = &asked.reply else {
            return self.send_pending(key);
        };
        let (after, messages) = (now.saturating_sub(reply.at), reply.messages.clone());
        let (mid, restart) = (asked.peer.mid.clone(), asked.restart);
        for (_, bytes) in messages {
            self.counters.resent += 1;
            self.send_bytes(from, bytes);
        }
        self.outputs.push_back(Output::Repeated {
            request: key,
            from,
            mid,
            restart,
            after,
        });
    }

    fn send_pending(&mut self, key: RequestKey) {
        let Some(asked) = self.asked.get_mut(&key) else {
            return;
        };
        asked.told = true;
        let (from, version, pending) = (asked.from, asked.version, Transaction::Pending(asked.id));
        self.counters.pendings_out += 1;
        self.send(from, version, &[pending]);
    }

    /// Tells that a request is being executed and will take long. It is told in any case, when
    /// the request comes again or its time passes. Whether there is such a request.
    pub fn pending(&mut self, request: RequestKey) -> bool {
        let open = self
            .asked
            .get(&request)
            .is_some_and(|asked| asked.reply.is_none());
        if open {
            self.send_pending(request);
        }
        open
    }

    /// Answers a request. Whether there is such a request that was not answered yet.
    pub fn reply(&mut self, now: Duration, request: RequestKey, outcome: Outcome) -> bool {
        let Some(asked) = self
            .asked
            .get(&request)
            .filter(|asked| asked.reply.is_none())
        else {
            return false;
        };
        let (from, version) = (asked.from, asked.version);
        let reply = TransactionReply {
            id: asked.id,
            segment: None,
            // Who was told that it takes long repeats seldom: the reply must not be lost.
            immediate_ack: asked.told,
            outcome,
        };
        let mut wanted = reply.immediate_ack;
        let whole = self.encoded(version, &[Transaction::Reply(reply.clone())]);
        let messages = if whole.len() > self.settings.segment_size && version >= 3 {
            wanted = true;
            let room = self.settings.segment_size;
            let parts = segments::split(reply, room, self.settings.style);
            let parts = parts.into_iter().map(Transaction::Reply).zip(1..);
            let encoded = parts.map(|(part, number)| (number, self.encoded(version, &[part])));
            encoded.collect()
        } else {
            vec![(0, whole)]
        };
        let longest = messages
            .iter()
            .map(|(_, bytes): &(u16, Vec<u8>)| bytes.len())
            .max();
        if longest.is_some_and(|longest| longest > self.settings.message.size) {
            return self.reply(
                now,
                request,
                Outcome::Error(ErrorCode::REPLY_TOO_LONG.into()),
            );
        }
        self.counters.replies_out += 1;
        for (_, bytes) in &messages {
            self.send_bytes(from, bytes.clone());
        }
        self.keep(
            now,
            request,
            Reply {
                at: now,
                messages,
                wanted,
                sent: 1,
                confirmed: None,
            },
        );
        true
    }

    fn keep(&mut self, now: Duration, key: RequestKey, reply: Reply) {
        let Some(asked) = self.asked.get_mut(&key) else {
            return;
        };
        let octets = reply.octets();
        self.timers.unset(Timer::Asked(key), asked.deadline);
        asked.reply = Some(reply);
        let peer_key = asked.peer.clone();
        self.schedule(now, key);
        if let Some(peer) = self.peers.get_mut(&peer_key) {
            peer.open = peer.open.saturating_sub(1);
            peer.kept += octets;
        }
        while let Some(peer) = self.peers.get(&peer_key) {
            if peer.kept <= self.settings.peer.kept {
                break;
            }
            let kept = peer.requests.values().filter(|other| {
                let asked = self.asked.get(other);
                **other != key && asked.is_some_and(|asked| asked.reply.is_some())
            });
            let Some(&oldest) = kept.min() else { break };
            self.drop_asked(oldest);
        }
    }

    /// When the reply is sent again, or forgotten.
    fn schedule(&mut self, now: Duration, key: RequestKey) {
        let Some(asked) = self.asked.get_mut(&key) else {
            return;
        };
        let Some(reply) = &asked.reply else { return };
        let end = reply.at + self.settings.keep;
        let resend = &self.settings.resend;
        let again = now + resend.wait(reply.sent, key.0);
        let wanted = reply.wanted && again.saturating_sub(reply.at) < resend.give_up;
        asked.deadline = if wanted { again.min(end) } else { end };
        self.timers.set(Timer::Asked(key), asked.deadline);
    }

    pub(super) fn asked_timeout(&mut self, now: Duration, key: RequestKey) {
        let Some(asked) = self.asked.get_mut(&key) else {
            return;
        };
        match &mut asked.reply {
            Some(reply) if now >= reply.at + self.settings.keep => self.forget(key),
            Some(reply) => {
                reply.sent += 1;
                let (from, messages) = (asked.from, reply.messages.clone());
                for (_, bytes) in messages {
                    self.counters.resent += 1;
                    self.send_bytes(from, bytes);
                }
                self.schedule(now, key);
            }
            None if asked.passed >= self.settings.most_pendings => {
                self.counters.expired += 1;
                let error = ErrorCode::TOO_MANY_PENDINGS.into();
                self.reply(now, key, Outcome::Error(error));
                self.outputs.push_back(Output::Expired { request: key });
            }
            None => {
                asked.passed += 1;
                asked.deadline = now + self.settings.pending_every;
                self.timers.set(Timer::Asked(key), asked.deadline);
                self.send_pending(key);
            }
        }
    }

    fn drop_asked(&mut self, key: RequestKey) {
        if let Some(asked) = self.asked.get(&key) {
            self.timers.unset(Timer::Asked(key), asked.deadline);
        }
        self.forget(key);
    }

    /// Its timer is none any more.
    fn forget(&mut self, key: RequestKey) {
        let Some(asked) = self.asked.remove(&key) else {
            return;
        };
        let Some(peer) = self.peers.get_mut(&asked.peer) else {
            return;
        };
        peer.requests.remove(&(asked.id, asked.hash));
        peer.kept = peer
            .kept
            .saturating_sub(asked.reply.map_or(0, |reply| reply.octets()));
        if peer.requests.is_empty() {
            self.peers.remove(&asked.peer);
        }
    }

    /// The reply has arrived: a segment of it, or all. The request's number is kept, so that it
    /// is not executed again.
    pub(super) fn confirmed(&mut self, now: Duration, key: RequestKey, segment: Option<u16>) {
        let Some(asked) = self.asked.get_mut(&key) else {
            return;
        };
        let Some(reply) = &mut asked.reply else {
            return;
        };
        let before = reply.octets();
        reply
            .messages
            .retain(|(number, _)| segment.is_some_and(|segment| segment != *number));
        let octets = before - reply.octets();
        if reply.messages.is_empty() {
            reply.confirmed.get_or_insert(now);
        }
        if reply.messages.is_empty() && reply.wanted {
            reply.wanted = false;
            let (old, end) = (asked.deadline, reply.at + self.settings.keep);
            asked.deadline = end;
            self.timers.unset(Timer::Asked(key), old);
            self.timers.set(Timer::Asked(key), end);
        }
        if let Some(peer) = self.peers.get_mut(&asked.peer) {
            peer.kept = peer.kept.saturating_sub(octets);
        }
    }

    pub(super) fn hear_segment_ack(
        &mut self,
        now: Duration,
        sender: &Sender<'_, A>,
        segment: SegmentReply,
    ) {
        for key in self.keys(sender, segment.id, segment.id) {
            self.confirmed(now, key, Some(segment.segment.number));
        }
    }

    /// Requests of a sender with these numbers.
    pub(super) fn keys(&self, sender: &Sender<'_, A>, first: u32, last: u32) -> Vec<RequestKey> {
        let (host, mid) = (sender.from.host(), sender.mid());
        let Some(peer) = self.peers.get(&PeerKey { host, mid }) else {
            return Vec::new();
        };
        let range = peer.requests.range((first, 0)..=(last, u64::MAX));
        range.map(|(_, key)| *key).collect()
    }
}

fn is_restart(request: &TransactionRequest) -> bool {
    let commands = request.actions.iter().flat_map(|action| &action.commands);
    commands.into_iter().any(|request| match &request.command {
        Command::ServiceChange(of) => {
            let whole = *of.terminations.first() == TerminationId::Root;
            whole && of.change.method == Method::Restart
        }
        _ => false,
    })
}

/// Of a request's octets. Its keys are no secret: who finds two requests of the same hash gets
/// his own answer twice.
#[expect(
    deprecated,
    reason = "fixed keys are wanted: the same input gives the same run"
)]
fn hash(octets: &[u8]) -> u64 {
    let mut hasher = std::hash::SipHasher::new();
    hasher.write(octets);
    hasher.finish()
}
