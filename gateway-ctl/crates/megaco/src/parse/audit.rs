//! What an audit asks for.

use super::lexer::{Parsed, Reader};
use crate::message::{
    AuditItem, BufferedPart, LocalControlItem, MediaAudit, Relation, SignalAudit, StateItem,
    StreamAudit,
};
use crate::name::PkgdName;
use crate::token::Token;

impl Reader<'_> {
    pub(super) fn audit(&mut self) -> Parsed<Vec<AuditItem>> {
        let mut items = Vec::new();
        self.braced(|reader| {
            let (token, word) = reader.token("what to audit")?;
            let item = reader.audit_item(token)?;
            items.push(
                item.ok_or_else(|| reader.unexpected_descriptor(token, word, "what to audit"))?,
            );
            Ok(())
        })?;
        Ok(items)
    }

    /// An item whose word has been read; `None` when it is no item's word.
    pub(super) fn audit_item(&mut self, token: Option<Token>) -> Parsed<Option<AuditItem>> {
        let braces = self.peek() == Some(b'{');
        Ok(Some(match token {
            Some(Token::Mux) => AuditItem::Mux,
            Some(Token::Modem) => AuditItem::Modem,
            Some(Token::ObservedEvents) => AuditItem::ObservedEvents,
            Some(Token::Media) if braces => AuditItem::PartOfMedia(self.media_audit()?),
            Some(Token::Media) => AuditItem::Media,
            Some(Token::Signals) if braces => AuditItem::Signal(self.signal_audit()?),
            Some(Token::Signals) => AuditItem::Signals,
            Some(Token::EventBuffer) if braces => self.buffered_event()?,
            Some(Token::EventBuffer) => AuditItem::EventBuffer,
            Some(Token::DigitMap) if self.take(b'=') => {
                AuditItem::DigitMapNamed(self.name("a digit map's name")?)
            }
            Some(Token::DigitMap) => AuditItem::DigitMap,
            Some(Token::Stats) if braces => AuditItem::Statistic(self.one_figure()?),
            Some(Token::Stats) => AuditItem::Statistics,
            Some(Token::Events) if self.take(b'=') => {
                let request = self.request_id()?;
                AuditItem::Event(Some(request), self.one_event()?)
            }
            Some(Token::Events) if braces => AuditItem::Event(None, self.one_event()?),
            Some(Token::Events) => AuditItem::Events,
            Some(Token::Packages) if self.take(b'{') => {
                let word = self.word("package-version")?;
                let package = self.package_of(word)?;
                self.expect(b'}', "a closing brace")?;
                AuditItem::Package(package)
            }
            Some(Token::Packages) => AuditItem::Packages,
            _ => return Ok(None),
        }))
    }

    fn one_figure(&mut self) -> Parsed<PkgdName> {
        self.expect(b'{', "an opening brace")?;
        let name = self.pkgd_name("package/figure")?;
        self.expect(b'}', "a closing brace")?;
        Ok(name)
    }

    fn one_event(&mut self) -> Parsed<PkgdName> {
        self.expect(b'{', "an opening brace")?;
        let name = self.pkgd_name("package/event")?;
        self.expect(b'}', "a closing brace")?;
        Ok(name)
    }

    fn buffered_event(&mut self) -> Parsed<AuditItem> {
        self.expect(b'{', "an opening brace")?;
        let name = self.pkgd_name("package/event")?;
        let mut part = None;
        if self.take(b'{') {
            let (token, word) = self.token("Stream or a parameter")?;
            part = Some(
                if token == Some(Token::Stream) && self.peek() == Some(b'=') {
                    BufferedPart::Stream(self.equals_number("a stream's number")?)
                } else {
                    BufferedPart::Parameter(self.name_of(word, "a parameter's name")?)
                },
            );
            self.expect(b'}', "a closing brace")?;
        }
        self.expect(b'}', "a closing brace")?;
        Ok(AuditItem::BufferedEvent(name, part))
    }

    fn signal_audit(&mut self) -> Parsed<Option<SignalAudit>> {
        self.expect(b'{', "an opening brace")?;
        if self.take(b'}') {
            return Ok(None);
        }
        let (token, word) = self.token("a signal: package/signal")?;
        let audit = if token == Some(Token::SignalList) {
            let id = self.equals_number("a signal list's number")?;
            let mut signal = None;
            if self.take(b'{') {
                let word = self.word("a signal: package/signal")?;
                signal = Some(self.signal_of(word)?);
                self.expect(b'}', "a closing brace")?;
            }
            SignalAudit::List(id, signal)
        } else {
            SignalAudit::Signal(self.signal_of(word)?)
        };
        self.expect(b'}', "a closing brace")?;
        Ok(Some(audit))
    }

    fn media_audit(&mut self) -> Parsed<MediaAudit> {
        let mut media = MediaAudit::default();
        self.braced(|reader| {
            let (token, word) = reader.token("a part of Media")?;
            match token {
                Some(Token::TerminationState) => reader.state_audit(&mut media.state),
                Some(Token::Stream) => {
                    let id = Some(reader.equals_number("a stream's number")?);
                    if media
                        .streams
                        .iter()
                        .any(|known| known.id.is_none() || known.id == id)
                    {
                        return Err(reader.bad(word, "each stream once"));
                    }
                    let mut stream = StreamAudit {
                        id,
                        ..StreamAudit::default()
                    };
                    reader.braced(|reader| {
                        let (token, word) = reader.token("a part of a stream")?;
                        reader.stream_audit(token, word, &mut stream)
                    })?;
                    media.streams.push(stream);
                    Ok(())
                }
                token => {
                    if media.streams.is_empty() {
                        media.streams.push(StreamAudit::default());
                    }
                    match media.streams.as_mut_slice() {
                        [only @ StreamAudit { id: None, .. }] => {
                            reader.stream_audit(token, word, only)
                        }
                        _ => Err(reader.bad(word, "either streams or parts of one stream")),
                    }
                }
            }
        })?;
        Ok(media)
    }

    fn stream_audit(
        &mut self,
        token: Option<Token>,
        word: &[u8],
        stream: &mut StreamAudit,
    ) -> Parsed<()> {
        match token {
            Some(Token::Local) => self.flag(&mut stream.local, word),
            Some(Token::Remote) => self.flag(&mut stream.remote, word),
            Some(Token::Stats) => {
                let figure = self.one_figure()?;
                self.once(&mut stream.statistic, word, figure)
            }
            Some(Token::LocalControl) => self.control_audit(&mut stream.control),
            _ => Err(self.unexpected_descriptor(token, word, "a part of a stream")),
        }
    }

    fn control_audit(&mut self, items: &mut Vec<LocalControlItem>) -> Parsed<()> {
        self.some_braced("a part of LocalControl", |reader| {
            let (token, word) = reader.token("a part of LocalControl")?;
            items.push(match token {
                Some(Token::Mode) => LocalControlItem::Mode(match reader.relation() {
                    Some(relation) => Some((relation, reader.stream_mode()?)),
                    None => None,
                }),
                Some(Token::ReservedGroup) => LocalControlItem::ReserveGroup,
                Some(Token::ReservedValue) => LocalControlItem::ReserveValue,
                _ if reader.at_parm_value() => {
                    LocalControlItem::With(reader.property_of(word, "package/property")?)
                }
                _ => LocalControlItem::Property(reader.pkgd_name_of(word, "package/property")?),
            });
            Ok(())
        })
    }

    fn state_audit(&mut self, items: &mut Vec<StateItem>) -> Parsed<()> {
        self.some_braced("a part of TerminationState", |reader| {
            let (token, word) = reader.token("a part of TerminationState")?;
            items.push(match token {
                Some(Token::ServiceStates) => StateItem::Service(match reader.relation() {
                    Some(relation) => Some((relation, reader.service_state()?)),
                    None => None,
                }),
                Some(Token::Buffer) => StateItem::Buffer,
                _ if reader.at_parm_value() => {
                    StateItem::With(reader.property_of(word, "package/property")?)
                }
                _ => StateItem::Property(reader.pkgd_name_of(word, "package/property")?),
            });
            Ok(())
        })
    }

    fn relation(&mut self) -> Option<Relation> {
        if self.take(b'=') {
            Some(Relation::Equal)
        } else {
            self.take(b'#').then_some(Relation::Unequal)
        }
    }
}
