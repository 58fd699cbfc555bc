//! Time passes.

use super::{LineState, Switch, Time, Timer};
use crate::identity::GatewayId;
use crate::record::{EndReason, Progress};
use crate::registration::Service;

/// Heartbeats that a gateway may miss.
const MISSED: u32 = 3;

impl Switch {
    /// When something is to be done; `None`: never, as things are.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let own = self.timers.first().map(|(due, _)| *due);
        own.into_iter().chain(self.sip_timeout()).min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.now = now;
        let mut gone = std::collections::BTreeSet::new();
        while let Some((due, timer)) = self.timers.first().cloned()
            && due <= now
        {
            self.timers.pop_first();
            match timer {
                Timer::Unanswered(call) => {
                    let there = self.calls.get(&call);
                    let rings = there.is_some_and(|call| call.progress == Progress::Ringing);
                    if rings && !self.sip_unanswered(now, call) {
                        self.release(now, call, EndReason::NoAnswer, None);
                    }
                }
                Timer::NextDigit(gateway, line) => {
                    let wait = self.settings.next_digit;
                    let state = self.line(&gateway, &line).map(|line| &line.state);
                    if let Some(LineState::Dialling { digits, heard }) = state
                        && *heard + wait <= now
                        && !digits.is_empty()
                    {
                        let digits = digits.clone();
                        self.dialled(now, &gateway, &line, &digits);
                    }
                }
                Timer::Silent(gateway) => self.look_after(now, gateway),
                Timer::Greet(gateway) => self.greet(now, &gateway),
                Timer::Again(call) => self.answer_due(now, call),
                Timer::Account(user) => {
                    if self.account_due(now, &user) {
                        gone.insert(user);
                    }
                }
                Timer::Longest(call) => self.release(now, call, EndReason::GatewayLost, None),
            }
        }
        self.lose_users(now, &gone);
        self.sip_due(now);
    }

    /// When a gateway is lost if nothing is heard of it.
    pub(super) fn patience(&self) -> Time {
        self.settings.heartbeat * MISSED
    }

    /// Looks whether a gateway was heard of, and when to look again.
    fn look_after(&mut self, now: Time, gateway: GatewayId) {
        let patience = self.patience();
        let remember = self.settings.remember;
        let Some(there) = self.gateways.get_mut(&gateway) else {
            return;
        };
        let silent = now.saturating_sub(there.heard);
        if silent < patience {
            let next = there.heard + patience;
            self.timers.insert((next, Timer::Silent(gateway)));
            return;
        }
        if there.registration.service != Service::Down {
            there.registration.service = Service::Down;
            self.counters.lost += 1;
            self.forget_questions(&gateway);
            // Who talks may go on, and be found again.
            self.lose_calls(now, &gateway, |call| call.progress != Progress::Talking);
        }
        let there = self.gateways.get(&gateway);
        let kept = there.map_or(Time::ZERO, |there| there.heard + remember);
        if kept <= now {
            self.lose_calls(now, &gateway, |_| true);
            self.forget(&gateway);
        } else {
            self.timers.insert((kept, Timer::Silent(gateway)));
        }
    }
}
