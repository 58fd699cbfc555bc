//! Media descriptors.

use super::writer::{First, Writer};
use crate::message::{
    EventBufferControl, LocalControl, Media, Octets, ServiceState, Stream, StreamMode,
    TerminationState,
};
use crate::token::Token;

impl Writer<'_> {
    pub(super) fn media(&mut self, media: &Media) {
        self.token(Token::Media);
        self.open();
        let mut first = true;
        if let Some(state) = &media.state {
            self.item(&mut first);
            self.termination_state(state);
        }
        for stream in &media.streams {
            match stream.id {
                Some(id) => {
                    self.item(&mut first);
                    self.token_number(Token::Stream, id);
                    self.open();
                    self.stream(stream, &mut true);
                    self.close();
                }
                None => self.stream(stream, &mut first),
            }
        }
        self.close();
    }

    fn stream(&mut self, stream: &Stream, first: &mut First) {
        if let Some(control) = &stream.control {
            self.item(first);
            self.local_control(control);
        }
        if let Some(octets) = &stream.local {
            self.item(first);
            self.octets(Token::Local, octets);
        }
        if let Some(octets) = &stream.remote {
            self.item(first);
            self.octets(Token::Remote, octets);
        }
        if let Some(statistics) = &stream.statistics {
            self.item(first);
            self.statistics(statistics);
        }
    }

    /// Begins on a line of its own, for readers that take the octets for lines of SDP.
    fn octets(&mut self, token: Token, octets: &Octets) {
        self.token(token);
        self.raw(b"{\n");
        let mut rest = octets.as_bytes();
        while let Some(brace) = rest.iter().position(|octet| *octet == b'}') {
            self.raw(&rest[..brace]);
            self.raw(b"\\}");
            rest = &rest[brace + 1..];
        }
        self.raw(rest);
        self.out.push(b'}');
    }

    fn local_control(&mut self, control: &LocalControl) {
        self.token(Token::LocalControl);
        self.open();
        let mut first = true;
        if let Some(mode) = control.mode {
            self.item(&mut first);
            self.token_is(Token::Mode);
            self.stream_mode(mode);
        }
        if let Some(on) = control.reserve_group {
            self.item(&mut first);
            self.switch(Token::ReservedGroup, on);
        }
        if let Some(on) = control.reserve_value {
            self.item(&mut first);
            self.switch(Token::ReservedValue, on);
        }
        for property in &control.properties {
            self.item(&mut first);
            self.property(property);
        }
        self.close();
    }

    pub(super) fn stream_mode(&mut self, mode: StreamMode) {
        self.token(match mode {
            StreamMode::SendOnly => Token::Sendonly,
            StreamMode::ReceiveOnly => Token::Recvonly,
            StreamMode::SendReceive => Token::Sendrecv,
            StreamMode::Inactive => Token::Inactive,
            StreamMode::Loopback => Token::Loopback,
        });
    }

    fn termination_state(&mut self, state: &TerminationState) {
        self.token(Token::TerminationState);
        self.open();
        let mut first = true;
        if let Some(service) = state.service {
            self.item(&mut first);
            self.token_is(Token::ServiceStates);
            self.service_state(service);
        }
        if let Some(buffer) = state.buffer {
            self.item(&mut first);
            self.token_is(Token::Buffer);
            self.token(match buffer {
                EventBufferControl::Off => Token::Off,
                EventBufferControl::LockStep => Token::LockStep,
            });
        }
        for property in &state.properties {
            self.item(&mut first);
            self.property(property);
        }
        self.close();
    }

    pub(super) fn service_state(&mut self, state: ServiceState) {
        self.token(match state {
            ServiceState::Test => Token::Test,
            ServiceState::OutOfService => Token::OutOfSvc,
            ServiceState::InService => Token::InSvc,
        });
    }
}
