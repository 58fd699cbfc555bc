//! Commands, and the terminations they are about.

use super::lexer::{Level, Parsed, Reader};
use crate::error::ErrorCode;
use crate::message::{
    Amm, Audited, Command, CommandRequest, Descriptor, Descriptors, NotifyRequest,
    ServiceChangeRequest, TerminationId, Terminations,
};
use crate::parse::descriptor::Where;
use crate::token::Token;

impl Reader<'_> {
    /// A command whose word has been read: `O-W-Add` for one.
    pub(super) fn command(&mut self, token: Option<Token>, word: &[u8]) -> Parsed<CommandRequest> {
        let (optional, rest) = prefixed(word, b'o');
        let (wildcard, verb) = prefixed(rest, b'w');
        let verb = if optional || wildcard {
            Token::of(verb)
        } else {
            token
        };
        let known = matches!(
            verb,
            Some(
                Token::Add
                    | Token::Move
                    | Token::Modify
                    | Token::Subtract
                    | Token::AuditValue
                    | Token::AuditCap
                    | Token::Notify
                    | Token::ServiceChange
            )
        );
        if !known {
            return Err(self.fault_of(word, ErrorCode::UNKNOWN_COMMAND, "a command"));
        }
        self.level = Level::Command;
        self.equals()?;
        let terminations = self.terminations()?;
        let command = match verb {
            Some(Token::Add) => Command::Add(self.amm(terminations)?),
            Some(Token::Move) => Command::Move(self.amm(terminations)?),
            Some(Token::Modify) => Command::Modify(self.amm(terminations)?),
            Some(Token::Subtract) => Command::Subtract(self.audited(terminations)?),
            Some(Token::AuditValue) => Command::AuditValue(self.audited(terminations)?),
            Some(Token::AuditCap) => Command::AuditCapability(self.audited(terminations)?),
            Some(Token::Notify) => Command::Notify(self.notify(terminations)?),
            _ => Command::ServiceChange(self.service_change_request(terminations)?),
        };
        Ok(CommandRequest {
            optional,
            wildcard,
            command,
        })
    }

    pub(super) fn terminations(&mut self) -> Parsed<Terminations> {
        if self.peek() != Some(b'[') {
            return self.termination().map(Terminations::from);
        }
        let mut all = Vec::new();
        self.listed(b'[', b']', |reader| {
            all.push(reader.termination()?);
            Ok(())
        })?;
        if all.is_empty() {
            return Err(self.fault("a termination"));
        }
        let first = all.remove(0);
        Ok(Terminations::new(first, all))
    }

    pub(super) fn termination(&mut self) -> Parsed<TerminationId> {
        let word = self.word("a termination")?;
        self.termination_of(word)
    }

    pub(super) fn termination_of(&self, word: &[u8]) -> Parsed<TerminationId> {
        Ok(match word {
            b"$" => TerminationId::Choose,
            b"*" => TerminationId::All,
            root if root.eq_ignore_ascii_case(b"root") => TerminationId::Root,
            name => {
                let expected = "a termination's name of at most 64 characters";
                TerminationId::Name(self.name_of(name, expected)?)
            }
        })
    }

    /// `{A, B}`
    pub(super) fn termination_list(&mut self) -> Parsed<Vec<TerminationId>> {
        let mut all = Vec::new();
        self.braced(|reader| {
            all.push(reader.termination()?);
            Ok(())
        })?;
        Ok(all)
    }

    fn amm(&mut self, terminations: Terminations) -> Parsed<Amm> {
        let descriptors = if self.peek() == Some(b'{') {
            self.descriptors(Where::Request)?
        } else {
            Descriptors::NONE
        };
        Ok(Amm {
            terminations,
            descriptors,
        })
    }

    fn audited(&mut self, terminations: Terminations) -> Parsed<Audited> {
        let mut audit = None;
        if self.peek() == Some(b'{') {
            for descriptor in self.descriptors(Where::Audit)?.0 {
                if let Descriptor::Audit(items) = descriptor {
                    audit = Some(items);
                }
            }
        }
        Ok(Audited {
            terminations,
            audit,
        })
    }

    fn notify(&mut self, terminations: Terminations) -> Parsed<NotifyRequest> {
        let (mut observed, mut error) = (None, None);
        for descriptor in self.descriptors(Where::Notify)?.0 {
            match descriptor {
                Descriptor::ObservedEvents(events) => observed = Some(events),
                Descriptor::Error(descriptor) => error = Some(descriptor),
                _ => {}
            }
        }
        let observed = observed.ok_or_else(|| self.fault("ObservedEvents"))?;
        Ok(NotifyRequest {
            terminations,
            observed,
            error,
        })
    }

    fn service_change_request(
        &mut self,
        terminations: Terminations,
    ) -> Parsed<ServiceChangeRequest> {
        self.expect(b'{', "an opening brace")?;
        let (token, word) = self.token("Services")?;
        if token != Some(Token::Services) {
            return Err(self.unexpected_descriptor(token, word, "Services"));
        }
        let change = self.service_change()?;
        self.take(b',');
        self.expect(b'}', "a closing brace")?;
        Ok(ServiceChangeRequest {
            terminations,
            change,
        })
    }
}

/// Whether `O-` or `W-` is before it, and the rest.
fn prefixed(word: &[u8], letter: u8) -> (bool, &[u8]) {
    match word {
        [first, b'-', rest @ ..] if first.eq_ignore_ascii_case(&letter) => (true, rest),
        _ => (false, word),
    }
}
