//! ServiceChange.

use super::lexer::{Parsed, Reader, number};
use crate::error::ErrorCode;
use crate::message::{
    ChangeAddress, Method, Mid, Profile, Reason, ServiceChange, ServiceChangeResult, Timestamp,
};
use crate::name::Name;
use crate::text::Text;
use crate::token::Token;

/// What requests and answers have in common.
#[derive(Clone, Debug, Default)]
struct Common {
    address: Option<ChangeAddress>,
    mgc: Option<Mid>,
    profile: Option<Profile>,
    version: Option<u8>,
    timestamp: Option<Timestamp>,
}

impl Reader<'_> {
    /// `{parameter, parameter}`
    pub(super) fn service_change(&mut self) -> Parsed<ServiceChange> {
        let (mut method, mut reason, mut common) = (None, None, Common::default());
        // What is not known yet is put in at the end.
        let mut change = ServiceChange::new(Method::Restart, 0);
        let begin = self.clone();
        self.braced(|reader| {
            let (token, word) = reader.token("a parameter of ServiceChange")?;
            match token {
                Some(Token::Method) => {
                    let value = reader.method()?;
                    reader.once(&mut method, word, value)
                }
                Some(Token::Reason) => {
                    let value = reader.reason()?;
                    reader.once(&mut reason, word, value)
                }
                Some(Token::Delay) => {
                    let value = reader.equals_number("a time in seconds")?;
                    reader.once(&mut change.delay, word, value)
                }
                Some(Token::Incomplete) => reader.flag(&mut change.incomplete, word),
                _ if reader.common(token, word, &mut common)? => Ok(()),
                _ => reader.other_parameter(token, word, &mut change),
            }
        })?;
        let together = common.address.is_some() && common.mgc.is_some();
        let (Some(method), Some(reason), false) = (method, reason, together) else {
            let expected = if together {
                "either ServiceChangeAddress or MgcIdToTry"
            } else {
                "Method and Reason"
            };
            return Err(begin.fault(expected));
        };
        (change.method, change.reason) = (method, reason);
        change.address = common.address;
        change.mgc = common.mgc;
        change.profile = common.profile;
        change.version = common.version;
        change.timestamp = common.timestamp;
        Ok(change)
    }

    fn other_parameter(
        &mut self,
        token: Option<Token>,
        word: &[u8],
        change: &mut ServiceChange,
    ) -> Parsed<()> {
        if let Some(item) = self.audit_item(token)? {
            change.audit.push(item);
        } else if matches!(word, [b'x' | b'X', b'-' | b'+', ..]) {
            let parameter = self.parameter_of(word, &change.extensions)?;
            change.extensions.push(parameter);
        } else {
            let code = ErrorCode::UNKNOWN_PARAMETER;
            return Err(self.fault_of(word, code, "a parameter of ServiceChange"));
        }
        Ok(())
    }

    /// `{parameter, parameter}` in an answer.
    pub(super) fn service_change_result(&mut self) -> Parsed<ServiceChangeResult> {
        let mut common = Common::default();
        let begin = self.clone();
        self.braced(|reader| {
            let (token, word) = reader.token("a parameter of ServiceChange")?;
            if reader.common(token, word, &mut common)? {
                return Ok(());
            }
            let code = ErrorCode::UNKNOWN_PARAMETER;
            Err(reader.fault_of(word, code, "a parameter of ServiceChange's answer"))
        })?;
        if common.address.is_some() && common.mgc.is_some() {
            return Err(begin.fault("either ServiceChangeAddress or MgcIdToTry"));
        }
        Ok(ServiceChangeResult::Accepted {
            address: common.address,
            mgc: common.mgc,
            profile: common.profile,
            version: common.version,
            timestamp: common.timestamp,
        })
    }

    /// Reads on, if the word begins one of these parameters.
    fn common(&mut self, token: Option<Token>, word: &[u8], common: &mut Common) -> Parsed<bool> {
        match token {
            Some(Token::ServiceChangeAddress) => {
                self.equals()?;
                let address = self.change_address()?;
                self.once(&mut common.address, word, address)?;
            }
            Some(Token::MgcId) => {
                self.equals()?;
                let mgc = self.mid()?;
                self.once(&mut common.mgc, word, mgc)?;
            }
            Some(Token::Profile) => {
                let profile = self.profile()?;
                self.once(&mut common.profile, word, profile)?;
            }
            Some(Token::Version) => {
                let expected = "a version from 0 to 99";
                let version: u8 = self.equals_number(expected)?;
                if version > 99 {
                    return Err(self.fault_of(word, ErrorCode::UNKNOWN_VALUE, expected));
                }
                self.once(&mut common.version, word, version)?;
            }
            _ => match Self::timestamp_of(word) {
                Some(time) => self.once(&mut common.timestamp, word, time)?,
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn method(&mut self) -> Parsed<Method> {
        self.equals()?;
        let (token, word) = self.token("a method")?;
        Ok(match token {
            Some(Token::Failover) => Method::Failover,
            Some(Token::Forced) => Method::Forced,
            Some(Token::Graceful) => Method::Graceful,
            Some(Token::Restart) => Method::Restart,
            Some(Token::Disconnected) => Method::Disconnected,
            Some(Token::HandOff) => Method::HandOff,
            _ if matches!(word, [b'x' | b'X', b'-' | b'+', ..]) => {
                Method::Other(self.name_of(word, "a method")?)
            }
            _ => return Err(self.fault_of(word, ErrorCode::UNKNOWN_VALUE, "a method")),
        })
    }

    /// `="901 text"`; without quotes, which is not legal, too.
    fn reason(&mut self) -> Parsed<Reason> {
        const EXPECTED: &str = "a reason: a number, and maybe text behind it";
        self.equals()?;
        let begin = self.clone();
        let value = self.value()?;
        let (code, text) = match value.as_str().split_once(' ') {
            Some((code, text)) => (code, Text::unchecked(text)),
            None => (value.as_str(), Text::EMPTY),
        };
        match number(code.as_bytes()) {
            Some(code) => Ok(Reason { code, text }),
            None => Err(begin.coded(ErrorCode::UNKNOWN_VALUE, EXPECTED)),
        }
    }

    fn change_address(&mut self) -> Parsed<ChangeAddress> {
        let mut ahead = self.clone();
        if let Some(port) = number(ahead.bare_word()) {
            ahead.skip();
            *self = ahead;
            return Ok(ChangeAddress::Port(port));
        }
        self.mid().map(ChangeAddress::Mid)
    }

    fn profile(&mut self) -> Parsed<Profile> {
        self.equals()?;
        let word = self.word("name/version")?;
        let bad = || self.bad(word, "name/version");
        let slash = word
            .iter()
            .rposition(|byte| *byte == b'/')
            .ok_or_else(bad)?;
        let version = number(&word[slash + 1..]).filter(|version| *version <= 99u8);
        let name = std::str::from_utf8(&word[..slash]).ok();
        let name = name.and_then(|name| Name::new(name).ok());
        match (name, version) {
            (Some(name), Some(version)) => Ok(Profile { name, version }),
            _ => Err(bad()),
        }
    }
}
