//! Events to watch for, and events that happened.

use super::writer::Writer;
use crate::message::{
    Embed, EventDigitMap, Events, NotifyBehaviour, ObservedEvent, ObservedEvents, RequestId,
    RequestedEvent,
};
use crate::token::Token;

impl Writer<'_> {
    pub(super) fn request_id(&mut self, id: RequestId) {
        match id {
            RequestId::All => self.out.push(b'*'),
            RequestId::Id(id) => self.number(id),
        }
    }

    pub(super) fn events(&mut self, events: &Events) {
        self.token(Token::Events);
        if let Some(request) = events.request {
            self.equals();
            self.request_id(request);
            self.braced(&events.events, Self::requested_event);
        }
    }

    fn requested_event(&mut self, event: &RequestedEvent) {
        self.raw(event.name.as_bytes());
        let bare = RequestedEvent::from(event.name.clone());
        if *event == bare {
            return;
        }
        self.open();
        let mut first = true;
        if event.keep_active {
            self.item(&mut first);
            self.token(Token::KeepActive);
        }
        if let Some(stream) = event.stream {
            self.item(&mut first);
            self.token_number(Token::Stream, stream);
        }
        if let Some(map) = &event.digit_map {
            self.item(&mut first);
            self.token_is(Token::DigitMap);
            match map {
                EventDigitMap::Named(name) => self.raw(name.as_bytes()),
                EventDigitMap::Value(value) => self.digit_map_value(value),
            }
        }
        if let Some(embed) = &event.embed {
            self.item(&mut first);
            self.embed(embed);
        }
        if let Some(notify) = &event.notify {
            self.item(&mut first);
            self.notify_behaviour(notify);
        }
        if event.reset {
            self.item(&mut first);
            self.token(Token::ResetEventsDescriptor);
        }
        for parameter in &event.parameters {
            self.item(&mut first);
            self.parameter(parameter);
        }
        self.close();
    }

    fn notify_behaviour(&mut self, notify: &NotifyBehaviour) {
        match notify {
            NotifyBehaviour::Immediate => self.token(Token::NotifyImmediate),
            NotifyBehaviour::Never => self.token(Token::NeverNotify),
            NotifyBehaviour::Regulated(embed) => {
                self.token(Token::NotifyRegulated);
                if let Some(embed) = embed {
                    self.braced([embed], |writer, embed| writer.embed(embed));
                }
            }
        }
    }

    fn embed(&mut self, embed: &Embed) {
        self.token(Token::Embed);
        self.open();
        let mut first = true;
        if let Some(signals) = &embed.signals {
            self.item(&mut first);
            self.signals(signals);
        }
        if let Some(events) = &embed.events {
            self.item(&mut first);
            self.events(events);
        }
        self.close();
    }

    pub(super) fn observed_events(&mut self, events: &ObservedEvents) {
        self.token_is(Token::ObservedEvents);
        self.request_id(events.request);
        self.braced(&events.events, Self::observed_event);
    }

    pub(super) fn observed_event(&mut self, event: &ObservedEvent) {
        if let Some(time) = event.time {
            self.timestamp(time);
            self.out.push(b':');
        }
        self.raw(event.name.as_bytes());
        if event.stream.is_none() && event.parameters.is_empty() {
            return;
        }
        self.open();
        let mut first = true;
        if let Some(stream) = event.stream {
            self.item(&mut first);
            self.token_number(Token::Stream, stream);
        }
        for parameter in &event.parameters {
            self.item(&mut first);
            self.parameter(parameter);
        }
        self.close();
    }
}
