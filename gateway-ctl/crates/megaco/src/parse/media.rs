//! Media descriptors.

use super::lexer::{Parsed, Reader};
use crate::error::ErrorCode;
use crate::message::{
    EventBufferControl, LocalControl, Media, Octets, ServiceState, Stream, StreamMode,
    TerminationState,
};
use crate::token::Token;

impl<'a> Reader<'a> {
    /// A parameter that is there at most once.
    pub(super) fn once<T>(&self, slot: &mut Option<T>, word: &[u8], value: T) -> Parsed<()> {
        if slot.replace(value).is_some() {
            let code = ErrorCode::PARAMETER_TWICE;
            return Err(self.fault_of(word, code, "each parameter once"));
        }
        Ok(())
    }

    pub(super) fn media(&mut self) -> Parsed<Media> {
        let mut media = Media::default();
        self.braced(|reader| {
            let (token, word) = reader.token("a stream or TerminationState")?;
            match token {
                Some(Token::TerminationState) => {
                    let state = reader.termination_state()?;
                    reader.once(&mut media.state, word, state)
                }
                Some(Token::Stream) => reader.stream(word, &mut media.streams),
                token => {
                    if media.streams.is_empty() {
                        media.streams.push(Stream::default());
                    }
                    match media.streams.as_mut_slice() {
                        [only @ Stream { id: None, .. }] => reader.stream_parm(token, word, only),
                        _ => Err(reader.bad(word, "either streams or parameters of one stream")),
                    }
                }
            }
        })?;
        Ok(media)
    }

    fn stream(&mut self, word: &[u8], streams: &mut Vec<Stream>) -> Parsed<()> {
        let id: u16 = self.equals_number("a stream's number")?;
        if streams.iter().any(|known| known.id.is_none()) {
            return Err(self.bad(word, "either streams or parameters of one stream"));
        }
        if streams.iter().any(|known| known.id == Some(id)) {
            let code = ErrorCode::DESCRIPTOR_TWICE;
            return Err(self.fault_of(word, code, "each stream once"));
        }
        let mut stream = Stream {
            id: Some(id),
            ..Stream::default()
        };
        self.braced(|reader| {
            let (token, word) = reader.token("Local, Remote or LocalControl")?;
            reader.stream_parm(token, word, &mut stream)
        })?;
        streams.push(stream);
        Ok(())
    }

    fn stream_parm(
        &mut self,
        token: Option<Token>,
        word: &[u8],
        stream: &mut Stream,
    ) -> Parsed<()> {
        let twice = match token {
            Some(Token::LocalControl) => stream.control.replace(self.local_control()?).is_some(),
            Some(Token::Local) => stream.local.replace(self.octets()?).is_some(),
            Some(Token::Remote) => stream.remote.replace(self.octets()?).is_some(),
            Some(Token::Stats) => stream.statistics.replace(self.statistics()?).is_some(),
            _ => {
                let expected = "Local, Remote or LocalControl";
                return Err(self.unexpected_descriptor(token, word, expected));
            }
        };
        if twice {
            let code = ErrorCode::DESCRIPTOR_TWICE;
            return Err(self.fault_of(word, code, "each descriptor of a stream once"));
        }
        Ok(())
    }

    /// `{octets}`: everything up to a brace that is not escaped.
    fn octets(&mut self) -> Parsed<Octets> {
        if self.peek() != Some(b'{') {
            return Err(self.fault("an opening brace"));
        }
        self.at += 1;
        let opened = self.clone();
        match self.octets_until_brace() {
            Some((octets, escaped)) => {
                self.skip();
                Ok(Octets::new(if escaped {
                    unescaped(octets)
                } else {
                    octets.to_vec()
                }))
            }
            None => Err(opened.fault("octets up to a closing brace")),
        }
    }

    /// Goes behind the closing brace. Whether anything is escaped, too.
    pub(super) fn octets_until_brace(&mut self) -> Option<(&'a [u8], bool)> {
        let (begin, mut escaped) = (self.at, false);
        let rest = self.bytes.get(begin..).unwrap_or_default();
        let mut from = 0;
        loop {
            let Some(brace) = rest.iter().skip(from).position(|byte| *byte == b'}') else {
                self.at = self.bytes.len();
                return None;
            };
            let end = from + brace;
            let octets = rest.get(..end)?;
            if octets.last() != Some(&b'\\') {
                self.at = begin + end + 1;
                return Some((octets, escaped));
            }
            (escaped, from) = (true, end + 1);
        }
    }

    fn local_control(&mut self) -> Parsed<LocalControl> {
        let mut control = LocalControl::default();
        self.braced(|reader| {
            let (token, word) = reader.token("Mode, ReservedGroup, ReservedValue or a property")?;
            match token {
                Some(Token::Mode) => {
                    reader.equals()?;
                    let mode = reader.stream_mode()?;
                    reader.once(&mut control.mode, word, mode)
                }
                Some(Token::ReservedGroup) => {
                    let on = reader.equals_switch()?;
                    reader.once(&mut control.reserve_group, word, on)
                }
                Some(Token::ReservedValue) => {
                    let on = reader.equals_switch()?;
                    reader.once(&mut control.reserve_value, word, on)
                }
                _ => {
                    let property = reader.known_property(word)?;
                    control.properties.push(property);
                    Ok(())
                }
            }
        })?;
        Ok(control)
    }

    pub(super) fn stream_mode(&mut self) -> Parsed<StreamMode> {
        let (token, word) = self.token("a mode")?;
        Ok(match token {
            Some(Token::Sendonly) => StreamMode::SendOnly,
            Some(Token::Recvonly) => StreamMode::ReceiveOnly,
            Some(Token::Sendrecv) => StreamMode::SendReceive,
            Some(Token::Inactive) => StreamMode::Inactive,
            Some(Token::Loopback) => StreamMode::Loopback,
            _ => return Err(self.fault_of(word, ErrorCode::UNKNOWN_VALUE, "a mode")),
        })
    }

    fn termination_state(&mut self) -> Parsed<TerminationState> {
        let mut state = TerminationState::default();
        self.braced(|reader| {
            let (token, word) = reader.token("ServiceStates, Buffer or a property")?;
            match token {
                Some(Token::ServiceStates) => {
                    reader.equals()?;
                    let service = reader.service_state()?;
                    reader.once(&mut state.service, word, service)
                }
                Some(Token::Buffer) => {
                    reader.equals()?;
                    let (token, value) = reader.token("OFF or LockStep")?;
                    let buffer = match token {
                        Some(Token::Off) => EventBufferControl::Off,
                        Some(Token::LockStep) => EventBufferControl::LockStep,
                        _ => {
                            let code = ErrorCode::UNKNOWN_VALUE;
                            return Err(reader.fault_of(value, code, "OFF or LockStep"));
                        }
                    };
                    reader.once(&mut state.buffer, word, buffer)
                }
                _ => {
                    let property = reader.known_property(word)?;
                    state.properties.push(property);
                    Ok(())
                }
            }
        })?;
        Ok(state)
    }

    pub(super) fn service_state(&mut self) -> Parsed<ServiceState> {
        const EXPECTED: &str = "Test, OutOfService or InService";
        let (token, word) = self.token(EXPECTED)?;
        Ok(match token {
            Some(Token::Test) => ServiceState::Test,
            Some(Token::OutOfSvc) => ServiceState::OutOfService,
            Some(Token::InSvc) => ServiceState::InService,
            _ => return Err(self.fault_of(word, ErrorCode::UNKNOWN_VALUE, EXPECTED)),
        })
    }

    /// A property, or a word that is none.
    fn known_property(&mut self, word: &[u8]) -> Parsed<crate::message::Property> {
        if !word.contains(&b'/') {
            let code = ErrorCode::UNKNOWN_PROPERTY;
            return Err(self.fault_of(word, code, "a property: package/property"));
        }
        self.property_of(word, "a property: package/property")
    }
}

/// `\}` is a brace.
fn unescaped(octets: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(octets.len());
    for (at, octet) in octets.iter().enumerate() {
        if *octet != b'\\' || octets.get(at + 1) != Some(&b'}') {
            plain.push(*octet);
        }
    }
    plain
}
