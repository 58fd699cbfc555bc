//! Actions, contexts and what is said about them.

use super::writer::{First, Writer};
use crate::message::{
    ActionReply, ActionRequest, ContextAudit, ContextId, ContextProperties, Direction, Topology,
};
use crate::token::Token;

impl Writer<'_> {
    fn context(&mut self, context: ContextId) {
        match context {
            ContextId::Null => self.out.push(b'-'),
            ContextId::Choose => self.out.push(b'$'),
            ContextId::All => self.out.push(b'*'),
            ContextId::Id(id) => self.number(id),
        }
    }

    pub(super) fn action(&mut self, action: &ActionRequest) {
        self.token_is(Token::Ctx);
        self.context(action.context);
        self.open();
        let mut first = true;
        self.properties(&action.properties, &mut first);
        if !action.audit.is_empty() {
            self.item(&mut first);
            self.token(Token::ContextAudit);
            self.braced(&action.audit, Self::context_audit);
        }
        for command in &action.commands {
            self.item(&mut first);
            self.command(command);
        }
        self.close();
    }

    pub(super) fn action_reply(&mut self, action: &ActionReply) {
        self.token_is(Token::Ctx);
        self.context(action.context);
        if *action == ActionReply::new(action.context, Vec::new()) {
            return;
        }
        self.open();
        let mut first = true;
        self.properties(&action.properties, &mut first);
        for response in &action.responses {
            self.item(&mut first);
            self.response(response);
        }
        if let Some(error) = &action.error {
            self.item(&mut first);
            self.error(error);
        }
        self.close();
    }

    fn properties(&mut self, properties: &ContextProperties, first: &mut First) {
        if !properties.topology.is_empty() {
            self.item(first);
            self.token(Token::Topology);
            self.braced(&properties.topology, Self::topology);
        }
        if let Some(priority) = properties.priority {
            self.item(first);
            self.token_number(Token::Priority, priority);
        }
        if let Some(emergency) = properties.emergency {
            self.item(first);
            self.token(if emergency {
                Token::Emergency
            } else {
                Token::EmergencyOff
            });
        }
        if let Some(ieps) = properties.ieps {
            self.item(first);
            self.switch(Token::Ieps, ieps);
        }
        if !properties.attributes.is_empty() {
            self.item(first);
            self.token(Token::ContextAttr);
            self.braced(&properties.attributes, Self::property);
        }
        if !properties.contexts.is_empty() {
            self.item(first);
            self.token(Token::ContextAttr);
            self.context_list(&properties.contexts);
        }
    }

    /// `{CLT={1,2}}`
    fn context_list(&mut self, contexts: &[ContextId]) {
        self.braced([contexts], |writer, contexts| {
            writer.token_is(Token::ContextList);
            writer.inline(b'{', b'}', contexts, |writer, context| {
                writer.context(*context)
            });
        });
    }

    /// `token=ON`
    pub(super) fn switch(&mut self, token: Token, on: bool) {
        self.token_is(token);
        self.token(if on { Token::On } else { Token::Off });
    }

    fn topology(&mut self, topology: &Topology) {
        self.termination(&topology.from);
        self.out.push(b',');
        self.termination(&topology.to);
        self.out.push(b',');
        self.token(match topology.direction {
            Direction::Bothway => Token::Bothway,
            Direction::Isolate => Token::Isolate,
            Direction::Oneway => Token::Oneway,
            Direction::OnewayExternal => Token::OnewayExternal,
            Direction::OnewayBoth => Token::OnewayBoth,
        });
        if let Some(stream) = topology.stream {
            self.out.push(b',');
            self.token_number(Token::Stream, stream);
        }
    }

    fn context_audit(&mut self, audit: &ContextAudit) {
        match audit {
            ContextAudit::Topology => self.token(Token::Topology),
            ContextAudit::Emergency => self.token(Token::Emergency),
            ContextAudit::Priority => self.token(Token::Priority),
            ContextAudit::Ieps => self.token(Token::Ieps),
            ContextAudit::Property(name) => self.raw(name.as_bytes()),
            ContextAudit::WithPriority(priority) => self.token_number(Token::Priority, *priority),
            ContextAudit::WithEmergency(emergency) => {
                self.token_is(Token::EmergencyValue);
                self.token(if *emergency {
                    Token::Emergency
                } else {
                    Token::EmergencyOff
                });
            }
            ContextAudit::WithIeps(ieps) => self.switch(Token::Ieps, *ieps),
            ContextAudit::WithAttributes(properties) => {
                self.token(Token::ContextAttr);
                self.braced(properties, Self::property);
            }
            ContextAudit::WithContexts(contexts) => {
                self.token(Token::ContextAttr);
                self.context_list(contexts);
            }
            ContextAudit::Attributes(names) => {
                self.token(Token::ContextAttr);
                self.braced(names, |writer, name| writer.raw(name.as_bytes()));
            }
            ContextAudit::And => self.token(Token::AndSelect),
            ContextAudit::Or => self.token(Token::OrSelect),
        }
    }
}
