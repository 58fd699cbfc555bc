//! A phone that speaks SIP (RFC 3261), without sockets or clocks: `sip::ua` with a handset, tones
//! and media.
//!
//! ```text
//!   on hook --lift--> dial tone --dial--> INVITE --180--> ringback --200--> talking
//!      |                                    `--486--> busy, others: congestion
//!      `--INVITE: 180, rings --lift: 200--> talking --BYE--> congestion, until the handset is down
//! ```

use std::net::{SocketAddr, SocketAddrV4};
use std::time::Duration;

use sip::ua::{Agent, AgentSettings, CallNumber, Cause, Event as Heard};
use sip::{Peer, Status};

use super::event::Event;
use super::line::{Act, State, Talk, Tone};
use super::media::{Datagram, Direction};
use super::random::Random;
use super::sdp;
use super::streams::{Output, Streams};

mod register;
#[cfg(test)]
mod tests;

/// What a phone is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Registrars and proxies, the primary first.
    pub switches: Vec<SocketAddrV4>,
    /// User of its address of record, and for digest authentication.
    pub user: String,
    /// For digest authentication.
    pub password: String,
    /// Host of its address of record; the switch's address, if nothing is said.
    pub domain: Option<String>,
    /// How long registrations are to last.
    pub expires: Duration,
    /// RFC 3261's T1: half a second, unless a lab is in a hurry.
    pub t1: Duration,
    /// Tells all messages.
    pub trace: bool,
}

/// A call.
#[derive(Clone, Debug)]
struct Call {
    number: CallNumber,
    /// RTP's port.
    stream: Option<u16>,
    incoming: bool,
    answered: bool,
    rings: bool,
    caller: Option<String>,
    /// The other side's last description.
    theirs: Vec<u8>,
}

/// A phone with one line.
#[derive(Debug)]
pub struct Phone {
    settings: Settings,
    agent: Agent,
    /// Which of the switches the agent knows.
    switch: usize,
    registered: bool,
    began: Duration,
    streams: Streams,
    random: Random,
    off_hook: bool,
    call: Option<Call>,
    tone: Option<Tone>,
    hung_up: Option<String>,
    version: u32,
    state: State,
}

fn agent(settings: &Settings, switch: usize, local: SocketAddrV4, seed: u64) -> Agent {
    let server = settings.switches.get(switch).copied().unwrap_or(local);
    let transactions = sip::transaction::Settings {
        t1: settings.t1,
        ..sip::transaction::Settings::default()
    };
    Agent::new(AgentSettings {
        user: settings.user.clone(),
        domain: settings
            .domain
            .clone()
            .unwrap_or_else(|| server.ip().to_string()),
        password: settings.password.clone(),
        server: Peer::udp(SocketAddr::V4(server)),
        local: Peer::udp(SocketAddr::V4(local)),
        expires: settings.expires,
        lines: 1,
        agent: "simulated phone".to_owned(),
        seed,
        transactions,
    })
}

impl Phone {
    /// Not registered yet.
    #[must_use]
    pub fn new(settings: Settings, streams: Streams, mut random: Random) -> Self {
        let common = streams.common();
        let local = SocketAddrV4::new(common.address, common.ports.signalling());
        Self {
            agent: agent(&settings, 0, local, random.next()),
            settings,
            switch: 0,
            registered: false,
            began: Duration::ZERO,
            streams,
            random,
            off_hook: false,
            call: None,
            tone: None,
            hung_up: None,
            version: 0,
            state: State::default(),
        }
    }

    /// Registers.
    pub fn start(&mut self, now: Duration, out: &mut Vec<Output>) {
        self.registered = false;
        self.begin(now, 0, out);
        self.settle(now, out);
    }

    /// Registers with one of the switches, as a user agent that knows nothing of the others.
    fn begin(&mut self, now: Duration, switch: usize, out: &mut Vec<Output>) {
        let common = self.streams.common();
        let local = SocketAddrV4::new(common.address, common.ports.signalling());
        (self.switch, self.began) = (switch, now);
        self.agent = agent(&self.settings, switch, local, self.random.next());
        if let Some(to) = self.settings.switches.get(switch) {
            let tell = Event::Registering {
                switch: *to,
                method: "register",
                reason: None,
            };
            out.push(Output::Tell(None, tell));
            let heard = self.agent.register(now);
            self.heed(now, heard, out);
        }
    }

    /// Takes its registration back.
    pub fn leave_switch(&mut self, now: Duration, out: &mut Vec<Output>) {
        let heard = self.agent.unregister(now);
        self.heed(now, heard, out);
        self.settle(now, out);
    }

    /// The switch that has it registered.
    #[must_use]
    pub fn registered(&self) -> Option<SocketAddrV4> {
        let switch = self.settings.switches.get(self.switch).copied();
        switch.filter(|_| self.registered)
    }

    /// Whether that one is the first of its list.
    #[must_use]
    pub fn is_primary(&self) -> Option<bool> {
        self.registered.then_some(self.switch == 0)
    }

    /// How its line is.
    #[must_use]
    pub fn line(&self) -> &State {
        &self.state
    }

    /// Its streams.
    #[must_use]
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Its user does something.
    pub fn act(&mut self, now: Duration, act: &Act, out: &mut Vec<Output>) {
        match act {
            Act::OffHook if self.off_hook => {}
            Act::OffHook => {
                self.off_hook = true;
                self.hung_up = None;
                match &self.call {
                    Some(call) if call.incoming && !call.answered => self.answer(now, out),
                    _ => self.tone = Some(Tone::Dial),
                }
            }
            Act::OnHook => {
                self.off_hook = false;
                (self.tone, self.hung_up) = (None, None);
                if let Some(call) = &self.call {
                    let heard = self.agent.hang_up(now, call.number);
                    self.heed(now, heard, out);
                    self.close(now, out);
                }
            }
            // What it would do is the switch's business: there is none in SIP.
            Act::Flash => {}
            Act::Dial(number) => self.dial(now, number, out),
        }
        self.settle(now, out);
    }

    fn dial(&mut self, now: Duration, number: &str, out: &mut Vec<Output>) {
        if self.call.is_some() {
            return;
        }
        (self.off_hook, self.tone, self.hung_up) = (true, None, None);
        let Some(stream) = self.streams.open(out).map(|session| session.port()) else {
            let what = "no port is free".to_owned();
            out.push(Output::Tell(Some(0), Event::Error { what, code: None }));
            self.tone = Some(Tone::Congestion);
            return;
        };
        let offer = self.describe(stream);
        let server = self.settings.switches.get(self.switch);
        let host = self
            .settings
            .domain
            .clone()
            .or_else(|| server.map(|server| server.ip().to_string()));
        let uri = format!(
            "sip:{}@{}",
            sip::uri::escape_user(number),
            host.unwrap_or_default()
        );
        let (call, heard) = self.agent.call(now, &uri, &offer);
        self.call = Some(Call {
            number: call,
            stream: Some(stream),
            incoming: false,
            answered: false,
            rings: false,
            caller: None,
            theirs: Vec::new(),
        });
        let number = number.to_owned();
        out.push(Output::Tell(Some(0), Event::Dialed { number }));
        self.heed(now, heard, out);
    }

    /// Takes the call that rings, or answers an offer within it.
    fn answer(&mut self, now: Duration, out: &mut Vec<Output>) {
        let Some(call) = &mut self.call else { return };
        let lines = text(&call.theirs);
        let lines: Vec<&str> = lines.lines().collect();
        let usable = call.theirs.is_empty() || sdp::target(&lines).is_ok();
        if call.stream.is_none() {
            call.stream = self.streams.open(out).map(|session| session.port());
        }
        let (number, stream) = (call.number, call.stream.filter(|_| usable));
        let Some(stream) = stream else {
            let heard = self.agent.refuse(now, number, Status::NOT_ACCEPTABLE_HERE);
            return self.heed(now, heard, out);
        };
        call.answered = true;
        let description = self.describe(stream);
        let heard = self.agent.answer(now, number, &description);
        self.heed(now, heard, out);
    }

    /// This phone's description (RFC 3264): both codecs, both ways.
    fn describe(&mut self, port: u16) -> Vec<u8> {
        self.version += 1;
        let (address, version) = (self.streams.common().address, self.version);
        format!(
            "v=0\r\no=- {port} {version} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
             a=ptime:20\r\na=sendrecv\r\n"
        )
        .into_bytes()
    }

    /// A datagram that arrived at one of its ports.
    pub fn handle(
        &mut self,
        now: Duration,
        port: u16,
        from: SocketAddrV4,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        if port != self.streams.common().ports.signalling() {
            self.streams.handle(now, port, from, bytes);
            return;
        }
        self.trace("received", from, bytes, out);
        let heard = self
            .agent
            .handle(now, Peer::udp(SocketAddr::V4(from)), bytes.to_vec());
        self.heed(now, heard, out);
        self.settle(now, out);
    }

    /// When there is something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        [self.agent.poll_timeout(), self.streams.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// What is due by now.
    pub fn handle_timeout(&mut self, now: Duration, out: &mut Vec<Output>) {
        self.streams.handle_timeout(now, out);
        let heard = self.agent.handle_timeout(now);
        self.heed(now, heard, out);
        self.settle(now, out);
    }

    fn heed(&mut self, now: Duration, heard: Vec<Heard>, out: &mut Vec<Output>) {
        for event in heard {
            match event {
                Heard::Send { to, bytes, .. } => self.send(to, bytes.to_vec(), out),
                Heard::Registered { .. } => self.registration(now, out),
                Heard::Unregistered => self.unregistered("left", out),
                Heard::RegisterFailed { status } => self.refused(now, status, out),
                Heard::Incoming {
                    call, from, offer, ..
                } => self.called(now, call, from, offer, out),
                Heard::Progress { call, status, body } if self.is(call) => {
                    if status == Status::RINGING {
                        self.tone = Some(Tone::RingBack);
                    }
                    self.described(body);
                }
                Heard::Answered { call, body } if self.is(call) => {
                    if let Some(call) = &mut self.call {
                        call.answered = true;
                    }
                    self.tone = None;
                    self.described(body);
                }
                Heard::Confirmed { call, body } if self.is(call) => self.described(body),
                Heard::Reoffer { call, offer } if self.is(call) => {
                    self.described(offer);
                    self.answer(now, out);
                }
                Heard::Ended { call, cause } if self.is(call) => self.ended(now, cause, out),
                _ => {}
            }
        }
    }

    fn is(&self, number: CallNumber) -> bool {
        self.call.as_ref().is_some_and(|call| call.number == number)
    }

    fn described(&mut self, body: Vec<u8>) {
        if let Some(call) = &mut self.call
            && !body.is_empty()
        {
            call.theirs = body;
        }
    }

    fn called(
        &mut self,
        now: Duration,
        number: CallNumber,
        from: String,
        offer: Vec<u8>,
        out: &mut Vec<Output>,
    ) {
        if self.off_hook || self.call.is_some() {
            let heard = self.agent.refuse(now, number, Status::BUSY);
            return self.heed(now, heard, out);
        }
        self.call = Some(Call {
            number,
            stream: None,
            incoming: true,
            answered: false,
            rings: true,
            caller: Some(from),
            theirs: offer,
        });
        let heard = self.agent.progress(now, number, Status::RINGING, b"");
        self.heed(now, heard, out);
    }

    /// The call is over, for the other side or for the network.
    fn ended(&mut self, now: Duration, cause: Cause, out: &mut Vec<Output>) {
        let answered = self.call.as_ref().is_some_and(|call| call.answered);
        self.close(now, out);
        if !self.off_hook {
            return;
        }
        let (tone, code, reason) = match cause {
            Cause::Refused(Status::BUSY) => (Tone::Busy, Some(486), "busy"),
            Cause::Refused(status) => (Tone::Congestion, Some(status.code()), "refused"),
            Cause::TimedOut => (Tone::Congestion, None, "no answer"),
            Cause::Unreachable => (Tone::Congestion, None, "unreachable"),
            Cause::Remote | Cause::Cancelled | Cause::Local => (Tone::Congestion, None, "bye"),
        };
        self.tone = Some(tone);
        let reason = reason.to_owned();
        if answered {
            self.hung_up = Some(reason);
        } else {
            out.push(Output::Tell(Some(0), Event::Refused { code, reason }));
        }
    }

    fn close(&mut self, now: Duration, out: &mut Vec<Output>) {
        let stream = self.call.take().and_then(|call| call.stream);
        let report = stream.and_then(|port| self.streams.close(now, port, out));
        if let Some(report) = report {
            out.push(Output::Tell(Some(0), Event::Media(Box::new(report))));
        }
    }

    /// Media and tones as the call has them; tells what is new.
    fn settle(&mut self, now: Duration, out: &mut Vec<Output>) {
        let mut state = State {
            off_hook: self.off_hook,
            tone: self.tone.clone().filter(|_| self.off_hook),
            hung_up: self.off_hook && self.hung_up.is_some(),
            reason: self.hung_up.clone(),
            in_call: self.call.is_some(),
            ..State::default()
        };
        if let Some(call) = &self.call {
            state.ringing = call.rings && !call.answered;
            state.caller.clone_from(&call.caller);
            state.stream = call.stream;
            let theirs = text(&call.theirs);
            let lines: Vec<&str> = theirs.lines().collect();
            if let Some(session) = call.stream.and_then(|port| self.streams.get_mut(port)) {
                let target = sdp::target(&lines).ok().flatten();
                let direction = match call.answered {
                    true => sdp::direction(&lines),
                    // Early media is listened to.
                    false => Direction {
                        send: false,
                        receive: true,
                    },
                };
                session.set(now, direction, target);
                if let Some(target) = target.filter(|_| session.is_both_ways()) {
                    let (local, remote) = (session.local(), target.address);
                    state.talk = Some(Talk::Stream { local, remote });
                }
            }
        }
        if state != self.state {
            state.tell(&self.state, 0, out);
            self.state = state;
        }
    }

    fn send(&self, to: Peer, bytes: Vec<u8>, out: &mut Vec<Output>) {
        let SocketAddr::V4(to) = to.address else {
            return;
        };
        self.trace("sent", to, &bytes, out);
        let port = self.streams.common().ports.signalling();
        out.push(Output::Send(Datagram { port, to, bytes }));
    }

    fn trace(
        &self,
        direction: &'static str,
        peer: SocketAddrV4,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        if self.settings.trace {
            let text = text(bytes);
            out.push(Output::Tell(
                None,
                Event::Trace {
                    direction,
                    peer,
                    text,
                },
            ));
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
