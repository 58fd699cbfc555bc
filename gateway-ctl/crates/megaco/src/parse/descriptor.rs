//! Which descriptor it is, whether it may be there, and the short ones.

use super::lexer::{Fault, Parsed, Reader, number};
use crate::error::ErrorCode;
use crate::message::{
    Descriptor, DescriptorKind, Descriptors, DigitMap, DigitMapValue, ErrorDescriptor, Modem, Mux,
    MuxKind, Package, ParmValue, Statistic,
};
use crate::name::DialMap;
use crate::text::Text;
use crate::token::Token;

/// What descriptors are parameters of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// Add, Move and Modify.
    Request,
    /// Subtract and the audits.
    Audit,
    /// Notify.
    Notify,
    /// The answers to all but Notify and ServiceChange.
    Answer,
}

impl Where {
    fn allows(self, token: Token) -> bool {
        use Token::*;
        match self {
            Self::Audit => token == Audit,
            Self::Notify => matches!(token, ObservedEvents | Error),
            Self::Request => !matches!(token, ObservedEvents | Packages | Error),
            Self::Answer => token != Audit,
        }
    }
}

impl Reader<'_> {
    /// `{descriptor, descriptor}`, each at most once.
    pub(super) fn descriptors(&mut self, place: Where) -> Parsed<Descriptors> {
        let (mut all, mut seen) = (Vec::new(), 0u16);
        self.braced(|reader| {
            let (token, word) = reader.token("a descriptor")?;
            let bit = token.and_then(bit);
            let (Some(token), Some(bit)) = (token, bit) else {
                return Err(reader.unexpected_descriptor(token, word, "a descriptor"));
            };
            if !place.allows(token) {
                let code = ErrorCode::ILLEGAL_DESCRIPTOR;
                return Err(reader.fault_of(word, code, "a descriptor of this command"));
            }
            if seen & bit != 0 {
                let code = ErrorCode::DESCRIPTOR_TWICE;
                return Err(reader.fault_of(word, code, "each descriptor once"));
            }
            seen |= bit;
            all.push(reader.descriptor(token, place)?);
            Ok(())
        })?;
        Ok(Descriptors(all))
    }

    /// A word that is not the descriptor there should be.
    pub(super) fn unexpected_descriptor(
        &self,
        token: Option<Token>,
        word: &[u8],
        expected: &'static str,
    ) -> Fault {
        let known = token.is_some_and(|token| bit(token).is_some() || token == Token::Services);
        let code = if known {
            ErrorCode::ILLEGAL_DESCRIPTOR
        } else {
            ErrorCode::UNKNOWN_DESCRIPTOR
        };
        self.fault_of(word, code, expected)
    }

    fn descriptor(&mut self, token: Token, place: Where) -> Parsed<Descriptor> {
        let bare = !matches!(self.peek(), Some(b'=' | b'{' | b'['));
        let empty = match token {
            Token::Media => Some(DescriptorKind::Media),
            Token::Modem => Some(DescriptorKind::Modem),
            Token::Mux => Some(DescriptorKind::Mux),
            Token::DigitMap => Some(DescriptorKind::DigitMap),
            Token::ObservedEvents => Some(DescriptorKind::ObservedEvents),
            Token::Packages => Some(DescriptorKind::Packages),
            _ => None,
        };
        if let (true, Where::Answer, Some(kind)) = (bare, place, empty) {
            return Ok(Descriptor::Empty(kind));
        }
        Ok(match token {
            Token::Media => Descriptor::Media(self.media()?),
            Token::Modem => Descriptor::Modem(self.modem()?),
            Token::Mux => Descriptor::Mux(self.mux()?),
            Token::Events => Descriptor::Events(self.events()?),
            Token::Signals => Descriptor::Signals(self.signals()?),
            Token::DigitMap => Descriptor::DigitMap(self.digit_map()?),
            Token::EventBuffer => Descriptor::EventBuffer(self.event_buffer()?),
            Token::Audit => Descriptor::Audit(self.audit()?),
            Token::Stats => Descriptor::Statistics(self.statistics()?),
            Token::ObservedEvents => Descriptor::ObservedEvents(self.observed_events()?),
            Token::Packages => Descriptor::Packages(self.packages()?),
            _ => Descriptor::Error(self.error_body()?),
        })
    }

    /// `=code{"text"}`
    pub(super) fn error_body(&mut self) -> Parsed<ErrorDescriptor> {
        self.equals()?;
        let word = self.word("an error code")?;
        let code = number(word).filter(|_| word.len() <= 4);
        let code: u16 = code.ok_or_else(|| self.bad(word, "an error code"))?;
        self.expect(b'{', "an opening brace")?;
        let text = self.quoted()?.map_or(Text::EMPTY, Text::unchecked);
        self.expect(b'}', "quoted text or a closing brace")?;
        let code = ErrorCode(code);
        Ok(ErrorDescriptor { code, text })
    }

    /// `=kind` or `[kind, kind]`, and maybe properties.
    fn modem(&mut self) -> Parsed<Modem> {
        let (mut kinds, mut properties) = (Vec::new(), Vec::new());
        if self.peek() == Some(b'[') {
            self.listed(b'[', b']', |reader| {
                kinds.push(reader.name("a modulation")?);
                Ok(())
            })?;
        } else {
            self.equals()?;
            kinds.push(self.name("a modulation")?);
        }
        if self.peek() == Some(b'{') {
            self.braced(|reader| {
                let word = reader.word("a property")?;
                properties.push(reader.property_of(word, "package/property")?);
                Ok(())
            })?;
        }
        Ok(Modem { kinds, properties })
    }

    /// `=kind{A, B}`
    fn mux(&mut self) -> Parsed<Mux> {
        self.equals()?;
        let (token, word) = self.token("a way to multiplex")?;
        let kind = match token {
            Some(Token::H221) => MuxKind::H221,
            Some(Token::H223) => MuxKind::H223,
            Some(Token::H226) => MuxKind::H226,
            Some(Token::V76) => MuxKind::V76,
            Some(Token::Nx64k) => MuxKind::Nx64k,
            _ => MuxKind::Other(self.name_of(word, "a way to multiplex")?),
        };
        let terminations = self.termination_list()?;
        Ok(Mux { kind, terminations })
    }

    /// `=name`, `={value}` or `=name{value}`
    fn digit_map(&mut self) -> Parsed<DigitMap> {
        self.equals()?;
        if self.peek() == Some(b'{') {
            return self.digit_map_value().map(DigitMap::Value);
        }
        let name = self.name("a digit map's name")?;
        let value = match self.peek() {
            Some(b'{') => Some(self.digit_map_value()?),
            _ => None,
        };
        Ok(DigitMap::Named(name, value))
    }

    /// `{T:10, S:3, L:6, Z:9, patterns}`
    pub(super) fn digit_map_value(&mut self) -> Parsed<DigitMapValue> {
        self.expect(b'{', "an opening brace")?;
        let mut timers = [None; 4];
        while let [letter, b':', ..] = self.bytes.get(self.at..).unwrap_or_default() {
            let timer = b"TSLZ"
                .iter()
                .position(|known| letter.eq_ignore_ascii_case(known));
            let slot = timer.and_then(|timer| timers.get_mut(timer));
            let Some(slot @ None) = slot else {
                return Err(self.fault("T, S, L and Z, each once"));
            };
            self.at += 2;
            let word = self.word("a time of one or two digits")?;
            let time = number(word).filter(|_| word.len() <= 2);
            *slot = Some(time.ok_or_else(|| self.bad(word, "a time of one or two digits"))?);
            self.expect(b',', "a comma")?;
        }
        let [start, short, long, duration] = timers;
        Ok(DigitMapValue {
            start,
            short,
            long,
            duration,
            map: self.dial_map()?,
        })
    }

    /// The patterns, and the closing brace.
    fn dial_map(&mut self) -> Parsed<DialMap> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !DialMap::is_pattern(*byte));
        let piece = length.and_then(|length| rest.get(..length));
        let map = match piece.filter(|piece| !piece.is_empty()) {
            Some(piece) if rest.get(piece.len()) == Some(&b'}') => {
                self.at += piece.len();
                DialMap::safe(piece)
            }
            _ => self.spaced_dial_map()?,
        };
        self.expect(b'}', "a closing brace")?;
        Ok(map)
    }

    /// The patterns, with white space and comments between.
    fn spaced_dial_map(&mut self) -> Parsed<DialMap> {
        let mut map = String::new();
        let begin = self.clone();
        while let Some(byte) = self.peek().filter(|byte| *byte != b'}') {
            map.push(char::from(byte));
            self.at += 1;
            self.skip();
        }
        DialMap::new(&map).map_err(|_| begin.fault("patterns of digits"))
    }

    /// Maybe `{name=value, name}`.
    pub(super) fn statistics(&mut self) -> Parsed<Vec<Statistic>> {
        let mut all = Vec::new();
        if self.peek() == Some(b'{') {
            self.braced(|reader| {
                let name = reader.pkgd_name("package/figure")?;
                let value = match reader.at_parm_value() {
                    true => Some(reader.parm_value()?),
                    false => None,
                };
                if !matches!(value, None | Some(ParmValue::Is(_) | ParmValue::All(_))) {
                    return Err(reader.fault("a value or a list of values"));
                }
                all.push(Statistic { name, value });
                Ok(())
            })?;
        }
        Ok(all)
    }

    /// `{name-version, name-version}`
    fn packages(&mut self) -> Parsed<Vec<Package>> {
        let mut all = Vec::new();
        self.braced(|reader| {
            let word = reader.word("package-version")?;
            all.push(reader.package_of(word)?);
            Ok(())
        })?;
        Ok(all)
    }

    pub(super) fn package_of(&self, word: &[u8]) -> Parsed<Package> {
        let bad = || self.bad(word, "package-version");
        let dash = word
            .iter()
            .rposition(|byte| *byte == b'-')
            .ok_or_else(bad)?;
        let version = number(&word[dash + 1..]).ok_or_else(bad)?;
        match &word[..dash] {
            [] => Err(bad()),
            name => Ok(Package {
                name: self.name_of(name, "package-version")?,
                version,
            }),
        }
    }
}

/// One bit for each descriptor.
fn bit(token: Token) -> Option<u16> {
    let place = match token {
        Token::Media => 0,
        Token::Modem => 1,
        Token::Mux => 2,
        Token::Events => 3,
        Token::Signals => 4,
        Token::DigitMap => 5,
        Token::EventBuffer => 6,
        Token::Audit => 7,
        Token::Stats => 8,
        Token::ObservedEvents => 9,
        Token::Packages => 10,
        Token::Error => 11,
        _ => return None,
    };
    Some(1 << place)
}
