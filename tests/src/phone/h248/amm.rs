//! Add, Move, Modify and Subtract (RFC 3525 sections 7.2.1 to 7.2.4).

use std::net::SocketAddrV4;
use std::time::Duration;

use megaco::{
    AuditItem, Descriptor, Descriptors, ErrorCode, Media, Name, Octets, Stream, TerminationId,
};

use super::execute::Place;
use super::gateway::Gateway;
use super::sdp;
use super::termination::{Kind, Termination};
use crate::phone::streams::Output;

/// What a termination tells in answer to a command.
pub(super) type Told = (TerminationId, Descriptors);

impl Gateway {
    pub(super) fn add(
        &mut self,
        now: Duration,
        context: u32,
        id: &TerminationId,
        descriptors: &Descriptors,
        out: &mut Vec<Output>,
    ) -> Result<Told, ErrorCode> {
        let name = match id {
            TerminationId::Root | TerminationId::All => {
                return Err(ErrorCode::INCORRECT_IDENTIFIER);
            }
            TerminationId::Choose => self.new_stream()?,
            TerminationId::Name(name) => match name.as_str().split_once('$') {
                Some((prefix, _)) if self.is_line_prefix(prefix) => {
                    self.free_line(prefix).ok_or(ErrorCode::NO_TERMINATIONS)?
                }
                Some(_) => self.new_stream()?,
                None => name.clone(),
            },
        };
        let termination = self
            .terminations
            .get_mut(&name)
            .ok_or(ErrorCode::UNKNOWN_TERMINATION)?;
        if termination.context.is_some() {
            return Err(ErrorCode::IN_A_CONTEXT);
        }
        (termination.context, termination.since) = (Some(context), now);
        match self.apply(now, &name, descriptors, out) {
            Ok(told) => Ok((TerminationId::Name(name), told)),
            Err(code) => {
                self.leave(now, &name, out);
                Err(code)
            }
        }
    }

    /// A stream in no context yet.
    fn new_stream(&mut self) -> Result<Name, ErrorCode> {
        self.last_stream += 1;
        let name = Name::new(&format!("rtp/{}", self.last_stream));
        let name = name.map_err(|_| ErrorCode::INTERNAL)?;
        self.terminations
            .insert(name.clone(), Termination::new(Kind::Rtp));
        Ok(name)
    }

    fn is_line_prefix(&self, prefix: &str) -> bool {
        let begins = |line: &Name| {
            let head = line.as_str().get(..prefix.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
        };
        !prefix.is_empty() && self.settings.lines.iter().any(begins)
    }

    pub(super) fn move_to(
        &mut self,
        now: Duration,
        context: u32,
        id: &TerminationId,
        descriptors: &Descriptors,
        out: &mut Vec<Output>,
    ) -> Result<Vec<Told>, ErrorCode> {
        let mut told = Vec::new();
        for name in self.find(None, id)? {
            let termination = self
                .terminations
                .get_mut(&name)
                .ok_or(ErrorCode::UNKNOWN_TERMINATION)?;
            let old = termination.context.ok_or(ErrorCode::NOT_IN_CONTEXT)?;
            if old == context {
                return Err(ErrorCode::IN_A_CONTEXT);
            }
            termination.context = Some(context);
            if !self
                .terminations
                .values()
                .any(|one| one.context == Some(old))
            {
                self.contexts.remove(&old);
            }
            let applied = self.apply(now, &name, descriptors, out)?;
            told.push((TerminationId::Name(name), applied));
        }
        Ok(told)
    }

    pub(super) fn modify(
        &mut self,
        now: Duration,
        place: Place,
        id: &TerminationId,
        descriptors: &Descriptors,
        out: &mut Vec<Output>,
    ) -> Result<Vec<Told>, ErrorCode> {
        if *id == TerminationId::Root {
            self.apply_to_root(now, descriptors)?;
            return Ok(vec![(TerminationId::Root, Descriptors::NONE)]);
        }
        let mut told = Vec::new();
        for name in self.find(Some(place), id)? {
            let applied = self.apply(now, &name, descriptors, out)?;
            told.push((TerminationId::Name(name), applied));
        }
        Ok(told)
    }

    pub(super) fn subtract(
        &mut self,
        now: Duration,
        place: Place,
        id: &TerminationId,
        audit: Option<&[AuditItem]>,
        out: &mut Vec<Output>,
    ) -> Result<Vec<Told>, ErrorCode> {
        if place == Place::Null || *id == TerminationId::Root {
            return Err(ErrorCode::ILLEGAL_ACTIONS);
        }
        let mut told = Vec::new();
        for name in self.find(Some(place), id)? {
            let asked = audit.unwrap_or(&[AuditItem::Statistics]);
            let answer = self
                .terminations
                .get(&name)
                .map(|one| self.describe(now, one, asked, false));
            self.leave(now, &name, out);
            told.push((TerminationId::Name(name), answer.unwrap_or_default()));
        }
        Ok(told)
    }

    fn apply_to_root(&mut self, now: Duration, descriptors: &Descriptors) -> Result<(), ErrorCode> {
        let maps = self.root.digit_maps.clone();
        let find = |name: &Name| maps.get(name).cloned();
        self.root.check(descriptors, None, &find)?;
        for descriptor in &descriptors.0 {
            match descriptor {
                Descriptor::Media(media) => self.root.set_media(media),
                Descriptor::DigitMap(map) => self.root.set_digit_map(map)?,
                Descriptor::Events(events) => {
                    let _ = self.root.watch.activate(now, events.clone(), None, &find);
                    self.heard = now;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Sets what a command sets on one termination, and tells what it left open.
    fn apply(
        &mut self,
        now: Duration,
        name: &Name,
        descriptors: &Descriptors,
        out: &mut Vec<Output>,
    ) -> Result<Descriptors, ErrorCode> {
        let off_hook = self.off_hook(name);
        let termination = self
            .terminations
            .get_mut(name)
            .ok_or(ErrorCode::UNKNOWN_TERMINATION)?;
        // A map that comes with the command can be used by it (section 7.1.14.1).
        if let Some(map) = descriptors.digit_map() {
            termination.set_digit_map(map)?;
        }
        let (maps, root) = (termination.digit_maps.clone(), &self.root);
        let find = |map: &Name| maps.get(map).or_else(|| root.digit_maps.get(map)).cloned();
        termination.check(descriptors, off_hook, &find)?;
        let mut told = Vec::new();
        if let Some(media) = descriptors.media() {
            told.extend(self.apply_media(name, media, out)?);
        }
        for descriptor in &descriptors.0 {
            let Some(termination) = self.terminations.get_mut(name) else {
                continue;
            };
            match descriptor {
                Descriptor::EventBuffer(events) => termination.watch.buffered.clone_from(events),
                Descriptor::Signals(signals) => {
                    let ended = termination.playing.play(now, signals);
                    self.signals_ended(now, name, ended, out);
                }
                _ => {}
            }
        }
        // Last, since something may happen by it at once.
        if let Some(events) = descriptors.events() {
            self.activate(now, name, events.clone(), out);
        }
        if let Some(asked) = descriptors.audit()
            && let Some(termination) = self.terminations.get(name)
        {
            told.extend(self.describe(now, termination, asked, false).0);
        }
        Ok(told.into())
    }

    /// Fills in Local, understands Remote; tells Local, if it was given.
    fn apply_media(
        &mut self,
        name: &Name,
        media: &Media,
        out: &mut Vec<Output>,
    ) -> Result<Option<Descriptor>, ErrorCode> {
        let Self {
            terminations,
            streams,
            ..
        } = self;
        let termination = terminations
            .get_mut(name)
            .ok_or(ErrorCode::UNKNOWN_TERMINATION)?;
        let stream = media.streams.first();
        let (local, remote) = stream.map_or((None, None), |stream| {
            (stream.local.as_ref(), stream.remote.as_ref())
        });
        if let Some(remote) = remote {
            sdp::target(remote)?;
        }
        if termination.kind == Kind::Rtp
            && termination.port.is_none()
            && (local.is_some() || remote.is_some())
        {
            let session = streams.open(out).ok_or(ErrorCode::NO_RESOURCES)?;
            termination.port = Some(session.port());
        }
        let filled = match (local, termination.port) {
            (Some(local), Some(port)) if !local.as_bytes().is_empty() => {
                let own = SocketAddrV4::new(streams.common().address, port);
                Some(sdp::fill(local, own)?)
            }
            (local, _) => local.cloned(),
        };
        termination.set_media(media);
        if let Some(filled) = &filled {
            termination.local = Some(filled.clone()).filter(|local| !local.as_bytes().is_empty());
        }
        if let Some(remote) = remote {
            termination.remote =
                Some(remote.clone()).filter(|remote: &Octets| !remote.as_bytes().is_empty());
        }
        let is_stream = termination.kind == Kind::Rtp;
        let id = stream.and_then(|stream| stream.id);
        let told = filled.filter(|_| is_stream).map(|local| Stream {
            id,
            local: Some(local),
            ..Stream::default()
        });
        Ok(told.map(|stream| {
            Descriptor::Media(Media {
                state: None,
                streams: vec![stream],
            })
        }))
    }
}
