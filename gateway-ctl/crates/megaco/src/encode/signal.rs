//! Signals.

use super::writer::Writer;
use crate::message::{
    Completion, Signal, SignalDirection, SignalItem, SignalKind, SignalList, Signals,
};
use crate::token::Token;

impl Writer<'_> {
    pub(super) fn signals(&mut self, signals: &Signals) {
        self.token(Token::Signals);
        // Without braces when it is empty: the grammar since the Implementors' Guide 11, and all
        // that Erlang's parser takes.
        if !signals.0.is_empty() {
            self.braced(&signals.0, |writer, item| match item {
                SignalItem::Signal(signal) => writer.signal(signal),
                SignalItem::List(list) => writer.signal_list(list),
            });
        }
    }

    fn signal_list(&mut self, list: &SignalList) {
        self.token_number(Token::SignalList, list.id);
        self.braced(&list.signals, Self::signal);
    }

    pub(super) fn signal(&mut self, signal: &Signal) {
        self.raw(signal.name.as_bytes());
        if *signal == Signal::from(signal.name.clone()) {
            return;
        }
        self.open();
        let mut first = true;
        if let Some(stream) = signal.stream {
            self.item(&mut first);
            self.token_number(Token::Stream, stream);
        }
        if let Some(kind) = signal.kind {
            self.item(&mut first);
            self.token_is(Token::SignalType);
            self.token(match kind {
                SignalKind::OnOff => Token::OnOff,
                SignalKind::TimeOut => Token::TimeOut,
                SignalKind::Brief => Token::Brief,
            });
        }
        if let Some(duration) = signal.duration {
            self.item(&mut first);
            self.token_number(Token::Duration, duration);
        }
        if signal.completion != Completion::NEVER {
            self.item(&mut first);
            self.completion(signal.completion);
        }
        if signal.keep_active {
            self.item(&mut first);
            self.token(Token::KeepActive);
        }
        if let Some(direction) = signal.direction {
            self.item(&mut first);
            self.token_is(Token::Direction);
            self.token(match direction {
                SignalDirection::External => Token::External,
                SignalDirection::Internal => Token::Internal,
                SignalDirection::Both => Token::Both,
            });
        }
        if let Some(request) = signal.request {
            self.item(&mut first);
            self.token_is(Token::RequestID);
            self.request_id(request);
        }
        if let Some(pause) = signal.pause {
            self.item(&mut first);
            self.token_number(Token::IntsigDelay, pause);
        }
        for parameter in &signal.parameters {
            self.item(&mut first);
            self.parameter(parameter);
        }
        self.close();
    }

    fn completion(&mut self, completion: Completion) {
        self.token_is(Token::NotifyCompletion);
        let all = [
            (Completion::TIME_OUT, Token::TimeOut),
            (Completion::BY_EVENT, Token::InterruptByEvent),
            (Completion::BY_SIGNALS, Token::InterruptBySignals),
            (Completion::OTHER, Token::OtherReason),
            (Completion::ITERATION, Token::Iteration),
        ];
        let said = all
            .into_iter()
            .filter(|(reason, _)| completion.contains(*reason));
        self.inline(b'{', b'}', said, |writer, (_, token)| writer.token(token));
    }
}
