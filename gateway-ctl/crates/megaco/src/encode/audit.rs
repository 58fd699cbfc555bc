//! What an audit asks for.

use super::writer::{First, Writer};
use crate::message::{
    AuditItem, BufferedPart, LocalControlItem, MediaAudit, Relation, SignalAudit, StateItem,
    StreamAudit,
};
use crate::token::Token;

impl Writer<'_> {
    pub(super) fn audit(&mut self, items: &[AuditItem]) {
        self.token(Token::Audit);
        if items.is_empty() {
            self.raw(b"{}");
        } else {
            self.braced(items, Self::audit_item);
        }
    }

    pub(super) fn audit_item(&mut self, item: &AuditItem) {
        match item {
            AuditItem::Mux => self.token(Token::Mux),
            AuditItem::Modem => self.token(Token::Modem),
            AuditItem::Media => self.token(Token::Media),
            AuditItem::Signals => self.token(Token::Signals),
            AuditItem::EventBuffer => self.token(Token::EventBuffer),
            AuditItem::DigitMap => self.token(Token::DigitMap),
            AuditItem::Statistics => self.token(Token::Stats),
            AuditItem::Events => self.token(Token::Events),
            AuditItem::ObservedEvents => self.token(Token::ObservedEvents),
            AuditItem::Packages => self.token(Token::Packages),
            AuditItem::PartOfMedia(media) => self.media_audit(media),
            AuditItem::Event(request, name) => {
                self.token(Token::Events);
                if let Some(request) = request {
                    self.equals();
                    self.request_id(*request);
                }
                self.one(name.as_bytes());
            }
            AuditItem::Signal(audit) => self.signal_audit(audit.as_ref()),
            AuditItem::DigitMapNamed(name) => {
                self.token_is(Token::DigitMap);
                self.raw(name.as_bytes());
            }
            AuditItem::BufferedEvent(name, part) => {
                self.token(Token::EventBuffer);
                self.braced([part], |writer, part| {
                    writer.raw(name.as_bytes());
                    match part {
                        Some(BufferedPart::Stream(stream)) => {
                            writer.braced([stream], |writer, id| {
                                writer.token_number(Token::Stream, *id);
                            })
                        }
                        Some(BufferedPart::Parameter(name)) => writer.one(name.as_bytes()),
                        None => {}
                    }
                });
            }
            AuditItem::Statistic(name) => {
                self.token(Token::Stats);
                self.one(name.as_bytes());
            }
            AuditItem::Package(package) => {
                self.token(Token::Packages);
                self.braced([package], Self::package);
            }
        }
    }

    /// `{name}`
    fn one(&mut self, name: &[u8]) {
        self.braced([name], Self::raw);
    }

    fn signal_audit(&mut self, audit: Option<&SignalAudit>) {
        self.token(Token::Signals);
        match audit {
            None => self.raw(b"{}"),
            Some(SignalAudit::Signal(signal)) => self.braced([signal], Self::signal),
            Some(SignalAudit::List(id, signal)) => self.braced([id], |writer, id| {
                writer.token_number(Token::SignalList, *id);
                if let Some(signal) = signal {
                    writer.braced([signal], Self::signal);
                }
            }),
        }
    }

    fn media_audit(&mut self, media: &MediaAudit) {
        self.token(Token::Media);
        self.open();
        let mut first = true;
        if !media.state.is_empty() {
            self.item(&mut first);
            self.token(Token::TerminationState);
            self.braced(&media.state, Self::state_item);
        }
        for stream in &media.streams {
            match stream.id {
                Some(id) => {
                    self.item(&mut first);
                    self.token_number(Token::Stream, id);
                    self.open();
                    self.stream_audit(stream, &mut true);
                    self.close();
                }
                None => self.stream_audit(stream, &mut first),
            }
        }
        self.close();
    }

    fn stream_audit(&mut self, stream: &StreamAudit, first: &mut First) {
        if !stream.control.is_empty() {
            self.item(first);
            self.token(Token::LocalControl);
            self.braced(&stream.control, Self::control_item);
        }
        for (said, token) in [(stream.local, Token::Local), (stream.remote, Token::Remote)] {
            if said {
                self.item(first);
                self.token(token);
            }
        }
        if let Some(name) = &stream.statistic {
            self.item(first);
            self.token(Token::Stats);
            self.one(name.as_bytes());
        }
    }

    fn relation_of(&mut self, relation: Relation) {
        self.sign(match relation {
            Relation::Equal => b'=',
            Relation::Unequal => b'#',
        });
    }

    fn state_item(&mut self, item: &StateItem) {
        match item {
            StateItem::Service(condition) => {
                self.token(Token::ServiceStates);
                if let Some((relation, state)) = condition {
                    self.relation_of(*relation);
                    self.service_state(*state);
                }
            }
            StateItem::Buffer => self.token(Token::Buffer),
            StateItem::Property(name) => self.raw(name.as_bytes()),
            StateItem::With(property) => self.property(property),
        }
    }

    fn control_item(&mut self, item: &LocalControlItem) {
        match item {
            LocalControlItem::Mode(condition) => {
                self.token(Token::Mode);
                if let Some((relation, mode)) = condition {
                    self.relation_of(*relation);
                    self.stream_mode(*mode);
                }
            }
            LocalControlItem::ReserveGroup => self.token(Token::ReservedGroup),
            LocalControlItem::ReserveValue => self.token(Token::ReservedValue),
            LocalControlItem::Property(name) => self.raw(name.as_bytes()),
            LocalControlItem::With(property) => self.property(property),
        }
    }
}
