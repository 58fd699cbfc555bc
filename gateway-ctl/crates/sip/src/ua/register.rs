//! Registration (RFC 3261 section 10.2).

use std::time::Duration;

use super::{Agent, Event, Purpose};
use crate::auth::Login;
use crate::message::{Contacts, Method, Name, Request, Response, Status};
use crate::params::Params;

/// After a failure it is tried again; each phone waits a little differently.
const AGAIN: Duration = Duration::from_secs(30);

/// Where registration stands.
#[derive(Debug)]
pub(super) struct Registration {
    pub(super) login: Login,
    call_id: String,
    tag: String,
    sequence: u32,
    /// The request under way.
    request: Option<Request>,
    /// Registered is wanted, not unregistered.
    wanted: bool,
    /// When to register again.
    pub(super) again: Option<Duration>,
    seed: u64,
}

impl Registration {
    pub(super) fn new(login: Login, seed: u64) -> Self {
        Self {
            login,
            call_id: format!("register-{seed:016x}"),
            tag: format!("{seed:x}"),
            sequence: 0,
            request: None,
            wanted: false,
            again: None,
            seed,
        }
    }
}

impl Agent {
    /// Registers, and again before it ends; or once more, if it is registered already.
    pub fn register(&mut self, now: Duration) -> Vec<Event> {
        self.registration.wanted = true;
        self.send_register(now)
    }

    /// Takes its binding back.
    pub fn unregister(&mut self, now: Duration) -> Vec<Event> {
        self.registration.wanted = false;
        self.send_register(now)
    }

    pub(super) fn send_register(&mut self, now: Duration) -> Vec<Event> {
        let mut request = Request::new(Method::Register, &format!("sip:{}", self.settings.domain));
        let address = self.address();
        let expires = match self.registration.wanted {
            true => self.settings.expires.as_secs(),
            false => 0,
        };
        let fields = &mut request.fields;
        fields.push(Name::MaxForwards, "70");
        fields.push(
            Name::From,
            format!("{address};tag={}", self.registration.tag),
        );
        fields.push(Name::To, address);
        fields.push(Name::CallId, &self.registration.call_id);
        fields.push(Name::CSeq, "0 REGISTER");
        fields.push(Name::Contact, self.contact());
        fields.push(Name::Expires, expires.to_string());
        self.registration.again = None;
        self.registration.login.use_again(&mut request);
        let mut events = Vec::new();
        self.try_register(now, request, &mut events);
        events
    }

    fn try_register(&mut self, now: Duration, mut request: Request, events: &mut Vec<Event>) {
        self.registration.sequence += 1;
        let sequence = format!("{} REGISTER", self.registration.sequence);
        request.fields.set(Name::CSeq, sequence);
        let sent = self.send(now, request, Purpose::Register, events);
        self.registration.request = sent.map(|(_, request)| request);
    }

    pub(super) fn registered(
        &mut self,
        now: Duration,
        response: &Response,
        events: &mut Vec<Event>,
    ) {
        let status = response.status;
        let current = self
            .registration
            .request
            .as_ref()
            .and_then(|request| request.fields.cseq().ok());
        if status.is_provisional() || response.fields.cseq().ok() != current {
            return;
        }
        let Some(mut request) = self.registration.request.take() else {
            return;
        };
        match status {
            _ if status.is_success() && !self.registration.wanted => {
                events.push(Event::Unregistered);
            }
            _ if status.is_success() => {
                let expires = self.granted(response);
                // Half of it: one REGISTER may be lost, and a registrar may be down a while.
                self.registration.again = Some(now + expires / 2);
                events.push(Event::Registered { expires });
            }
            Status::UNAUTHORIZED | Status::PROXY_UNAUTHORIZED
                if self.registration.login.answer(response, &mut request) =>
            {
                self.try_register(now, request, events);
            }
            Status::INTERVAL_TOO_BRIEF => match response.fields.seconds(Name::MinExpires) {
                Some(least) if least > self.settings.expires => {
                    self.settings.expires = least;
                    request
                        .fields
                        .set(Name::Expires, least.as_secs().to_string());
                    self.try_register(now, request, events);
                }
                _ => self.register_failed(now, Some(status), events),
            },
            _ => self.register_failed(now, Some(status), events),
        }
    }

    pub(super) fn register_failed(
        &mut self,
        now: Duration,
        status: Option<Status>,
        events: &mut Vec<Event>,
    ) {
        self.registration.request = None;
        if self.registration.wanted {
            let spread = Duration::from_millis(self.registration.seed % 10_000);
            self.registration.again = Some(now + AGAIN + spread);
        }
        events.push(Event::RegisterFailed { status });
    }

    /// How long the registrar keeps this end's binding.
    fn granted(&self, response: &Response) -> Duration {
        let seconds = |params: Params<'_>| {
            let text = params.get("expires")?;
            text.parse().ok().map(Duration::from_secs)
        };
        let own = match response.fields.contacts() {
            Ok(Contacts::List(contacts)) => contacts
                .iter()
                .find(|contact| self.contact().contains(contact.text))
                .and_then(|contact| seconds(contact.params)),
            _ => None,
        };
        own.or_else(|| response.fields.seconds(Name::Expires))
            .unwrap_or(self.settings.expires)
            .max(Duration::from_secs(1))
    }
}
