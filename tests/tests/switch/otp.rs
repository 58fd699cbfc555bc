//! Erlang/OTP's megaco, driven by `otp/megaco_peer.escript`: as gateways of our switch, with each other
//! and with our phone; and as the controller of our phones.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Ipv4Addr;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use gateway_tests::netns::Namespace;
use gateway_tests::phone::Phones;
use gateway_tests::wait::Deadline;

use crate::bed::{Bed, LONG, history, lines};

const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/switch/otp/megaco_peer.escript"
);

/// A program that speaks H.248 by Erlang/OTP; it ends when its standard input does.
struct Peer {
    child: Child,
    input: ChildStdin,
    output: Receiver<String>,
    seen: Vec<String>,
}

impl Peer {
    fn start(ns: &Namespace, arguments: &[&str]) -> Self {
        let mut command = ns.command("escript");
        let command = command.arg(PROGRAM).args(arguments);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            // Nobody listens any more: then it does not matter.
            lines
                .map_while(Result::ok)
                .all(|line| sender.send(line).is_ok())
        });
        Self {
            child,
            input,
            output,
            seen: Vec::new(),
        }
    }

    /// A gateway with one line at port 2944, and registered.
    fn gateway(ns: &Namespace, address: Ipv4Addr) -> Self {
        let address = address.to_string();
        let arguments = ["gateway", &address, "2944", "10.10.0.1", "2944"];
        let mut peer = Self::start(ns, &arguments);
        peer.expect("registered 2");
        peer.expect("signal none");
        peer
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// Waits for a line; what comes before it is passed over.
    fn expect(&mut self, wanted: &str) {
        let deadline = Deadline::after(LONG);
        loop {
            let left = deadline.remaining().unwrap_or(Duration::ZERO);
            let line = self.output.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("no {wanted:?} in {:#?}", self.seen));
            let found = line == wanted;
            let failed = line.starts_with("failed");
            self.seen.push(line);
            assert!(!failed, "before {wanted:?}: {:#?}", self.seen);
            if found {
                return;
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines for the gateways on the site's hosts, and for a phone.
fn bed() -> Bed {
    Bed::new(&format!(
        "[switch]\nadmission = \"anybody\"\nheartbeat = \"2s\"\n{}",
        lines([
            (5001, "[10.10.1.1]:2944@10.10.1.1"),
            (5002, "[10.10.1.2]:2944@10.10.1.2"),
            (5003, "a3"),
        ])
    ))
}

fn gateways(bed: &Bed) -> [Peer; 2] {
    [1, 2].map(|number| {
        let host = bed.site.phone(number);
        Peer::gateway(&host.ns, host.address)
    })
}

#[test]
fn two_gateways_call_each_other() {
    let bed = bed();
    let [mut one, mut other] = gateways(&bed);
    one.tell("lift");
    one.expect("signal cg/dt");
    one.tell("dial 5002");
    other.expect("signal al/ri");
    other.expect("remote 10.10.1.1 20000");
    one.expect("signal cg/rt");
    other.tell("lift");
    one.expect("signal none");
    one.expect("remote 10.10.1.2 20000");
    other.expect("signal none");
    one.tell("hang_up");
    other.expect("signal cg/bt");
    other.tell("hang_up");
    other.expect("signal none");
    bed.expect_quiet();
    for peer in [&mut one, &mut other] {
        peer.tell("contexts");
        peer.expect("contexts 0");
    }
    let over = history(&bed.gateway, 1);
    assert_eq!(over[0]["reason"], "caller_hung_up", "{over:?}");
    assert_eq!(over[0]["choice"], "public", "{over:?}");
}

#[test]
fn a_gateway_that_restarts_has_lost_its_call() {
    let bed = bed();
    let [mut one, mut other] = gateways(&bed);
    one.tell("lift");
    one.expect("signal cg/dt");
    one.tell("dial 5002");
    other.expect("signal al/ri");
    other.tell("lift");
    one.expect("remote 10.10.1.2 20000");
    other.tell("restart");
    other.expect("registered 2");
    one.expect("signal cg/ct");
    one.tell("hang_up");
    one.expect("signal none");
    bed.expect_quiet();
    // And is called as before.
    one.tell("lift");
    one.expect("signal cg/dt");
    one.tell("dial 5002");
    other.expect("signal al/ri");
    one.tell("hang_up");
    other.expect("signal none");
    bed.expect_quiet();
    let over = history(&bed.gateway, 2);
    assert_eq!(over[0]["reason"], "lost", "{over:?}");
}

#[test]
fn a_gateway_and_our_phone_call_each_other() {
    let bed = bed();
    let host = bed.site.phone(2);
    let mut gateway = Peer::gateway(&host.ns, host.address);
    let mut phones = Phones::start();
    phones
        .tell(&format!(
            "phone a3 netns={} protocol=h248 switch=10.10.0.1 address=10.10.3.1/16 \
             ports=1024-1055 mid=a3
             a3 expect registered within 20s
             a3 dial 5002
             a3 expect ringback",
            bed.phones()
        ))
        .unwrap();
    gateway.expect("signal al/ri");
    gateway.expect("remote 10.10.3.1 1026");
    gateway.tell("lift");
    phones.tell("a3 expect talking to 10.10.1.2").unwrap();
    phones.tell("a3 hangup\na3 expect idle").unwrap();
    gateway.expect("signal cg/bt");
    gateway.tell("hang_up");
    gateway.expect("signal none");
    bed.expect_quiet();
    gateway.tell("lift");
    gateway.expect("signal cg/dt");
    gateway.tell("dial 5003");
    phones.tell("a3 expect ringing\na3 answer").unwrap();
    phones.tell("a3 expect talking to 10.10.1.2").unwrap();
    gateway.expect("remote 10.10.3.1 1028");
    gateway.tell("hang_up");
    phones
        .tell("a3 expect busy\na3 hangup\na3 expect idle")
        .unwrap();
    bed.expect_quiet();
    phones.finish().unwrap();
    let over = history(&bed.gateway, 2);
    assert_eq!(over[1]["reason"], "caller_hung_up", "{over:?}");
}

#[test]
fn our_phones_at_a_controller() {
    let ns = Namespace::new("phones").unwrap();
    let mut controller = Peer::start(&ns, &["controller", "127.0.1.1", "2944"]);
    controller.expect("up");
    let mut phones = Phones::start();
    phones
        .tell(&format!(
            "default netns={} protocol=h248 switch=127.0.1.1
             phone a1 address=127.0.0.1 ports=1024-1087 number=5001
             phone a2 address=127.0.0.2 ports=1088-1151 number=5002 start=no
             a1 expect registered within 20s",
            ns.name()
        ))
        .unwrap();
    controller.expect("gateway 2");
    phones
        .tell("a2 start\na2 expect registered within 20s")
        .unwrap();
    controller.expect("gateway 2");
    for _ in 0..2 {
        phones
            .tell(
                "a1 dial a2
                 a2 expect ringing
                 a1 expect ringback
                 a2 answer
                 all expect talking
                 all talk 500ms
                 all expect media lost<=0 source=remote
                 a1 hangup
                 a2 expect hungup
                 a2 expect busy
                 a2 hangup
                 all expect idle",
            )
            .unwrap();
        controller.expect("talking");
        controller.expect("over");
    }
    phones.finish().unwrap();
}
