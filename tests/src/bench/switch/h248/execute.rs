//! What phones answer when they are told something, and what they do then.

use megaco::{
    ActionReply, ActionRequest, Amm, AuditReply, Command, ContextId, Descriptor, Descriptors,
    ErrorCode, Events, Media, Name, Octets, RequestId, Response, SignalItem, Stream, TerminationId,
};

use super::super::place::phone_address;
use super::Crowd;
use super::calls::Event;

/// The one line of each.
const LINE: Name = Name::literal("line1");

impl Crowd {
    pub(super) fn execute(
        &mut self,
        phone: u32,
        action: &ActionRequest,
        then: &mut Vec<Event>,
    ) -> ActionReply {
        let context = match action.context {
            ContextId::Choose => {
                let one = &mut self.phones[phone as usize];
                one.made = one.made % 20_000 + 1;
                ContextId::Id(one.made)
            }
            // No context at all is what there is when the switch asks.
            ContextId::All => {
                return ActionReply::failed(ContextId::All, ErrorCode(431).into());
            }
            other => other,
        };
        let commands = action.commands.iter();
        let responses =
            commands.map(|request| self.command(phone, context, &request.command, then));
        ActionReply::new(context, responses.collect())
    }

    fn command(
        &mut self,
        phone: u32,
        context: ContextId,
        command: &Command,
        then: &mut Vec<Event>,
    ) -> Response {
        match command {
            Command::Add(amm) if *amm.terminations.first() == TerminationId::Choose => {
                Response::Add(self.media(phone))
            }
            Command::Add(amm) => {
                self.told(phone, context, &amm.descriptors, then);
                Response::Add(Amm::new(amm.terminations.first().clone(), Vec::new()))
            }
            Command::Modify(amm) => {
                let termination = amm.terminations.first().clone();
                if termination != TerminationId::Root {
                    self.told(phone, context, &amm.descriptors, then);
                }
                Response::Modify(Amm::new(termination, Vec::new()))
            }
            Command::Subtract(audited) => {
                let termination = audited.terminations.first().clone();
                Response::Subtract(Amm::new(termination, Vec::new()))
            }
            Command::AuditValue(_) => {
                Response::AuditValue(AuditReply::Context(vec![TerminationId::Name(LINE)]))
            }
            other => {
                let termination = other.terminations().first().clone();
                Response::Modify(Amm::new(termination, Vec::new()))
            }
        }
    }

    /// A termination for media, at a port of its own.
    fn media(&self, phone: u32) -> Amm {
        let made = self.phones[phone as usize].made;
        let (address, port) = (phone_address(phone), 1024 + 2 * made);
        let local = format!("v=0\r\nc=IN IP4 {address}\r\nm=audio {port} RTP/AVP 0\r\n");
        let media = Media {
            state: None,
            streams: vec![Stream {
                id: Some(1),
                local: Some(Octets::from(local.as_str())),
                ..Stream::default()
            }],
        };
        let name = Name::new(&format!("rtp/{made}"));
        let id = name.map_or(TerminationId::Choose, TerminationId::Name);
        Amm::new(id, vec![Descriptor::Media(media)])
    }

    fn told(
        &mut self,
        phone: u32,
        context: ContextId,
        descriptors: &Descriptors,
        then: &mut Vec<Event>,
    ) {
        let mut rings = false;
        for item in descriptors
            .signals()
            .into_iter()
            .flat_map(|signals| &signals.0)
        {
            if let SignalItem::Signal(signal) = item {
                match signal.name.as_str() {
                    "cg/dt" => then.push(Event::DialTone),
                    "cg/bt" | "cg/ct" => then.push(Event::Over),
                    "al/ri" => {
                        rings = true;
                        then.push(Event::Rings);
                    }
                    _ => {}
                }
            }
        }
        if let Some(events) = descriptors.events() {
            if let Some(RequestId::Id(request)) = events.request {
                self.phones[phone as usize].events = request;
            }
            if context == ContextId::Null && !rings && waits_for_the_hook(events) {
                then.push(Event::Idle);
            }
        }
        let connected = |stream: &Stream| {
            let mode = stream.control.as_ref().and_then(|control| control.mode);
            stream.remote.is_some() || mode == Some(megaco::StreamMode::SendReceive)
        };
        // What is added has its own way; only what is modified is connected.
        if let Some(media) = descriptors.media()
            && media.streams.iter().any(connected)
        {
            then.push(Event::Connected);
        }
    }
}

fn waits_for_the_hook(events: &Events) -> bool {
    events.events.iter().any(|event| event.name == "al/of")
}
