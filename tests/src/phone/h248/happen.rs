//! What users do becomes events, and events are told by Notify.

use std::time::Duration;

use megaco::{
    Command, ContextId, Name, NotifyRequest, ObservedEvents, ParmValue, TerminationId, Timestamp,
};

use super::gateway::{Gateway, Notice, Purpose};
use super::signals::Ended;
use super::termination::Termination;
use super::watch::{FLASH, Happening, INACTIVE, OFF_HOOK, ON_HOOK, Recognized, SIGNAL_ENDED};
use crate::phone::event::Event;
use crate::phone::line::Act;
use crate::phone::streams::Output;

/// Days from 1 March of the year 0 to 1970.
const DAYS_TO_1970: u64 = 719_468;

impl Gateway {
    pub(super) fn user_acts(
        &mut self,
        now: Duration,
        line: usize,
        act: &Act,
        out: &mut Vec<Output>,
    ) {
        let Some(user) = self.users.get_mut(line) else {
            return;
        };
        let name = user.termination.clone();
        let event = match act {
            Act::OffHook if user.off_hook => return,
            Act::OffHook => {
                (user.off_hook, user.talked) = (true, false);
                OFF_HOOK
            }
            Act::OnHook if !user.off_hook => return,
            Act::OnHook => {
                user.off_hook = false;
                user.digits.clear();
                user.next_press = None;
                ON_HOOK
            }
            Act::Flash => FLASH,
            Act::Dial(number) => {
                user.digits.extend(number.chars());
                user.number = number.clone();
                user.next_press.get_or_insert(now);
                return self.press_next(now, line, out);
            }
        };
        self.happen(now, &name, Happening::new(event, Vec::new()), out);
    }

    /// Presses the next digit, if it is time.
    fn press_next(&mut self, now: Duration, line: usize, out: &mut Vec<Output>) {
        let digit_time = self.settings.digit_time;
        while let Some(user) = self.users.get_mut(line)
            && user.next_press.is_some_and(|at| at <= now)
        {
            let name = user.termination.clone();
            let Some(digit) = user.digits.pop_front() else {
                user.next_press = None;
                let number = std::mem::take(&mut user.number);
                out.push(Output::Tell(Some(line), Event::Dialed { number }));
                return;
            };
            // The last one has no pause behind it.
            let pause = if user.digits.is_empty() {
                Duration::ZERO
            } else {
                digit_time
            };
            user.next_press = Some(now + pause);
            let symbol = match digit {
                '*' => 'E',
                '#' => 'F',
                other => other,
            };
            self.press(now, &name, symbol, out);
        }
    }

    fn press(&mut self, now: Duration, name: &Name, symbol: char, out: &mut Vec<Output>) {
        let Some(termination) = self.terminations.get_mut(name) else {
            return;
        };
        let pressed = termination.watch.press(now, symbol);
        let ended = if pressed.stop {
            termination.playing.interrupt()
        } else {
            Vec::new()
        };
        self.signals_ended(now, name, ended, out);
        for happening in pressed.happenings {
            self.happen(now, name, happening, out);
        }
        if pressed.again {
            self.press(now, name, symbol, out);
        }
    }

    /// Something happens at a termination.
    pub(super) fn happen(
        &mut self,
        now: Duration,
        name: &Name,
        mut happening: Happening,
        out: &mut Vec<Output>,
    ) {
        if happening.0.time.is_none() {
            happening.0.time = self.timestamp(now);
        }
        let Some(termination) = self.terminations.get_mut(name) else {
            return;
        };
        let Some(recognized) = termination.watch.happen(&happening) else {
            return;
        };
        let Recognized {
            keep_active,
            observed,
            embed,
        } = recognized;
        let mut ended = if keep_active {
            Vec::new()
        } else {
            termination.playing.interrupt()
        };
        let notice = Notice {
            termination: TerminationId::Name(name.clone()),
            observed,
        };
        let (signals, events) = embed.map_or((None, None), |embed| (embed.signals, embed.events));
        if let Some(signals) = signals {
            ended.extend(termination.playing.play(now, &signals));
        }
        self.notify(now, notice, out);
        self.signals_ended(now, name, ended, out);
        if let Some(events) = events {
            self.activate(now, name, events, out);
        }
    }

    /// Watches for other events.
    pub(super) fn activate(
        &mut self,
        now: Duration,
        name: &Name,
        events: megaco::Events,
        out: &mut Vec<Output>,
    ) {
        let off_hook = self.off_hook(name);
        let Self {
            root, terminations, ..
        } = self;
        let Some(termination) = terminations.get_mut(name) else {
            return;
        };
        let maps = termination.digit_maps.clone();
        let find = |map: &Name| maps.get(map).or_else(|| root.digit_maps.get(map)).cloned();
        for happening in termination.watch.activate(now, events, off_hook, &find) {
            self.happen(now, name, happening, out);
        }
        while let Some(termination) = self.terminations.get_mut(name)
            && let Some(happening) = termination.watch.next_waiting()
        {
            self.happen(now, name, happening, out);
        }
    }

    pub(super) fn signals_ended(
        &mut self,
        now: Duration,
        name: &Name,
        ended: Vec<Ended>,
        out: &mut Vec<Output>,
    ) {
        for one in ended.into_iter().filter(|one| one.wanted) {
            let happening = Happening::new(SIGNAL_ENDED, one.parameters());
            self.happen(now, name, happening, out);
        }
    }

    /// Tells the controller, or the next one when there is none.
    pub(super) fn notify(&mut self, now: Duration, notice: Notice, out: &mut Vec<Output>) {
        let Some(switch) = self.association.up() else {
            self.unsent.push_back(notice);
            return;
        };
        let termination = match &notice.termination {
            TerminationId::Name(name) => self.terminations.get(name),
            _ => None,
        };
        let context = termination.and_then(|termination| termination.context);
        let command = Command::Notify(NotifyRequest {
            terminations: notice.termination.clone().into(),
            observed: notice.observed.clone(),
            error: None,
        });
        let context = context.map_or(ContextId::Null, ContextId::Id);
        self.ask(
            now,
            switch,
            context,
            command.into(),
            Purpose::Notify(notice),
            out,
        );
    }

    /// Digits, timers of digit maps and signals, silence of the controller.
    pub(super) fn happen_by_time(&mut self, now: Duration, out: &mut Vec<Output>) {
        for line in 0..self.users.len() {
            self.press_next(now, line, out);
        }
        let due =
            |termination: &Termination| termination.poll_timeout().is_some_and(|at| at <= now);
        let due = self
            .terminations
            .iter()
            .filter(|(_, termination)| due(termination));
        let names: Vec<Name> = due.map(|(name, _)| name.clone()).collect();
        for name in names {
            let Some(termination) = self.terminations.get_mut(&name) else {
                continue;
            };
            let complete = termination.watch.handle_timeout(now);
            let ended = termination.playing.handle_timeout(now);
            self.signals_ended(now, &name, ended, out);
            if let Some(complete) = complete {
                self.happen(now, &name, complete, out);
            }
        }
        if self.inactive_at().is_some_and(|at| at <= now) {
            self.heard = now;
            let request = self.root.watch.events.request;
            let mut happening = Happening::new(INACTIVE, Vec::new());
            happening.0.time = self.timestamp(now);
            if let Some(request) = request {
                let observed = ObservedEvents {
                    request,
                    events: vec![happening.0],
                };
                self.notify(
                    now,
                    Notice {
                        termination: TerminationId::Root,
                        observed,
                    },
                    out,
                );
            }
        }
    }

    /// When the controller has been silent for as long as it said that it would be at most
    /// (H.248.14: `it/ito`, parameter `mit` in hundredths of a second).
    pub(super) fn inactive_at(&self) -> Option<Duration> {
        self.association.up()?;
        let events = &self.root.watch.events.events;
        let event = events
            .iter()
            .find(|event| event.name == INACTIVE || event.name == "it/*")?;
        let most = event
            .parameters
            .iter()
            .find(|parameter| parameter.name == "mit")?;
        let hundredths = match &most.value {
            ParmValue::Is(value) => value
                .as_number()
                .and_then(|number| u32::try_from(number).ok())?,
            _ => return None,
        };
        (hundredths > 0).then(|| self.heard + Duration::from_millis(10) * hundredths)
    }

    /// Whether the handset of a line is lifted; none for what is no line.
    pub(super) fn off_hook(&self, name: &Name) -> Option<bool> {
        let user = self.users.iter().find(|user| user.termination == *name)?;
        Some(user.off_hook)
    }

    fn timestamp(&self, now: Duration) -> Option<Timestamp> {
        let time = self.streams.common().epoch + now;
        let (days, seconds) = (time.as_secs() / 86_400, (time.as_secs() % 86_400) as u32);
        let clock = seconds / 3600 * 10_000 + seconds / 60 % 60 * 100 + seconds % 60;
        Timestamp::new(date(days), clock * 100 + time.subsec_millis() / 10)
    }
}

/// Days since 1970 as `yyyymmdd`. Years begin in March, so that the day that is missing in most
/// years is the last.
fn date(days: u64) -> u32 {
    let days = days + DAYS_TO_1970;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year + next;
    (year * 10_000 + month * 100 + day) as u32
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates() {
        for (days, expected) in [
            (0, 19700101),
            (59, 19700301),
            (11_016, 20000229),
            (19_723, 20240101),
            (20_088, 20241231),
        ] {
            assert_eq!(date(days), expected);
        }
    }
}
