//! Contexts become media, and media and signals become what each line's user hears.

use std::time::Duration;

use megaco::{Name, StreamMode};

use super::gateway::Gateway;
use super::sdp;
use super::termination::{Kind, Termination};
use crate::phone::line::{State, Talk};
use crate::phone::media::Direction;
use crate::phone::streams::Output;

impl Gateway {
    /// Lets each stream speak and listen as its context says: what the line in it says is sent,
    /// what arrives is heard on the line.
    pub(super) fn connect(&mut self, now: Duration) {
        let Self {
            terminations,
            streams,
            ..
        } = self;
        let lines: Vec<(u32, usize, Direction)> = terminations
            .values()
            .filter_map(|one| match (one.kind, one.context) {
                (Kind::Line(line), Some(context)) => Some((context, line, line_direction(one))),
                _ => None,
            })
            .collect();
        for stream in terminations
            .values_mut()
            .filter(|one| one.kind == Kind::Rtp)
        {
            let with = lines
                .iter()
                .find(|(context, ..)| Some(*context) == stream.context);
            let Some(session) = stream.port.and_then(|port| streams.get_mut(port)) else {
                continue;
            };
            let target = stream
                .remote
                .as_ref()
                .and_then(|remote| sdp::target(remote).ok()?);
            let own = direction(stream.control.mode.unwrap_or(StreamMode::Inactive));
            let both = with.map_or(Direction::default(), |(_, line, theirs)| {
                stream.line = Some(*line);
                // What the line hears is what the stream receives, and the other way round.
                Direction {
                    send: own.send && theirs.receive,
                    receive: own.receive && theirs.send,
                }
            });
            session.set(now, both, target);
        }
    }

    /// Tells what has changed for the users.
    pub(super) fn settle(&mut self, out: &mut Vec<Output>) {
        for line in 0..self.users.len() {
            let state = self.state(line);
            let Some(user) = self.users.get_mut(line) else {
                continue;
            };
            user.talked = user.off_hook && (user.talked || state.talk.is_some());
            if state != user.state {
                state.tell(&user.state, line, out);
                user.state = state;
            }
        }
    }

    fn state(&self, line: usize) -> State {
        let Some(user) = self.users.get(line) else {
            return State::default();
        };
        let Some(own) = self.terminations.get(&user.termination) else {
            return State::default();
        };
        let off_hook = user.off_hook;
        let mut state = State {
            off_hook,
            // A trunk rings at the far end of what it has dialled.
            ringing: !off_hook && (own.playing.rings() || own.playing.dialled().is_some()),
            called: own.playing.dialled().map(str::to_owned),
            tone: own.playing.tone().filter(|_| off_hook),
            in_call: own.context.is_some(),
            ..State::default()
        };
        let others = || {
            let same = |one: &&Termination| one.context == own.context && one.kind != own.kind;
            self.terminations
                .values()
                .filter(same)
                .filter(|_| own.context.is_some())
        };
        state.stream = others().find_map(|one| one.port);
        if off_hook {
            let session = state.stream.and_then(|port| self.streams.get(port));
            let stream = session.filter(|session| session.is_both_ways());
            state.talk = stream.and_then(|session| {
                let remote = session.target()?.address;
                Some(Talk::Stream {
                    local: session.local(),
                    remote,
                })
            });
            let partner = others().find(|one| matches!(one.kind, Kind::Line(_)));
            let partner = partner.and_then(|one| match one.kind {
                Kind::Line(other) => self.users.get(other),
                _ => None,
            });
            if state.talk.is_none() && partner.is_some_and(|partner| partner.off_hook) {
                state.talk = Some(Talk::Internal);
            }
        }
        // Nobody is there any more, or a tone says so.
        let over = state.stream.is_none() || state.tone.is_some();
        state.hung_up = user.talked && state.talk.is_none() && over;
        state
    }

    /// A termination leaves its context, which goes with its last one.
    pub(super) fn leave(&mut self, now: Duration, name: &Name, out: &mut Vec<Output>) {
        let Some(termination) = self.terminations.get_mut(name) else {
            return;
        };
        let context = termination.context;
        if termination.kind == Kind::Rtp {
            let (port, line) = (termination.port, termination.line);
            self.terminations.remove(name);
            let report = port.and_then(|port| self.streams.close(now, port, out));
            if let Some(report) = report {
                out.push(Output::Tell(
                    line,
                    crate::phone::event::Event::Media(Box::new(report)),
                ));
            }
        } else {
            termination.leave();
        }
        let Some(context) = context else { return };
        if !self
            .terminations
            .values()
            .any(|one| one.context == Some(context))
        {
            self.contexts.remove(&context);
        }
    }
}

/// A line whose mode nobody set takes part.
fn line_direction(line: &Termination) -> Direction {
    direction(line.control.mode.unwrap_or(StreamMode::SendReceive))
}

/// Seen from the context: `send` is out of it.
fn direction(mode: StreamMode) -> Direction {
    let (send, receive) = match mode {
        StreamMode::SendReceive => (true, true),
        StreamMode::SendOnly => (true, false),
        StreamMode::ReceiveOnly => (false, true),
        StreamMode::Inactive | StreamMode::Loopback => (false, false),
    };
    Direction { send, receive }
}
