//! An H.248 controller that connects two phones, and no more: just enough to show that the phone
//! works. It speaks by strings, and does one thing at a time.

use std::collections::{BTreeMap, VecDeque};
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use gateway_tests::netns::Namespace;
use gateway_tests::traffic::bind_udp;

const LOCAL: &str = "L{v=0\nc=IN IP4 $\nm=audio $ RTP/AVP 0\n}";
const IDLE: &str = "SG{},E=1{al/of{strict=state,EM{SG{cg/dt},E=2{al/on,dd/ce{DM={(5xxx)}}}}}}";

/// A running controller; dropped, it is gone.
pub(crate) struct Controller {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Controller {
    /// In a namespace, at an address; phones have numbers 5001, 5002 .. in the order in which
    /// they register.
    pub(crate) fn start(ns: &Namespace, address: SocketAddrV4) -> Self {
        let socket = bind_udp(ns, address).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let mut work = Work {
            socket,
            address,
            stop: stop.clone(),
            next: 1,
            waiting: VecDeque::new(),
            phones: Vec::new(),
            calls: BTreeMap::new(),
        };
        let thread = Some(std::thread::spawn(move || work.run()));
        Self { stop, thread }
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

/// A phone's end of a call.
#[derive(Clone, Debug)]
struct End {
    context: String,
    partner: SocketAddr,
    /// The callee has not answered.
    rings: bool,
}

struct Work {
    socket: UdpSocket,
    address: SocketAddrV4,
    stop: Arc<AtomicBool>,
    next: u32,
    waiting: VecDeque<(SocketAddr, String)>,
    phones: Vec<SocketAddr>,
    calls: BTreeMap<SocketAddr, End>,
}

impl Work {
    fn run(&mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            let next = self.waiting.pop_front().or_else(|| self.receive());
            if let Some((from, message)) = next {
                self.request(from, &message);
            }
        }
    }

    fn receive(&self) -> Option<(SocketAddr, String)> {
        let mut buffer = [0; 8192];
        let (length, from) = self.socket.recv_from(&mut buffer).ok()?;
        Some((
            from,
            String::from_utf8_lossy(&buffer[..length]).into_owned(),
        ))
    }

    fn send(&self, to: SocketAddr, version: u8, transaction: &str) {
        let message = format!(
            "!/{version} [{}]:{}\n{transaction}",
            self.address.ip(),
            self.address.port()
        );
        self.socket.send_to(message.as_bytes(), to).unwrap();
    }

    /// Has actions executed: the reply. What comes meanwhile waits.
    fn ask(&mut self, to: SocketAddr, actions: &str) -> String {
        let id = self.next;
        self.next += 1;
        let reply = format!("P={id}{{");
        for _ in 0..10 {
            self.send(to, 3, &format!("T={id}{{{actions}}}"));
            for _ in 0..10 {
                match self.receive() {
                    Some((from, message)) if from == to && message.contains(&reply) => {
                        // A phone that has meanwhile gone to another controller says so.
                        let gone = message.contains("ER=504");
                        assert!(gone || !message.contains("ER="), "{actions}: {message}");
                        return message;
                    }
                    Some(other) => self.waiting.push_back(other),
                    None if self.stop.load(Ordering::Relaxed) => return String::new(),
                    None => {}
                }
            }
        }
        String::new()
    }

    fn request(&mut self, from: SocketAddr, message: &str) {
        let Some(id) = part(message, "T=", "{") else {
            return;
        };
        let context = part(message, "C=", "{").unwrap();
        if message.contains("SC=root") {
            self.send(from, 1, &format!("P={id}{{C=-{{SC=root{{SV{{V=3}}}}}}}}"));
            if !self.phones.contains(&from) {
                self.phones.push(from);
            }
            self.ask(from, "C=-{MF=root{E=9{it/ito{mit=100}}}}");
            self.ask(from, &format!("C=-{{MF=line1{{{IDLE}}}}}"));
            return;
        }
        let termination = part(message, "N=", "{").unwrap();
        self.send(
            from,
            3,
            &format!("P={id}{{C={context}{{N={termination}}}}}"),
        );
        if message.contains("al/on") {
            self.hung_up(from);
        } else if let Some(number) = part(message, "ds=\"", "\"") {
            self.dialed(from, number);
        } else if message.contains("al/of") {
            self.lifted(from);
        }
    }

    fn dialed(&mut self, caller: SocketAddr, number: &str) {
        let index: usize = number[1..].parse().unwrap();
        let callee = self.phones.get(index.wrapping_sub(1)).copied();
        let callee = callee.filter(|callee| !self.calls.contains_key(callee) && *callee != caller);
        let Some(callee) = callee else {
            self.ask(caller, "C=-{MF=line1{SG{cg/bt},E=4{al/on}}}");
            return;
        };
        let reply = self.ask(
            callee,
            &format!(
                "C=${{A=line1{{SG{{al/ri}},E=3{{al/of,al/on}}}},A=${{M{{O{{MO=SR}},{LOCAL}}}}}}}"
            ),
        );
        let (theirs, context) = (
            description(&reply),
            part(&reply, "C=", "{").unwrap().to_owned(),
        );
        self.calls.insert(
            callee,
            End {
                context: context.clone(),
                partner: caller,
                rings: true,
            },
        );
        let reply = self.ask(
            caller,
            &format!("C=${{A=line1{{SG{{cg/rt}},E=4{{al/on}}}},A=${{M{{O{{MO=RC}},{LOCAL},R{{{theirs}}}}}}}}}"),
        );
        let ours = description(&reply);
        let own = part(&reply, "C=", "{").unwrap().to_owned();
        self.calls.insert(
            caller,
            End {
                context: own,
                partner: callee,
                rings: false,
            },
        );
        self.ask(
            callee,
            &format!("C={context}{{MF=rtp/*{{M{{R{{{ours}}}}}}}}}"),
        );
    }

    fn lifted(&mut self, callee: SocketAddr) {
        let Some(end) = self.calls.get_mut(&callee).filter(|end| end.rings) else {
            return;
        };
        end.rings = false;
        let partner = end.partner;
        let context = self.calls[&partner].context.clone();
        self.ask(
            partner,
            &format!("C={context}{{MF=line1{{SG{{}}}},MF=rtp/*{{M{{O{{MO=SR}}}}}}}}"),
        );
    }

    fn hung_up(&mut self, from: SocketAddr) {
        if let Some(End {
            context, partner, ..
        }) = self.calls.remove(&from)
        {
            self.ask(from, &format!("C={context}{{S=*}}"));
            if let Some(End { context, rings, .. }) = self.calls.remove(&partner) {
                self.ask(partner, &format!("C={context}{{S=*}}"));
                let next = if rings { IDLE } else { "SG{cg/bt},E=5{al/on}" };
                self.ask(partner, &format!("C=-{{MF=line1{{{next}}}}}"));
            }
        }
        self.ask(from, &format!("C=-{{MF=line1{{{IDLE}}}}}"));
    }
}

fn part<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (_, behind) = text.split_once(begin)?;
    Some(behind.split_once(end)?.0)
}

/// The session description of a reply's Local.
fn description(reply: &str) -> String {
    part(reply, "L{", "}")
        .unwrap_or_else(|| panic!("{reply}"))
        .trim_start()
        .to_owned()
}
