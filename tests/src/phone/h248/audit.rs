//! What audits are told (RFC 3525 sections 7.2.5, 7.2.6).

use std::time::Duration;

use megaco::{
    AuditItem, Descriptor, DescriptorKind, Descriptors, DigitMap, ErrorCode, EventBufferControl,
    Events, Media, Name, Octets, Package, ParmValue, PkgdName, RequestId, RequestedEvent,
    Statistic, Stream, TerminationId, TerminationState, Value,
};

use super::amm::Told;
use super::execute::Place;
use super::gateway::Gateway;
use super::termination::{Kind, Termination};
use crate::phone::media::CLOCK_HZ;

/// Who asks for nothing in particular is told this.
const USUAL: &[AuditItem] = &[
    AuditItem::Media,
    AuditItem::Events,
    AuditItem::Signals,
    AuditItem::DigitMap,
    AuditItem::Statistics,
    AuditItem::Packages,
];

impl Gateway {
    pub(super) fn audit(
        &self,
        now: Duration,
        place: Place,
        id: &TerminationId,
        asked: Option<&[AuditItem]>,
        capability: bool,
    ) -> Result<Vec<Told>, ErrorCode> {
        let asked = asked.unwrap_or(USUAL);
        if *id == TerminationId::Root {
            // Of a context only that it is there.
            let told = match place {
                Place::Null => self.describe(now, &self.root, asked, capability),
                Place::Id(_) => Descriptors::NONE,
            };
            return Ok(vec![(TerminationId::Root, told)]);
        }
        let names = self.find(Some(place), id)?;
        let all = names.into_iter().filter_map(|name| {
            let told = self.describe(now, self.terminations.get(&name)?, asked, capability);
            Some((TerminationId::Name(name), told))
        });
        Ok(all.collect())
    }

    /// What is, or what could be.
    pub(super) fn describe(
        &self,
        now: Duration,
        one: &Termination,
        asked: &[AuditItem],
        capability: bool,
    ) -> Descriptors {
        let mut told: Vec<Descriptor> = Vec::new();
        for item in asked {
            let descriptor = match item {
                AuditItem::Media | AuditItem::PartOfMedia(_) if capability => {
                    self.possible_media(one)
                }
                AuditItem::Media | AuditItem::PartOfMedia(_) => media(one),
                AuditItem::Events | AuditItem::Event(..) if capability => possible_events(one),
                AuditItem::Events | AuditItem::Event(..) => {
                    Descriptor::Events(one.watch.events.clone())
                }
                AuditItem::Signals | AuditItem::Signal(_) => {
                    Descriptor::Signals(one.playing.descriptor())
                }
                AuditItem::EventBuffer | AuditItem::BufferedEvent(..) => {
                    Descriptor::EventBuffer(one.watch.waiting())
                }
                AuditItem::DigitMap => digit_map(one.digit_maps.iter().next()),
                AuditItem::DigitMapNamed(name) => digit_map(one.digit_maps.get_key_value(name)),
                AuditItem::Statistics | AuditItem::Statistic(_) => {
                    Descriptor::Statistics(self.statistics(now, one))
                }
                AuditItem::Packages | AuditItem::Package(_) => packages(one),
                AuditItem::ObservedEvents => Descriptor::Empty(DescriptorKind::ObservedEvents),
                AuditItem::Mux => Descriptor::Empty(DescriptorKind::Mux),
                AuditItem::Modem => Descriptor::Empty(DescriptorKind::Modem),
            };
            // Several parts of one descriptor are told by all of it, once.
            if !told.contains(&descriptor) {
                told.push(descriptor);
            }
        }
        told.into()
    }

    fn possible_media(&self, one: &Termination) -> Descriptor {
        if one.kind != Kind::Rtp {
            return Descriptor::Empty(DescriptorKind::Media);
        }
        let address = self.streams.common().address;
        let text = format!("v=0\r\nc=IN IP4 {address}\r\nm=audio $ RTP/AVP 0 8\r\n");
        let local = Some(Octets::new(text.into_bytes()));
        let stream = Stream {
            local,
            ..Stream::default()
        };
        Descriptor::Media(Media {
            state: None,
            streams: vec![stream],
        })
    }

    /// Packages nt and rtp (annex E.11.4, E.12.4).
    fn statistics(&self, now: Duration, one: &Termination) -> Vec<Statistic> {
        const DURATION: PkgdName = PkgdName::literal("nt/dur");
        let mut all = Vec::new();
        let mut add = |name: PkgdName, value: Value| {
            all.push(Statistic {
                name,
                value: Some(ParmValue::Is(value)),
            });
        };
        let whole = |number: u64| Value::number(i64::try_from(number).unwrap_or(i64::MAX));
        if one.context.is_some() {
            let time = now.saturating_sub(one.since).as_millis();
            add(DURATION, whole(u64::try_from(time).unwrap_or(u64::MAX)));
        }
        let Some(session) = one.port.and_then(|port| self.streams.get(port)) else {
            return all;
        };
        let report = session.summary();
        // Of G.711 in packets of 20 ms.
        add(PkgdName::literal("nt/os"), whole(report.sent * 160));
        add(PkgdName::literal("nt/or"), whole(report.packets * 160));
        add(PkgdName::literal("rtp/ps"), whole(report.sent));
        add(PkgdName::literal("rtp/pr"), whole(report.packets));
        let expected = (report.packets + report.lost).max(1) as f64;
        let percent = format!("{:.2}", report.lost as f64 * 100.0 / expected);
        let jitter = (report.jitter_ms * f64::from(CLOCK_HZ) / 1000.0) as u64;
        add(PkgdName::literal("rtp/jit"), whole(jitter));
        let delay = report.rtcp.round_trip_ms.unwrap_or(0.0) / 2.0;
        add(PkgdName::literal("rtp/delay"), whole(delay as u64));
        if let Ok(percent) = Value::word(&percent) {
            add(PkgdName::literal("rtp/pl"), percent);
        }
        all
    }
}

fn media(one: &Termination) -> Descriptor {
    let buffer = if one.watch.lock_step() {
        EventBufferControl::LockStep
    } else {
        EventBufferControl::Off
    };
    let state = TerminationState {
        service: Some(one.service),
        buffer: Some(buffer),
        properties: one.state.clone(),
    };
    let stream = Some(one.stream()).filter(|stream| {
        *stream
            != Stream {
                id: stream.id,
                ..Stream::default()
            }
    });
    Descriptor::Media(Media {
        state: Some(state),
        streams: stream.into_iter().collect(),
    })
}

fn digit_map(map: Option<(&Name, &megaco::DigitMapValue)>) -> Descriptor {
    map.map_or(
        Descriptor::Empty(DescriptorKind::DigitMap),
        |(name, value)| Descriptor::DigitMap(DigitMap::Named(name.clone(), Some(value.clone()))),
    )
}

fn packages(one: &Termination) -> Descriptor {
    let all = one.packages().filter_map(|name| {
        let name = Name::new(name).ok()?;
        Some(Package { name, version: 1 })
    });
    Descriptor::Packages(all.collect())
}

fn possible_events(one: &Termination) -> Descriptor {
    let watched = one
        .packages()
        .filter(|package| ["al", "dd", "g", "it", "nt", "rtp"].contains(package));
    let all = watched.filter_map(|package| PkgdName::new(&format!("{package}/*")).ok());
    let events = all.map(RequestedEvent::from).collect();
    Descriptor::Events(Events {
        request: Some(RequestId::All),
        events,
    })
}
