//! Commands, answers, and the terminations they are about.

use super::writer::Writer;
use crate::message::{
    Amm, AuditItem, AuditReply, Audited, Command, CommandRequest, Descriptors, NotifyReply,
    NotifyRequest, Response, ServiceChangeReply, ServiceChangeResult, TerminationId, Terminations,
};
use crate::token::Token;

impl Writer<'_> {
    pub(super) fn termination(&mut self, termination: &TerminationId) {
        match termination {
            TerminationId::Root => self.raw(b"root"),
            TerminationId::Choose => self.out.push(b'$'),
            TerminationId::All => self.out.push(b'*'),
            TerminationId::Name(name) => self.raw(name.as_bytes()),
        }
    }

    /// `token=A` or `token=[A,B]`
    fn on(&mut self, token: Token, terminations: &Terminations) {
        self.token_is(token);
        if terminations.is_list() {
            self.inline(b'[', b']', terminations.iter(), Self::termination);
        } else {
            self.termination(terminations.first());
        }
    }

    pub(super) fn command(&mut self, request: &CommandRequest) {
        if request.optional {
            self.raw(b"O-");
        }
        if request.wildcard {
            self.raw(b"W-");
        }
        match &request.command {
            Command::Add(amm) => self.amm(Token::Add, amm),
            Command::Move(amm) => self.amm(Token::Move, amm),
            Command::Modify(amm) => self.amm(Token::Modify, amm),
            Command::Subtract(audited) => self.audited(Token::Subtract, audited),
            Command::AuditValue(audited) => self.audited(Token::AuditValue, audited),
            Command::AuditCapability(audited) => self.audited(Token::AuditCap, audited),
            Command::Notify(notify) => self.notify(notify),
            Command::ServiceChange(change) => {
                self.on(Token::ServiceChange, &change.terminations);
                self.braced([&change.change], Self::service_change);
            }
        }
    }

    fn amm(&mut self, token: Token, amm: &Amm) {
        self.on(token, &amm.terminations);
        self.some(&amm.descriptors);
    }

    fn some(&mut self, descriptors: &Descriptors) {
        if !descriptors.0.is_empty() {
            self.braced(&descriptors.0, Self::descriptor);
        }
    }

    fn audited(&mut self, token: Token, audited: &Audited) {
        self.on(token, &audited.terminations);
        if let Some(items) = &audited.audit {
            self.braced([items], |writer, items: &Vec<AuditItem>| {
                writer.audit(items)
            });
        }
    }

    fn notify(&mut self, notify: &NotifyRequest) {
        self.on(Token::Notify, &notify.terminations);
        self.open();
        let mut first = true;
        self.item(&mut first);
        self.observed_events(&notify.observed);
        if let Some(error) = &notify.error {
            self.item(&mut first);
            self.error(error);
        }
        self.close();
    }

    pub(super) fn response(&mut self, response: &Response) {
        match response {
            Response::Add(amm) => self.amm(Token::Add, amm),
            Response::Move(amm) => self.amm(Token::Move, amm),
            Response::Modify(amm) => self.amm(Token::Modify, amm),
            Response::Subtract(amm) => self.amm(Token::Subtract, amm),
            Response::AuditValue(reply) => self.audit_reply(Token::AuditValue, reply),
            Response::AuditCapability(reply) => self.audit_reply(Token::AuditCap, reply),
            Response::Notify(reply) => self.notify_reply(reply),
            Response::ServiceChange(reply) => self.service_change_reply(reply),
        }
    }

    fn audit_reply(&mut self, token: Token, reply: &AuditReply) {
        match reply {
            AuditReply::Terminations(amm) => self.amm(token, amm),
            AuditReply::Context(terminations) => {
                self.token_is(token);
                self.token(Token::Ctx);
                self.braced(terminations, Self::termination);
            }
            AuditReply::ContextError(error) => {
                self.token_is(token);
                self.token(Token::Ctx);
                self.braced([error], Self::error);
            }
        }
    }

    fn notify_reply(&mut self, reply: &NotifyReply) {
        self.on(Token::Notify, &reply.terminations);
        if let Some(error) = &reply.error {
            self.braced([error], Self::error);
        }
    }

    fn service_change_reply(&mut self, reply: &ServiceChangeReply) {
        self.on(Token::ServiceChange, &reply.terminations);
        match &reply.result {
            ServiceChangeResult::Error(error) => self.braced([error], Self::error),
            accepted if *accepted == ServiceChangeResult::ACCEPTED => {}
            accepted => self.braced([accepted], Self::service_change_result),
        }
    }
}
