//! What becomes of a phone's registrations.

use std::time::Duration;

use sip::Status;

use super::Phone;
use crate::phone::event::Event;
use crate::phone::streams::Output;

impl Phone {
    pub(super) fn registration(&mut self, now: Duration, out: &mut Vec<Output>) {
        // A renewal is nothing new.
        if std::mem::replace(&mut self.registered, true) {
            return;
        }
        if let Some(switch) = self.registered() {
            out.push(Output::Tell(
                None,
                Event::Registered {
                    switch,
                    protocol: "sip",
                    primary: self.switch == 0,
                    took_ms: now.saturating_sub(self.began).as_secs_f64() * 1000.0,
                },
            ));
        }
    }

    pub(super) fn unregistered(&mut self, reason: &str, out: &mut Vec<Output>) {
        let switch = self.registered();
        self.registered = false;
        if let Some(switch) = switch {
            let reason = reason.to_owned();
            out.push(Output::Tell(None, Event::Unregistered { switch, reason }));
        }
    }

    pub(super) fn refused(&mut self, now: Duration, status: Option<Status>, out: &mut Vec<Output>) {
        let code = status.map(Status::code);
        let what = match status {
            Some(_) => "registration refused",
            None => "no answer to REGISTER",
        };
        let what = what.to_owned();
        out.push(Output::Tell(None, Event::Error { what, code }));
        self.unregistered("not renewed", out);
        let next = (self.switch + 1) % self.settings.switches.len().max(1);
        // The agent tries the same one again by itself; another only when this one is silent.
        if status.is_none() && next != self.switch && self.call.is_none() {
            self.begin(now, next, out);
        }
    }
}
