//! ServiceChange, both ways (RFC 3525 section 7.2.8).

use std::net::{IpAddr, SocketAddrV4};
use std::time::Duration;

use megaco::{
    ChangeAddress, Command, ContextId, ErrorCode, Method, Mid, Name, Outcome, Profile, Response,
    ServiceChange, ServiceChangeReply, ServiceChangeRequest, ServiceChangeResult, ServiceState,
    TerminationId,
};

use super::PORT;
use super::association::{Ask, word};
use super::gateway::{Afterwards, Gateway, Purpose};
use crate::phone::event::Event;
use crate::phone::streams::Output;

impl Gateway {
    /// Asks to be registered, if there is anybody to ask.
    pub(super) fn register(&mut self, now: Duration, ask: Option<Ask>, out: &mut Vec<Output>) {
        const PROFILE: Name = Name::literal("ResGW");
        let Some(ask) = ask else { return };
        let tell = Event::Registering {
            switch: ask.switch,
            method: word(&ask.method),
            reason: Some(ask.reason),
        };
        out.push(Output::Tell(None, tell));
        // Nothing else is said to anybody until this is answered.
        let waiting = self.transactions.drain();
        self.unsent
            .extend(waiting.into_iter().filter_map(|what| match what {
                Purpose::Notify(notice) => Some(notice),
                Purpose::Register(_) | Purpose::Farewell => None,
            }));
        // The first message is of version 1 and offers what is spoken (section 11.3).
        self.version = 1;
        let mut change = ServiceChange::new(ask.method, ask.reason);
        change.version = Some(self.settings.version);
        change.profile = Some(Profile {
            name: PROFILE,
            version: 1,
        });
        self.service_change(
            now,
            ask.switch,
            TerminationId::Root,
            change,
            Purpose::Register(now),
            out,
        );
    }

    fn service_change(
        &mut self,
        now: Duration,
        to: SocketAddrV4,
        termination: TerminationId,
        change: ServiceChange,
        what: Purpose,
        out: &mut Vec<Output>,
    ) {
        let terminations = termination.into();
        let command = Command::ServiceChange(ServiceChangeRequest {
            terminations,
            change,
        });
        self.ask(now, to, ContextId::Null, command.into(), what, out);
    }

    /// Says good-bye, and belongs to nobody from then on.
    pub fn leave_switch(&mut self, now: Duration, out: &mut Vec<Output>) {
        if let Some(switch) = self.association.up() {
            let change = ServiceChange::new(Method::Forced, 905);
            self.service_change(
                now,
                switch,
                TerminationId::Root,
                change,
                Purpose::Farewell,
                out,
            );
            self.unregistered(switch, "left", out);
        }
        self.association.stop();
    }

    fn unregistered(&self, switch: SocketAddrV4, reason: &str, out: &mut Vec<Output>) {
        let reason = reason.to_owned();
        out.push(Output::Tell(None, Event::Unregistered { switch, reason }));
    }

    pub(super) fn registration_answered(
        &mut self,
        now: Duration,
        began: Duration,
        outcome: &Outcome,
        out: &mut Vec<Output>,
    ) {
        let Some(asked) = self.association.asking() else {
            return;
        };
        let refusal = match result(outcome) {
            Some(ServiceChangeResult::Accepted {
                address,
                mgc,
                version,
                ..
            }) => {
                if let Some(elsewhere) = mgc.as_ref().and_then(socket_address) {
                    let ask = self.association.redirected(elsewhere);
                    return self.register(now, ask, out);
                }
                self.version = version.unwrap_or(1).min(self.settings.version);
                let at = match address {
                    Some(ChangeAddress::Port(port)) => SocketAddrV4::new(*asked.ip(), *port),
                    Some(ChangeAddress::Mid(mid)) => socket_address(mid).unwrap_or(asked),
                    None => asked,
                };
                return self.accepted(now, began, at, out);
            }
            Some(ServiceChangeResult::Error(error)) => Some(error.clone()),
            None => match outcome {
                Outcome::Error(error) => Some(error.clone()),
                Outcome::Actions(actions) => actions.iter().find_map(|action| action.error.clone()),
            },
        };
        let (code, text) = refusal.map_or((None, String::new()), |error| {
            (Some(error.code.0), error.text.as_str().to_owned())
        });
        self.error(
            &format!("registration refused by {asked}: {text}"),
            code,
            out,
        );
        let ask = self.association.refused(now);
        self.register(now, ask, out);
    }

    fn accepted(
        &mut self,
        now: Duration,
        began: Duration,
        at: SocketAddrV4,
        out: &mut Vec<Output>,
    ) {
        self.association.accepted(at);
        self.heard = now;
        out.push(Output::Tell(
            None,
            Event::Registered {
                switch: at,
                protocol: "h248",
                primary: self.association.is_primary(at),
                took_ms: (now.saturating_sub(began)).as_secs_f64() * 1000.0,
            },
        ));
        // Repeated requests go to the new controller (section 11.5).
        while let Some(notice) = self.unsent.pop_front() {
            self.notify(now, notice, out);
        }
    }

    pub(super) fn notify_answered(
        &mut self,
        now: Duration,
        outcome: &Outcome,
        out: &mut Vec<Output>,
    ) {
        let Some(error) = first_error(outcome) else {
            return;
        };
        self.error(error.text.as_str(), Some(error.code.0), out);
        // A controller that began anew has never heard of this gateway.
        if error.code == ErrorCode::NOT_REGISTERED
            && let Some(switch) = self.association.up()
        {
            self.unregistered(switch, "forgotten by the controller", out);
            let ask = self.association.forgotten();
            self.register(now, ask, out);
        }
    }

    /// Nobody answered a request.
    pub(super) fn gave_up(
        &mut self,
        now: Duration,
        to: SocketAddrV4,
        what: Purpose,
        out: &mut Vec<Output>,
    ) {
        match what {
            Purpose::Register(_) => {
                self.error(&format!("no answer from {to}"), None, out);
                let ask = self.association.refused(now);
                self.register(now, ask, out);
            }
            Purpose::Notify(notice) => {
                self.unsent.push_back(notice);
                if self.association.up() == Some(to) {
                    self.unregistered(to, "the controller is silent", out);
                    let ask = self.association.lost(now);
                    self.register(now, ask, out);
                }
            }
            Purpose::Farewell => {}
        }
    }

    /// The controller changes something.
    pub(super) fn changed_by_controller(&mut self, request: &ServiceChangeRequest) -> Response {
        let change = &request.change;
        let first = request.terminations.first();
        let mut result = ServiceChangeResult::ACCEPTED;
        match (first, &change.method) {
            (TerminationId::Root, Method::HandOff) => {
                match change.mgc.as_ref().and_then(socket_address) {
                    Some(to) => self.afterwards = Some(Afterwards::HandOff(to)),
                    None => result = ServiceChangeResult::Error(ErrorCode::NOT_IMPLEMENTED.into()),
                }
            }
            (TerminationId::Root, Method::Restart) => self.afterwards = Some(Afterwards::Restart),
            (TerminationId::Root, _) => {}
            (_, method) => {
                let service = match method {
                    Method::Forced | Method::Graceful => ServiceState::OutOfService,
                    _ => ServiceState::InService,
                };
                match self.find(None, first) {
                    Ok(names) => names.iter().for_each(|name| {
                        if let Some(termination) = self.terminations.get_mut(name) {
                            termination.service = service;
                        }
                    }),
                    Err(code) => result = ServiceChangeResult::Error(code.into()),
                }
            }
        }
        let terminations = request.terminations.clone();
        Response::ServiceChange(ServiceChangeReply {
            terminations,
            result,
        })
    }
}

fn result(outcome: &Outcome) -> Option<&ServiceChangeResult> {
    let Outcome::Actions(actions) = outcome else {
        return None;
    };
    let mut responses = actions.iter().flat_map(|action| &action.responses);
    responses.find_map(|response| match response {
        Response::ServiceChange(reply) => Some(&reply.result),
        _ => None,
    })
}

fn first_error(outcome: &Outcome) -> Option<&megaco::ErrorDescriptor> {
    match outcome {
        Outcome::Error(error) => Some(error),
        Outcome::Actions(actions) => actions.iter().find_map(|action| {
            let mut responses = action.responses.iter();
            let of_command = responses.find_map(|response| match response {
                Response::Notify(reply) => reply.error.as_ref(),
                _ => None,
            });
            action.error.as_ref().or(of_command)
        }),
    }
}

/// Where a controller of this name is, if the name is an address.
fn socket_address(mid: &Mid) -> Option<SocketAddrV4> {
    match mid {
        Mid::Address(IpAddr::V4(address), port) => {
            Some(SocketAddrV4::new(*address, port.unwrap_or(PORT)))
        }
        _ => None,
    }
}
