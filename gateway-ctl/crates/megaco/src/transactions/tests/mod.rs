//! One message at a time, and what comes out.

mod asked;
mod asking;
mod limits;

use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::{
    ActionReply, ActionRequest, Amm, Command, ContextId, Descriptors, Mid, Name, Outcome, Response,
    TerminationId,
};

const REGISTRATION: &str = "!/1 [192.168.1.10]:2944\nT=1{C=-{SC=root{SV{MT=RS,RE=\"901\"}}}}";

fn phone() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 40000))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// An end, and what time it is there.
struct Desk {
    endpoint: Endpoint,
    now: Duration,
}

impl Desk {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(tune: impl FnOnce(&mut Settings)) -> Self {
        let mid = Mid::Domain(Name::literal("mgc.example"), None);
        let mut settings = Settings::new(mid, 50);
        tune(&mut settings);
        Self {
            endpoint: Endpoint::new(settings),
            now: seconds(100),
        }
    }

    /// What is to be done, in words: messages without their head.
    fn drain(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(output) = self.endpoint.next_output() {
            all.push(match output {
                Output::Send { to, bytes } => {
                    let text = String::from_utf8(bytes).expect("text");
                    let (_, text) = text.split_once('\n').expect("a head");
                    match to == phone() {
                        true => format!("> {text}"),
                        false => format!("> {to} {text}"),
                    }
                }
                Output::Request { transaction, .. } => format!("request {transaction}"),
                Output::Repeated { after, restart, .. } => {
                    let what = if restart { "restart" } else { "repeated" };
                    format!("{what} after {after:?}")
                }
                Output::Expired { .. } => "expired".to_string(),
                Output::Reply { id, outcome, .. } => match outcome {
                    Outcome::Actions(actions) => format!("reply {id}: {} actions", actions.len()),
                    Outcome::Error(error) => format!("reply {id}: error {}", error.code),
                },
                Output::Failed { id, why } => format!("failed {id}: {why:?}"),
                Output::MessageError { error, .. } => format!("message error {}", error.code),
                Output::Malformed { error, .. } => format!("malformed {}", error.code),
            });
        }
        all
    }

    fn hear(&mut self, text: &str) -> Vec<String> {
        self.hear_from(phone(), text)
    }

    fn hear_from(&mut self, from: SocketAddr, text: &str) -> Vec<String> {
        self.endpoint.handle(self.now, from, text.as_bytes());
        self.drain()
    }

    /// Up to then, with all that is due on the way.
    fn pass(&mut self, time: Duration) -> Vec<String> {
        let (end, mut all) = (self.now + time, Vec::new());
        while let Some(due) = self.endpoint.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.endpoint.handle_timeout(self.now);
            all.extend(self.drain());
        }
        self.now = end;
        all
    }

    /// The request that was told of last.
    fn last(&self) -> RequestKey {
        RequestKey(self.endpoint.next_key - 1)
    }

    /// Answers it: `P=..{C=-{MF=a}}`
    fn answer(&mut self) -> Vec<String> {
        let key = self.last();
        assert!(self.endpoint.reply(self.now, key, done()));
        self.drain()
    }

    /// `T=..{C=-{MF=a}}`
    fn ask(&mut self) -> Vec<String> {
        let amm = Amm::new(line(), Descriptors::NONE);
        let command = Command::Modify(amm).into();
        let actions = vec![ActionRequest::new(ContextId::Null, vec![command])];
        self.endpoint.request(self.now, phone(), 1, actions);
        self.drain()
    }

    fn forgotten(&self) -> bool {
        self.endpoint.poll_timeout().is_none()
            && self.endpoint.peers.is_empty()
            && self.endpoint.asked.is_empty()
            && self.endpoint.asking.is_empty()
            && self.endpoint.acks.is_empty()
    }
}

fn line() -> TerminationId {
    TerminationId::new("a").expect("a name")
}

fn done() -> Outcome {
    let response = Response::Modify(Amm::new(line(), Descriptors::NONE));
    Outcome::Actions(vec![ActionReply::new(ContextId::Null, vec![response])])
}
