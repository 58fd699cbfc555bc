//! Descriptors, the short ones.

use super::writer::Writer;
use crate::message::{
    Descriptor, DescriptorKind, DigitMap, DigitMapValue, ErrorDescriptor, Modem, Mux, MuxKind,
    Package, Statistic,
};
use crate::token::Token;

impl Writer<'_> {
    pub(super) fn descriptor(&mut self, descriptor: &Descriptor) {
        match descriptor {
            Descriptor::Media(media) => self.media(media),
            Descriptor::Modem(modem) => self.modem(modem),
            Descriptor::Mux(mux) => self.mux(mux),
            Descriptor::Events(events) => self.events(events),
            Descriptor::Signals(signals) => self.signals(signals),
            Descriptor::DigitMap(map) => self.digit_map(map),
            Descriptor::EventBuffer(events) => {
                self.token(Token::EventBuffer);
                if !events.is_empty() {
                    self.braced(events, Self::observed_event);
                }
            }
            Descriptor::Audit(items) => self.audit(items),
            Descriptor::Statistics(statistics) => self.statistics(statistics),
            Descriptor::ObservedEvents(events) => self.observed_events(events),
            Descriptor::Packages(packages) => {
                self.token(Token::Packages);
                self.braced(packages, Self::package);
            }
            Descriptor::Error(error) => self.error(error),
            Descriptor::Empty(kind) => self.token(match kind {
                DescriptorKind::Media => Token::Media,
                DescriptorKind::Modem => Token::Modem,
                DescriptorKind::Mux => Token::Mux,
                DescriptorKind::DigitMap => Token::DigitMap,
                DescriptorKind::ObservedEvents => Token::ObservedEvents,
                DescriptorKind::Packages => Token::Packages,
            }),
        }
    }

    pub(super) fn error(&mut self, error: &ErrorDescriptor) {
        self.token_number(Token::Error, error.code.0);
        self.out.push(b'{');
        if !error.text.is_empty() {
            self.quoted(error.text.as_bytes());
        }
        self.out.push(b'}');
    }

    fn modem(&mut self, modem: &Modem) {
        self.token(Token::Modem);
        if let [only] = modem.kinds.as_slice() {
            self.equals();
            self.raw(only.as_bytes());
        } else {
            self.inline(b'[', b']', &modem.kinds, |writer, kind| {
                writer.raw(kind.as_bytes())
            });
        }
        if !modem.properties.is_empty() {
            self.braced(&modem.properties, Self::property);
        }
    }

    fn mux(&mut self, mux: &Mux) {
        self.token_is(Token::Mux);
        match &mux.kind {
            MuxKind::H221 => self.token(Token::H221),
            MuxKind::H223 => self.token(Token::H223),
            MuxKind::H226 => self.token(Token::H226),
            MuxKind::V76 => self.token(Token::V76),
            MuxKind::Nx64k => self.token(Token::Nx64k),
            MuxKind::Other(name) => self.raw(name.as_bytes()),
        }
        self.inline(b'{', b'}', &mux.terminations, Self::termination);
    }

    fn digit_map(&mut self, map: &DigitMap) {
        self.token_is(Token::DigitMap);
        match map {
            DigitMap::Named(name, None) => self.raw(name.as_bytes()),
            DigitMap::Named(name, Some(value)) => {
                self.raw(name.as_bytes());
                self.digit_map_value(value);
            }
            DigitMap::Value(value) => self.digit_map_value(value),
        }
    }

    pub(super) fn digit_map_value(&mut self, value: &DigitMapValue) {
        self.out.push(b'{');
        let timers = [
            (b'T', value.start),
            (b'S', value.short),
            (b'L', value.long),
            (b'Z', value.duration),
        ];
        for (letter, time) in timers {
            if let Some(time) = time {
                self.raw(&[letter, b':']);
                self.number(time.min(99));
                self.out.push(b',');
            }
        }
        self.raw(value.map.as_bytes());
        self.out.push(b'}');
    }

    pub(super) fn statistics(&mut self, statistics: &[Statistic]) {
        self.token(Token::Stats);
        if !statistics.is_empty() {
            self.braced(statistics, |writer, statistic| {
                writer.raw(statistic.name.as_bytes());
                if let Some(value) = &statistic.value {
                    writer.parm_value(value);
                }
            });
        }
    }

    pub(super) fn package(&mut self, package: &Package) {
        self.raw(package.name.as_bytes());
        self.out.push(b'-');
        self.number(package.version);
    }
}
