//! Actions, contexts and what is said about them.

use super::lexer::{Level, Parsed, Reader, number};
use super::message::Owner;
use crate::error::ErrorCode;
use crate::message::{
    ActionReply, ActionRequest, ContextAudit, ContextId, ContextProperties, Direction, Topology,
};
use crate::token::Token;

const A_CONTEXT: &str = "Context";

impl<'a> Reader<'a> {
    pub(super) fn actions(&mut self, owner: &mut Owner) -> Parsed<Vec<ActionRequest>> {
        // Mostly there is one; the usual room would be for four.
        let mut actions = Vec::with_capacity(1);
        self.braced(|reader| {
            actions.push(reader.action(owner)?);
            reader.level = Level::Transaction;
            Ok(())
        })?;
        if actions.is_empty() {
            return Err(self.fault("an action"));
        }
        Ok(actions)
    }

    fn context(&mut self, owner: &mut Owner) -> Parsed<ContextId> {
        let (token, word) = self.token(A_CONTEXT)?;
        if token != Some(Token::Ctx) {
            return Err(self.fault_of(word, ErrorCode::SYNTAX_IN_TRANSACTION, A_CONTEXT));
        }
        self.level = Level::Action;
        owner.context = None;
        self.equals()?;
        let context = self.context_id()?;
        owner.context = Some(context);
        Ok(context)
    }

    pub(super) fn context_id(&mut self) -> Parsed<ContextId> {
        const EXPECTED: &str = "-, $, * or a number from 1 to 4294967293";
        let word = self.word(EXPECTED)?;
        match word {
            b"-" => Ok(ContextId::Null),
            b"$" => Ok(ContextId::Choose),
            b"*" => Ok(ContextId::All),
            digits => match number(digits) {
                Some(id @ 1..0xffff_fffe) => Ok(ContextId::Id(id)),
                _ => Err(self.bad(word, EXPECTED)),
            },
        }
    }

    fn action(&mut self, owner: &mut Owner) -> Parsed<ActionRequest> {
        let mut action = ActionRequest::new(self.context(owner)?, Vec::with_capacity(1));
        let mut anything = false;
        self.braced(|reader| {
            anything = true;
            let word = reader.word("a command")?;
            let token = Token::of(word);
            if token == Some(Token::ContextAudit) {
                reader.context_audit(&mut action.audit)
            } else if reader.context_property(token, &mut action.properties)? {
                Ok(())
            } else {
                action.commands.push(reader.command(token, word)?);
                reader.level = Level::Action;
                Ok(())
            }
        })?;
        if !anything {
            return Err(self.fault("a command"));
        }
        Ok(action)
    }

    pub(super) fn action_replies(&mut self, owner: &mut Owner) -> Parsed<Vec<ActionReply>> {
        let mut replies = Vec::with_capacity(1);
        loop {
            self.count()?;
            replies.push(self.action_reply(owner)?);
            self.level = Level::Transaction;
            if self.take(b',') && !self.take(b'}') {
                continue;
            }
            self.expect(b'}', "a comma or a closing brace")?;
            return Ok(replies);
        }
    }

    fn action_reply(&mut self, owner: &mut Owner) -> Parsed<ActionReply> {
        let mut reply = ActionReply::new(self.context(owner)?, Vec::new());
        if self.peek() != Some(b'{') {
            // Without anything: H.248.1 has it no more, but it is sent.
            return Ok(reply);
        }
        reply.responses.reserve_exact(1);
        self.braced(|reader| {
            if reply.error.is_some() {
                return Err(reader.fault("nothing behind an error"));
            }
            let (token, word) = reader.token("an answer")?;
            if token == Some(Token::Error) {
                reply.error = Some(reader.error_body()?);
            } else if !reader.context_property(token, &mut reply.properties)? {
                reply.responses.push(reader.response(token, word)?);
                reader.level = Level::Action;
            }
            Ok(())
        })?;
        Ok(reply)
    }

    /// Reads on, if the word begins a property of the context.
    fn context_property(
        &mut self,
        token: Option<Token>,
        properties: &mut ContextProperties,
    ) -> Parsed<bool> {
        let once = |reader: &Self, there: bool| {
            if there {
                let code = ErrorCode::ILLEGAL_ACTIONS;
                return Err(reader.coded(code, "each property of a context once"));
            }
            Ok(())
        };
        match token {
            Some(Token::Topology) => {
                once(self, !properties.topology.is_empty())?;
                properties.topology = self.topology()?;
            }
            Some(Token::Priority) => {
                once(self, properties.priority.is_some())?;
                properties.priority = Some(self.equals_number("a priority")?);
            }
            Some(token @ (Token::Emergency | Token::EmergencyOff)) => {
                once(self, properties.emergency.is_some())?;
                properties.emergency = Some(token == Token::Emergency);
            }
            Some(Token::Ieps) => {
                once(self, properties.ieps.is_some())?;
                properties.ieps = Some(self.equals_switch()?);
            }
            Some(Token::ContextAttr) => {
                self.some_braced("a property", |reader| {
                    let word = reader.word("a property")?;
                    if Token::of(word) == Some(Token::ContextList) {
                        reader.context_list(&mut properties.contexts)
                    } else {
                        let property = reader.property_of(word, "package/property")?;
                        properties.attributes.push(property);
                        Ok(())
                    }
                })?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn context_list(&mut self, contexts: &mut Vec<ContextId>) -> Parsed<()> {
        self.equals()?;
        self.some_braced("a context", |reader| {
            contexts.push(reader.context_id()?);
            Ok(())
        })
    }

    /// `{A, B, way}`, or several of them in a row, each maybe with a stream behind it.
    fn topology(&mut self) -> Parsed<Vec<Topology>> {
        let (mut all, mut from, mut to) = (Vec::<Topology>::new(), None, None);
        self.braced(|reader| {
            let word = reader.word("a termination")?;
            let token = Token::of(word);
            if token == Some(Token::Stream) && reader.peek() == Some(b'=') {
                let stream = reader.equals_number("a stream")?;
                let last = all
                    .last_mut()
                    .filter(|last| last.stream.is_none() && from.is_none());
                let last = last.ok_or_else(|| reader.bad(word, "a stream behind a direction"))?;
                last.stream = Some(stream);
            } else if let (None, Some(direction), Some(last)) =
                (&from, extended(token), all.last_mut())
            {
                // Behind another direction, which it makes more precise.
                last.direction = direction;
            } else if from.is_none() {
                from = Some(reader.termination_of(word)?);
            } else if to.is_none() {
                to = Some(reader.termination_of(word)?);
            } else {
                let direction = match token {
                    Some(Token::Bothway) => Some(Direction::Bothway),
                    Some(Token::Isolate) => Some(Direction::Isolate),
                    Some(Token::Oneway) => Some(Direction::Oneway),
                    token => extended(token),
                };
                let expected = "Bothway, Isolate or Oneway";
                let direction = direction.ok_or_else(|| reader.bad(word, expected))?;
                if let (Some(from), Some(to)) = (from.take(), to.take()) {
                    all.push(Topology {
                        from,
                        to,
                        direction,
                        stream: None,
                    });
                }
            }
            Ok(())
        })?;
        if all.is_empty() || from.is_some() {
            return Err(self.fault("two terminations and a direction"));
        }
        Ok(all)
    }

    fn context_audit(&mut self, audit: &mut Vec<ContextAudit>) -> Parsed<()> {
        self.braced(|reader| {
            let (token, word) = reader.token("what to audit")?;
            let item = match token {
                Some(Token::Topology) => ContextAudit::Topology,
                Some(Token::Emergency) => ContextAudit::Emergency,
                Some(Token::Priority) if reader.peek() == Some(b'=') => {
                    ContextAudit::WithPriority(reader.equals_number("a priority")?)
                }
                Some(Token::Priority) => ContextAudit::Priority,
                Some(Token::Ieps) if reader.peek() == Some(b'=') => {
                    ContextAudit::WithIeps(reader.equals_switch()?)
                }
                Some(Token::Ieps) => ContextAudit::Ieps,
                Some(Token::EmergencyValue) => {
                    reader.equals()?;
                    let (token, word) = reader.token("Emergency or EmergencyOff")?;
                    ContextAudit::WithEmergency(match token {
                        Some(Token::Emergency) => true,
                        Some(Token::EmergencyOff) => false,
                        _ => return Err(reader.bad(word, "Emergency or EmergencyOff")),
                    })
                }
                Some(Token::AndSelect) => ContextAudit::And,
                Some(Token::OrSelect) => ContextAudit::Or,
                Some(Token::ContextAttr) => reader.attribute_audit()?,
                _ => ContextAudit::Property(reader.pkgd_name_of(word, "what to audit")?),
            };
            audit.push(item);
            Ok(())
        })?;
        if audit.is_empty() {
            return Err(self.fault("what to audit"));
        }
        Ok(())
    }

    /// `{name, name}`, `{name=value, ..}` or `{CLT={..}}`
    fn attribute_audit(&mut self) -> Parsed<ContextAudit> {
        let (mut names, mut properties, mut contexts) = (Vec::new(), Vec::new(), Vec::new());
        self.braced(|reader| {
            let word: &'a [u8] = reader.word("a property")?;
            if Token::of(word) == Some(Token::ContextList) {
                reader.context_list(&mut contexts)?;
            } else if reader.at_parm_value() {
                properties.push(reader.property_of(word, "package/property")?);
            } else {
                names.push(reader.pkgd_name_of(word, "package/property")?);
            }
            Ok(())
        })?;
        match (names.is_empty(), properties.is_empty(), contexts.is_empty()) {
            (false, true, true) => Ok(ContextAudit::Attributes(names)),
            (true, false, true) => Ok(ContextAudit::WithAttributes(properties)),
            (true, true, false) => Ok(ContextAudit::WithContexts(contexts)),
            _ => Err(self.fault("either names, or properties, or contexts")),
        }
    }

    /// `=ON` or `=OFF`
    pub(super) fn equals_switch(&mut self) -> Parsed<bool> {
        self.equals()?;
        let (token, word) = self.token("ON or OFF")?;
        match token {
            Some(Token::On) => Ok(true),
            Some(Token::Off) => Ok(false),
            _ => Err(self.fault_of(word, ErrorCode::UNKNOWN_VALUE, "ON or OFF")),
        }
    }
}

/// Directions of version 3.
fn extended(token: Option<Token>) -> Option<Direction> {
    match token {
        Some(Token::OnewayExternal) => Some(Direction::OnewayExternal),
        Some(Token::OnewayBoth) => Some(Direction::OnewayBoth),
        _ => None,
    }
}
