//! Events to watch for, and events that happened.

use super::lexer::{Parsed, Reader, number};
use crate::error::ErrorCode;
use crate::message::{
    Embed, EventDigitMap, Events, NotifyBehaviour, ObservedEvent, ObservedEvents, Parameter,
    RequestId, RequestedEvent,
};
use crate::token::Token;

/// Which events these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nesting {
    /// Of a command: they can embed signals and events.
    Outer,
    /// Embedded: they can embed signals.
    Embedded,
}

impl Reader<'_> {
    pub(super) fn events(&mut self) -> Parsed<Events> {
        self.events_nested(Nesting::Outer)
    }

    fn events_nested(&mut self, nesting: Nesting) -> Parsed<Events> {
        let mut events = Events::default();
        if self.take(b'=') {
            events.request = Some(self.request_id()?);
            self.braced(|reader| {
                events.events.push(reader.requested_event(nesting)?);
                Ok(())
            })?;
        }
        Ok(events)
    }

    pub(super) fn request_id(&mut self) -> Parsed<RequestId> {
        let word = self.word("a request's number or *")?;
        match word {
            b"*" => Ok(RequestId::All),
            digits => match number(digits) {
                Some(id) => Ok(RequestId::Id(id)),
                None => Err(self.bad(word, "a request's number or *")),
            },
        }
    }

    fn requested_event(&mut self, nesting: Nesting) -> Parsed<RequestedEvent> {
        let name = self.pkgd_name("an event: package/event")?;
        let mut event = RequestedEvent::from(name);
        if self.peek() == Some(b'{') {
            self.braced(|reader| reader.event_parameter(nesting, &mut event))?;
        }
        Ok(event)
    }

    fn event_parameter(&mut self, nesting: Nesting, event: &mut RequestedEvent) -> Parsed<()> {
        let (token, word) = self.token("a parameter of the event")?;
        match token {
            Some(Token::KeepActive) if !self.at_parm_value() => {
                self.flag(&mut event.keep_active, word)
            }
            Some(Token::ResetEventsDescriptor) if !self.at_parm_value() => {
                self.flag(&mut event.reset, word)
            }
            Some(Token::Embed) if self.peek() == Some(b'{') => {
                let embed = self.embed(nesting)?;
                self.once(&mut event.embed, word, Box::new(embed))
            }
            Some(Token::DigitMap) => {
                let map = self.event_digit_map()?;
                self.once(&mut event.digit_map, word, map)
            }
            Some(Token::Stream) => {
                let stream = self.equals_number("a stream's number")?;
                self.once(&mut event.stream, word, stream)
            }
            Some(
                token @ (Token::NotifyImmediate | Token::NeverNotify | Token::NotifyRegulated),
            ) if !self.at_parm_value() => {
                let notify = match token {
                    Token::NotifyImmediate => NotifyBehaviour::Immediate,
                    Token::NeverNotify => NotifyBehaviour::Never,
                    _ => NotifyBehaviour::Regulated(self.regulated(nesting)?),
                };
                self.once(&mut event.notify, word, notify)
            }
            _ => {
                let parameter = self.parameter_of(word, &event.parameters)?;
                event.parameters.push(parameter);
                Ok(())
            }
        }
    }

    /// A word that is there at most once.
    pub(super) fn flag(&self, flag: &mut bool, word: &[u8]) -> Parsed<()> {
        self.once(&mut flag.then_some(()), word, ())?;
        *flag = true;
        Ok(())
    }

    /// A parameter whose name has been read, each at most once.
    pub(super) fn parameter_of(&mut self, word: &[u8], others: &[Parameter]) -> Parsed<Parameter> {
        let name = self.name_of(word, "a parameter's name")?;
        if !self.at_parm_value() {
            let code = ErrorCode::UNKNOWN_PARAMETER;
            return Err(self.fault_of(word, code, "a parameter with a value"));
        }
        if others.iter().any(|other| other.name == name) {
            let code = ErrorCode::PARAMETER_TWICE;
            return Err(self.fault_of(word, code, "each parameter once"));
        }
        let value = self.parm_value()?;
        Ok(Parameter { name, value })
    }

    /// Maybe `{Embed{..}}`.
    fn regulated(&mut self, nesting: Nesting) -> Parsed<Option<Box<Embed>>> {
        if !self.take(b'{') {
            return Ok(None);
        }
        let (token, word) = self.token("Embed")?;
        if token != Some(Token::Embed) {
            return Err(self.bad(word, "Embed"));
        }
        let embed = self.embed(nesting)?;
        self.expect(b'}', "a closing brace")?;
        Ok(Some(Box::new(embed)))
    }

    fn embed(&mut self, nesting: Nesting) -> Parsed<Embed> {
        let mut embed = Embed::default();
        self.braced(|reader| {
            let (token, word) = reader.token("Signals or Events")?;
            match token {
                Some(Token::Signals) => {
                    let signals = reader.signals()?;
                    reader.once(&mut embed.signals, word, signals)
                }
                Some(Token::Events) if nesting == Nesting::Outer => {
                    let events = reader.events_nested(Nesting::Embedded)?;
                    reader.once(&mut embed.events, word, events)
                }
                _ => Err(reader.unexpected_descriptor(token, word, "Signals or Events")),
            }
        })?;
        if embed == Embed::default() {
            return Err(self.fault("Signals or Events to embed"));
        }
        Ok(embed)
    }

    /// Erlang's megaco writes no equals sign before a map that it spells out.
    fn event_digit_map(&mut self) -> Parsed<EventDigitMap> {
        if self.peek() != Some(b'{') {
            self.equals()?;
        }
        if self.peek() == Some(b'{') {
            return self.digit_map_value().map(EventDigitMap::Value);
        }
        self.name("a digit map's name").map(EventDigitMap::Named)
    }

    pub(super) fn observed_events(&mut self) -> Parsed<ObservedEvents> {
        self.equals()?;
        let request = self.request_id()?;
        let events = self.observed_list()?;
        if events.is_empty() {
            return Err(self.fault("an event"));
        }
        Ok(ObservedEvents { request, events })
    }

    /// Maybe `{event, event}`.
    pub(super) fn event_buffer(&mut self) -> Parsed<Vec<ObservedEvent>> {
        match self.peek() {
            Some(b'{') => self.observed_list(),
            _ => Ok(Vec::new()),
        }
    }

    fn observed_list(&mut self) -> Parsed<Vec<ObservedEvent>> {
        let mut events = Vec::new();
        self.braced(|reader| {
            events.push(reader.observed_event()?);
            Ok(())
        })?;
        Ok(events)
    }

    fn observed_event(&mut self) -> Parsed<ObservedEvent> {
        let mut word = self.word("an event: package/event")?;
        let time = Self::timestamp_of(word);
        if time.is_some() {
            self.expect(b':', "a colon behind the time")?;
            word = self.word("an event: package/event")?;
        }
        let name = self.pkgd_name_of(word, "an event: package/event")?;
        let mut event = ObservedEvent::from(name);
        event.time = time;
        if self.peek() == Some(b'{') {
            self.braced(|reader| {
                let (token, word) = reader.token("a parameter of the event")?;
                if token == Some(Token::Stream) {
                    let stream = reader.equals_number("a stream's number")?;
                    return reader.once(&mut event.stream, word, stream);
                }
                let parameter = reader.parameter_of(word, &event.parameters)?;
                event.parameters.push(parameter);
                Ok(())
            })?;
        }
        Ok(event)
    }
}
