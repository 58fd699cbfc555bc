//! A DHCP client (RFC 2131, figure 5).
//!
//! ```text
//!   Selecting --OFFER: REQUEST--> Requesting --ACK--> Bound --half of the time: REQUEST--> Renewing
//!      ^ again after 1, 2, 4 s       |                  ^                                     |
//!      `--------------- NAK ---------'                  `--------------- ACK -----------------'
//! ```
//! A phone's first messages come faster than RFC 2131 section 4.1 asks for (4 s): a lab has few.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::lease::{Lease, WISHES};
use crate::dhcp::message::{Message, code, kind};

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(16);
const HOST_NAME: u8 = 12;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its Ethernet address.
    pub mac: [u8; 6],
    /// What it is (option 60).
    pub vendor_class: Option<String>,
    /// What it calls itself (option 12).
    pub host_name: Option<String>,
    /// Of its messages.
    pub xid: u32,
}

/// A message, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Send {
    /// To everybody, from nowhere.
    Broadcast(Message),
    /// From the leased address to its server.
    Unicast(Ipv4Addr, Message),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Selecting,
    Requesting(Box<Message>),
    Bound(Lease),
    Renewing(Lease),
}

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    settings: Settings,
    state: State,
    began: Duration,
    wait: Duration,
    next: Option<Duration>,
}

impl Client {
    /// Begins at `now`, with its first [`Self::handle_timeout`].
    #[must_use]
    pub fn new(now: Duration, settings: Settings) -> Self {
        Self {
            settings,
            state: State::Selecting,
            began: now,
            wait: FIRST_WAIT,
            next: Some(now),
        }
    }

    /// The lease, if there is one.
    #[must_use]
    pub fn lease(&self) -> Option<&Lease> {
        match &self.state {
            State::Bound(lease) | State::Renewing(lease) => Some(lease),
            _ => None,
        }
    }

    fn discover(&self, now: Duration) -> Message {
        let mut message = Message::discover(self.settings.mac, self.settings.xid);
        let seconds = now.saturating_sub(self.began).as_secs();
        message.secs = u16::try_from(seconds).unwrap_or(u16::MAX);
        self.options(message)
    }

    fn options(&self, mut message: Message) -> Message {
        let Settings {
            vendor_class,
            host_name,
            ..
        } = &self.settings;
        for (code, text) in [(code::VENDOR_CLASS, vendor_class), (HOST_NAME, host_name)] {
            if let Some(text) = text {
                message = message.option(code, text.as_bytes());
            }
        }
        message.option(code::REQUEST_LIST, WISHES)
    }

    /// A server's message: what is to be sent now.
    pub fn handle(&mut self, now: Duration, message: &Message) -> Option<Send> {
        let ours = message.xid == self.settings.xid && message.mac == self.settings.mac;
        if !message.reply || !ours {
            return None;
        }
        match (&self.state, message.kind()) {
            (State::Selecting, Some(kind::OFFER)) => {
                let request = self.discover(now).request(message);
                self.state = State::Requesting(Box::new(request.clone()));
                self.wait = FIRST_WAIT;
                self.next = Some(now + self.wait);
                Some(Send::Broadcast(request))
            }
            (State::Requesting(_) | State::Renewing(_), Some(kind::ACK)) => {
                let lease = Lease::of(message);
                self.next = lease.time.map(|time| now + time / 2);
                self.state = State::Bound(lease);
                None
            }
            (State::Requesting(_) | State::Renewing(_), Some(kind::NAK)) => {
                self.state = State::Selecting;
                self.wait = FIRST_WAIT;
                self.next = Some(now + self.wait);
                None
            }
            _ => None,
        }
    }

    /// When there is something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.next
    }

    /// What is due by now.
    pub fn handle_timeout(&mut self, now: Duration) -> Option<Send> {
        if self.next.is_none_or(|next| next > now) {
            return None;
        }
        self.next = Some(now + self.wait);
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        match &self.state {
            State::Selecting => Some(Send::Broadcast(self.discover(now))),
            State::Requesting(request) => Some(Send::Broadcast((**request).clone())),
            State::Bound(lease) | State::Renewing(lease) => {
                let lease = lease.clone();
                if matches!(self.state, State::Bound(_)) {
                    self.wait = FIRST_WAIT;
                }
                let mut renewal = Message::of(kind::REQUEST, self.settings.mac, self.settings.xid);
                renewal.ciaddr = lease.address;
                let server = lease.server;
                self.state = State::Renewing(lease);
                let renewal = self.options(renewal);
                Some(server.map_or(Send::Broadcast(renewal.clone()), |server| {
                    Send::Unicast(server, renewal)
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn client() -> Client {
        let settings = Settings {
            mac: MAC,
            vendor_class: Some("MyPhone 1.0".to_owned()),
            host_name: None,
            xid: 7,
        };
        Client::new(at(0), settings)
    }

    fn from_server(of: u8) -> Message {
        let mut message = Message::of(of, MAC, 7)
            .option(code::SERVER, &SERVER.octets())
            .option(code::LEASE_TIME, &3600_u32.to_be_bytes());
        (message.reply, message.yiaddr) = (true, Ipv4Addr::new(10, 0, 0, 9));
        message
    }

    fn broadcast(sent: Option<Send>) -> Message {
        match sent {
            Some(Send::Broadcast(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_leases_and_renews() {
        let mut client = client();
        let discover = broadcast(client.handle_timeout(at(0)));
        assert_eq!(discover.kind(), Some(kind::DISCOVER));
        assert_eq!(discover.find(code::VENDOR_CLASS), Some(&b"MyPhone 1.0"[..]));
        let request = broadcast(client.handle(at(1), &from_server(kind::OFFER)));
        assert_eq!(
            (request.kind(), request.server()),
            (Some(kind::REQUEST), Some(SERVER))
        );
        assert_eq!(client.handle(at(1), &from_server(kind::ACK)), None);
        assert_eq!(client.lease().unwrap().address, Ipv4Addr::new(10, 0, 0, 9));
        assert_eq!(client.poll_timeout(), Some(at(1801)));
        let Some(Send::Unicast(to, renewal)) = client.handle_timeout(at(1801)) else {
            panic!("not renewed");
        };
        assert_eq!((to, renewal.ciaddr), (SERVER, Ipv4Addr::new(10, 0, 0, 9)));
        assert_eq!(client.poll_timeout(), Some(at(1802)));
        let _ = client.handle(at(1802), &from_server(kind::ACK));
        assert_eq!(client.poll_timeout(), Some(at(3602)));
    }

    #[test]
    fn it_asks_again_and_begins_anew_when_it_is_refused() {
        let mut client = client();
        let mut times = Vec::new();
        for _ in 0..4 {
            let now = client.poll_timeout().unwrap();
            times.push(now.as_secs());
            assert_eq!(
                broadcast(client.handle_timeout(now)).secs,
                now.as_secs() as u16
            );
        }
        assert_eq!(times, [0, 1, 3, 7]);
        let _ = client.handle(at(8), &from_server(kind::OFFER));
        assert_eq!(client.handle(at(8), &from_server(kind::NAK)), None);
        assert_eq!(
            broadcast(client.handle_timeout(at(9))).kind(),
            Some(kind::DISCOVER)
        );
    }

    #[test]
    fn others_messages_are_not_heeded() {
        let mut client = client();
        let mut other = from_server(kind::OFFER);
        other.xid = 8;
        assert_eq!(client.handle(at(0), &other), None);
        let mut request = from_server(kind::OFFER);
        request.reply = false;
        assert_eq!(client.handle(at(0), &request), None);
        assert!(client.lease().is_none());
    }
}
