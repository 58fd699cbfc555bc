//! Registrations, each from the first REGISTER over the 401 to the 200.

use std::time::Duration;

use anyhow::Result;
use sip::Request;
use sip::message::{Method, Name};

use super::super::super::interval::now;
use super::super::place::SWITCH;
use super::crowd::{Crowd, Outcome, contact, login, record};

impl Crowd {
    /// Registers all phones at least once, and goes on for a while.
    pub(super) fn register(
        &mut self,
        phones: u32,
        under_way: usize,
        lasting: Duration,
    ) -> Result<Outcome> {
        let (begin, cost) = self.begin()?;
        self.idle = (0..phones).collect();
        let mut begun = 0_u64;
        let due = |begun: u64, crowd: &Self| {
            begun < u64::from(phones) || (begin.elapsed() < lasting && crowd.over > 0)
        };
        while due(begun, self) || self.over < begun {
            while due(begun, self)
                && begun - self.over < under_way as u64
                && let Some(phone) = self.idle.pop_front()
            {
                self.begin_registration(phone)?;
                begun += 1;
            }
            self.step()?;
        }
        self.finish(begin.elapsed(), cost)
    }

    fn begin_registration(&mut self, phone: u32) -> Result<()> {
        let one = self.phone(phone);
        one.begun = now();
        one.sequence += 1;
        // Nothing is known of the last time: it is asked for its password again.
        one.login = login(phone);
        let sequence = one.sequence;
        let mut request = Request::new(Method::Register, &format!("sip:{SWITCH}"));
        let fields = &mut request.fields;
        fields.push(Name::MaxForwards, "70");
        fields.push(Name::From, format!("<{}>;tag=r{phone}", record(phone)));
        fields.push(Name::To, format!("<{}>", record(phone)));
        fields.push(Name::CallId, format!("register-{phone}"));
        fields.push(Name::CSeq, format!("{sequence} REGISTER"));
        fields.push(Name::Contact, contact(phone));
        fields.push(Name::Expires, "3600");
        self.ask(phone, request)
    }
}
