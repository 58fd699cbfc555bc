//! Signals.

use super::lexer::{Parsed, Reader};
use crate::error::ErrorCode;
use crate::message::{
    Completion, Signal, SignalDirection, SignalItem, SignalKind, SignalList, Signals,
};
use crate::token::Token;

impl Reader<'_> {
    /// Maybe `{signal, signal}`.
    pub(super) fn signals(&mut self) -> Parsed<Signals> {
        let mut all = Vec::new();
        if self.peek() == Some(b'{') {
            self.braced(|reader| {
                let word = reader.word("a signal: package/signal")?;
                all.push(if Token::of(word) == Some(Token::SignalList) {
                    SignalItem::List(reader.signal_list()?)
                } else {
                    SignalItem::Signal(reader.signal_of(word)?)
                });
                Ok(())
            })?;
        }
        Ok(Signals(all))
    }

    fn signal_list(&mut self) -> Parsed<SignalList> {
        let id = self.equals_number("a signal list's number")?;
        let mut signals = Vec::new();
        self.braced(|reader| {
            let word = reader.word("a signal: package/signal")?;
            signals.push(reader.signal_of(word)?);
            Ok(())
        })?;
        if signals.is_empty() {
            return Err(self.fault("a signal"));
        }
        Ok(SignalList { id, signals })
    }

    /// A signal whose name has been read.
    pub(super) fn signal_of(&mut self, word: &[u8]) -> Parsed<Signal> {
        let name = self.pkgd_name_of(word, "a signal: package/signal")?;
        let mut signal = Signal::from(name);
        if self.peek() == Some(b'{') {
            self.braced(|reader| reader.signal_parameter(&mut signal))?;
        }
        Ok(signal)
    }

    fn signal_parameter(&mut self, signal: &mut Signal) -> Parsed<()> {
        let (token, word) = self.token("a parameter of the signal")?;
        match token {
            Some(Token::KeepActive) if !self.at_parm_value() => {
                self.flag(&mut signal.keep_active, word)
            }
            Some(Token::Stream) => {
                let stream = self.equals_number("a stream's number")?;
                self.once(&mut signal.stream, word, stream)
            }
            Some(Token::SignalType) => {
                let kind = self.signal_kind()?;
                self.once(&mut signal.kind, word, kind)
            }
            Some(Token::Duration) => {
                let duration = self.equals_number("a time in hundredths of a second")?;
                self.once(&mut signal.duration, word, duration)
            }
            Some(Token::IntsigDelay) => {
                let pause = self.equals_number("a time in hundredths of a second")?;
                self.once(&mut signal.pause, word, pause)
            }
            Some(Token::Direction) => {
                let direction = self.signal_direction()?;
                self.once(&mut signal.direction, word, direction)
            }
            Some(Token::RequestID) => {
                self.equals()?;
                let request = self.request_id()?;
                self.once(&mut signal.request, word, request)
            }
            Some(Token::NotifyCompletion) => {
                let known = signal.completion != Completion::NEVER;
                signal.completion = self.completion()?;
                self.once(&mut known.then_some(()), word, ())
            }
            _ => {
                let parameter = self.parameter_of(word, &signal.parameters)?;
                signal.parameters.push(parameter);
                Ok(())
            }
        }
    }

    fn signal_kind(&mut self) -> Parsed<SignalKind> {
        self.equals()?;
        let (token, word) = self.token("OnOff, TimeOut or Brief")?;
        Ok(match token {
            Some(Token::OnOff) => SignalKind::OnOff,
            Some(Token::TimeOut) => SignalKind::TimeOut,
            Some(Token::Brief) => SignalKind::Brief,
            _ => {
                let code = ErrorCode::UNKNOWN_VALUE;
                return Err(self.fault_of(word, code, "OnOff, TimeOut or Brief"));
            }
        })
    }

    fn signal_direction(&mut self) -> Parsed<SignalDirection> {
        self.equals()?;
        let (token, word) = self.token("External, Internal or Both")?;
        Ok(match token {
            Some(Token::External) => SignalDirection::External,
            Some(Token::Internal) => SignalDirection::Internal,
            Some(Token::Both) => SignalDirection::Both,
            _ => {
                let code = ErrorCode::UNKNOWN_VALUE;
                return Err(self.fault_of(word, code, "External, Internal or Both"));
            }
        })
    }

    fn completion(&mut self) -> Parsed<Completion> {
        self.equals()?;
        let mut all = Completion::NEVER;
        self.braced(|reader| {
            let (token, word) = reader.token("a reason")?;
            all = all.and(match token {
                Some(Token::TimeOut) => Completion::TIME_OUT,
                Some(Token::InterruptByEvent) => Completion::BY_EVENT,
                Some(Token::InterruptBySignals) => Completion::BY_SIGNALS,
                Some(Token::OtherReason) => Completion::OTHER,
                Some(Token::Iteration) => Completion::ITERATION,
                _ => return Err(reader.fault_of(word, ErrorCode::UNKNOWN_VALUE, "a reason")),
            });
            Ok(())
        })?;
        if all == Completion::NEVER {
            return Err(self.fault("a reason"));
        }
        Ok(all)
    }
}
