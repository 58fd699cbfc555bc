//! Answers to commands.

use super::lexer::{Level, Parsed, Reader};
use crate::error::ErrorCode;
use crate::message::{
    Amm, AuditReply, Descriptors, ErrorDescriptor, NotifyReply, Response, ServiceChangeReply,
    ServiceChangeResult, Terminations,
};
use crate::parse::descriptor::Where;
use crate::token::Token;

impl Reader<'_> {
    /// An answer whose word has been read.
    pub(super) fn response(&mut self, token: Option<Token>, word: &[u8]) -> Parsed<Response> {
        let Some(
            verb @ (Token::Add
            | Token::Move
            | Token::Modify
            | Token::Subtract
            | Token::AuditValue
            | Token::AuditCap
            | Token::Notify
            | Token::ServiceChange),
        ) = token
        else {
            return Err(self.fault_of(word, ErrorCode::UNKNOWN_COMMAND, "an answer"));
        };
        self.level = Level::Command;
        self.equals()?;
        Ok(match verb {
            Token::AuditValue => Response::AuditValue(self.audit_reply()?),
            Token::AuditCap => Response::AuditCapability(self.audit_reply()?),
            Token::Notify => Response::Notify(self.notify_reply()?),
            Token::ServiceChange => Response::ServiceChange(self.service_change_reply()?),
            verb => {
                let terminations = self.terminations()?;
                let amm = self.amms(terminations)?;
                match verb {
                    Token::Add => Response::Add(amm),
                    Token::Move => Response::Move(amm),
                    Token::Modify => Response::Modify(amm),
                    _ => Response::Subtract(amm),
                }
            }
        })
    }

    fn amms(&mut self, terminations: Terminations) -> Parsed<Amm> {
        let descriptors = if self.peek() == Some(b'{') {
            self.descriptors(Where::Answer)?
        } else {
            Descriptors::NONE
        };
        Ok(Amm {
            terminations,
            descriptors,
        })
    }

    fn audit_reply(&mut self) -> Parsed<AuditReply> {
        let mut ahead = self.clone();
        let context = self.begins(b'c', Token::Ctx);
        ahead.bare_word();
        ahead.skip();
        if !context || ahead.peek() != Some(b'{') {
            let terminations = self.terminations()?;
            return self.amms(terminations).map(AuditReply::Terminations);
        }
        // `Context {A, B}`; a termination called C or Context cannot be told from it.
        *self = ahead;
        let mut inside = self.clone();
        inside.take(b'{');
        let error = Token::of(inside.bare_word()) == Some(Token::Error);
        inside.skip();
        if error && inside.peek() == Some(b'=') {
            self.expect(b'{', "an opening brace")?;
            let error = self.error_descriptor()?;
            self.expect(b'}', "a closing brace")?;
            return Ok(AuditReply::ContextError(error));
        }
        self.termination_list().map(AuditReply::Context)
    }

    fn notify_reply(&mut self) -> Parsed<NotifyReply> {
        let terminations = self.terminations()?;
        let mut error = None;
        if self.peek() == Some(b'{') {
            self.braced(|reader| {
                if error.is_some() {
                    return Err(reader.fault("nothing behind an error"));
                }
                error = Some(reader.error_descriptor()?);
                Ok(())
            })?;
        }
        Ok(NotifyReply {
            terminations,
            error,
        })
    }

    fn service_change_reply(&mut self) -> Parsed<ServiceChangeReply> {
        let terminations = self.terminations()?;
        let mut result = ServiceChangeResult::ACCEPTED;
        if self.peek() == Some(b'{') {
            let mut seen = false;
            self.braced(|reader| {
                if std::mem::replace(&mut seen, true) {
                    return Err(reader.fault("one descriptor"));
                }
                let (token, word) = reader.token("Services or Error")?;
                result = match token {
                    Some(Token::Services) => reader.service_change_result()?,
                    Some(Token::Error) => ServiceChangeResult::Error(reader.error_body()?),
                    _ => {
                        let expected = "Services or Error";
                        return Err(reader.unexpected_descriptor(token, word, expected));
                    }
                };
                Ok(())
            })?;
        }
        Ok(ServiceChangeReply {
            terminations,
            result,
        })
    }

    /// `Error=code{text}`
    pub(super) fn error_descriptor(&mut self) -> Parsed<ErrorDescriptor> {
        let (token, word) = self.token("Error")?;
        if token != Some(Token::Error) {
            return Err(self.unexpected_descriptor(token, word, "Error"));
        }
        self.error_body()
    }
}
