//! Terminations: lines, which are there for good, and RTP streams, which live in one context.

use std::collections::BTreeMap;
use std::time::Duration;

use megaco::{
    Descriptor, Descriptors, DigitMap, DigitMapValue, ErrorCode, EventBufferControl, LocalControl,
    Name, Octets, Property, ServiceState, Stream,
};

use super::signals::{self, Playing};
use super::watch::{self, FindMap, Watch};

/// Packages that every termination, every line and every stream realizes.
const COMMON: &[&str] = &["g", "nt"];
const LINES: &[&str] = &[
    "al", "cg", "dd", "dg", "tonegen", "andisp", "alert", "xcg", "srvtn",
];
const STREAMS: &[&str] = &["rtp", "tdmc", "ds"];
const ROOT: &[&str] = &["g", "root", "it", "seg"];

/// What a termination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The gateway itself.
    Root,
    /// A line, counted from 0.
    Line(usize),
    /// A stream.
    Rtp,
}

/// A termination.
#[derive(Clone, Debug)]
pub(super) struct Termination {
    pub(super) kind: Kind,
    /// None: in the null context.
    pub(super) context: Option<u32>,
    pub(super) service: ServiceState,
    pub(super) state: Vec<Property>,
    /// Its stream's number, if it was named.
    pub(super) stream: Option<u16>,
    pub(super) control: LocalControl,
    pub(super) local: Option<Octets>,
    pub(super) remote: Option<Octets>,
    /// RTP's port.
    pub(super) port: Option<u16>,
    /// The line that it was connected with last.
    pub(super) line: Option<usize>,
    pub(super) watch: Watch,
    pub(super) playing: Playing,
    pub(super) digit_maps: BTreeMap<Name, DigitMapValue>,
    /// When it came into its context.
    pub(super) since: Duration,
}

impl Termination {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            context: None,
            service: ServiceState::InService,
            state: Vec::new(),
            stream: None,
            control: LocalControl::default(),
            local: None,
            remote: None,
            port: None,
            line: None,
            watch: Watch::default(),
            playing: Playing::default(),
            digit_maps: BTreeMap::new(),
            since: Duration::ZERO,
        }
    }

    /// Names of its packages.
    pub(super) fn packages(&self) -> impl Iterator<Item = &'static str> {
        let (own, common) = match self.kind {
            Kind::Root => (ROOT, &[][..]),
            Kind::Line(_) => (LINES, COMMON),
            Kind::Rtp => (STREAMS, COMMON),
        };
        common.iter().chain(own).copied()
    }

    /// Whether all that a command sets is known; nothing is changed.
    pub(super) fn check(
        &self,
        all: &Descriptors,
        off_hook: Option<bool>,
        find: FindMap<'_>,
    ) -> Result<(), ErrorCode> {
        for descriptor in &all.0 {
            match descriptor {
                Descriptor::Media(media) => {
                    let state = media.state.iter().flat_map(|state| &state.properties);
                    let controls = media
                        .streams
                        .iter()
                        .filter_map(|stream| stream.control.as_ref());
                    let controls = controls.flat_map(|control| &control.properties);
                    state
                        .chain(controls)
                        .try_for_each(|property| self.check_property(property))?;
                    if media.streams.len() > 1 {
                        return Err(ErrorCode::NO_RESOURCES);
                    }
                }
                Descriptor::Signals(signals) => signals::check(signals)?,
                Descriptor::Events(events) => watch::check(events, off_hook, find)?,
                Descriptor::Modem(_) | Descriptor::Mux(_) => {
                    return Err(ErrorCode::UNKNOWN_DESCRIPTOR);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_property(&self, property: &Property) -> Result<(), ErrorCode> {
        let package = property.name.package();
        let known = self
            .packages()
            .any(|known| package.eq_ignore_ascii_case(known));
        known.then_some(()).ok_or(ErrorCode::UNKNOWN_PACKAGE)
    }

    /// Sets the stream and the state. Local is still to be filled in, Remote to be understood.
    pub(super) fn set_media(&mut self, media: &megaco::Media) {
        if let Some(state) = &media.state {
            self.service = state.service.unwrap_or(self.service);
            if let Some(buffer) = state.buffer {
                self.watch
                    .set_lock_step(buffer == EventBufferControl::LockStep);
            }
            state
                .properties
                .iter()
                .for_each(|new| set(&mut self.state, new));
        }
        let Some(stream) = media.streams.first() else {
            return;
        };
        self.stream = stream.id.or(self.stream);
        if let Some(control) = &stream.control {
            self.control.mode = control.mode.or(self.control.mode);
            self.control.reserve_group = control.reserve_group.or(self.control.reserve_group);
            self.control.reserve_value = control.reserve_value.or(self.control.reserve_value);
            control
                .properties
                .iter()
                .for_each(|new| set(&mut self.control.properties, new));
        }
    }

    pub(super) fn set_digit_map(&mut self, map: &DigitMap) -> Result<(), ErrorCode> {
        match map {
            DigitMap::Named(name, Some(value)) => {
                self.digit_maps.insert(name.clone(), value.clone());
            }
            DigitMap::Named(name, None) => {
                self.digit_maps.remove(name);
            }
            // Without a name nothing could ever use it.
            DigitMap::Value(_) => return Err(ErrorCode::UNKNOWN_VALUE),
        }
        Ok(())
    }

    /// Its stream, as answers tell it.
    pub(super) fn stream(&self) -> Stream {
        Stream {
            id: self.stream,
            control: Some(self.control.clone())
                .filter(|control| *control != LocalControl::default()),
            local: self.local.clone(),
            remote: self.remote.clone(),
            statistics: None,
        }
    }

    /// A line leaves its context: what was set about the call is as it was before.
    pub(super) fn leave(&mut self) {
        self.context = None;
        self.stream = None;
        self.control = LocalControl::default();
        (self.local, self.remote) = (None, None);
        self.playing.forget_dialled();
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        [self.watch.poll_timeout(), self.playing.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }
}

fn set(properties: &mut Vec<Property>, new: &Property) {
    match properties.iter_mut().find(|old| old.name == new.name) {
        Some(old) => old.value = new.value.clone(),
        None => properties.push(new.clone()),
    }
}
