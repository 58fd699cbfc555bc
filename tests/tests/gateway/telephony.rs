//! Simulated phones register with the gateway's switch, call each other, and check what they hear:
//! at one site by private addresses, to the world by public ones; and over a kill of the daemon.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use gateway_tests::wait::eventually;
use serde_json::Value;

use crate::bed::{Bed, LONG};
use crate::config::Config;

const SWITCH: &str = r#"
[switch]
heartbeat = "2s"
[[line]]
number = "5001"
phone = "a1"
[[line]]
number = "5002"
phone = "a2"
[[line]]
number = "6001"
phone = "b1"
"#;

/// Two phones behind the gateway, one in the internet.
fn bed() -> Bed {
    Bed::with(
        &gateway_tests::site::Site::builder(),
        &Config::default().text(SWITCH),
    )
}

/// The phones, which do what they are told and tell what happens.
struct Phones {
    child: Child,
    commands: ChildStdin,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Phones {
    fn start(bed: &Bed) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_phone"))
            .args(["run", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
        let into = heard.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                into.lock().unwrap().push(event);
            }
        });
        let commands = child.stdin.take().unwrap();
        let mut phones = Self {
            child,
            commands,
            heard,
        };
        let netns = |number: usize| bed.phone(number).ns.name().to_owned();
        phones.tell("default protocol=h248");
        for (number, first) in [(1, 40_000), (2, 40_064)] {
            phones.tell(&format!(
                "phone a{number} netns={} address=10.10.1.{number} ports={first}-{} mid=a{number} \
                 number=500{number} switch=10.10.0.1",
                netns(number),
                first + 63
            ));
        }
        phones.tell(&format!(
            "phone b1 netns={} address=203.0.113.10 ports=50000-50063 mid=b1 number=6001 \
             switch=198.51.100.1",
            bed.internet().name()
        ));
        phones.tell("all expect registered within 20s");
        phones
    }

    fn tell(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
    }

    /// Ends the script; every command must have done what it was to do.
    fn finish(mut self) -> Vec<Value> {
        drop(self.commands);
        let status = self.child.wait().unwrap();
        let heard = self.heard.lock().unwrap().clone();
        if !status.success() {
            for event in &heard {
                eprintln!("{event}");
            }
        }
        assert!(status.success(), "{status}");
        heard
    }

    /// Waits until a phone has told of an event, `count` times.
    fn await_event(&self, phone: &str, event: &str, count: usize) {
        eventually(LONG, || {
            let heard = self.heard.lock().unwrap();
            let is = |one: &&Value| one["phone"] == phone && one["event"] == event;
            match heard.iter().filter(is).count() {
                found if found >= count => Ok(()),
                found => Err(format!("{phone} {event}: {found} of {count}, {heard:#?}")),
            }
        })
        .unwrap();
    }
}

/// Calls that are over.
fn history(bed: &Bed, calls: usize) -> Vec<Value> {
    eventually(LONG, || {
        let output = bed
            .gateway
            .ctl(&["calls", "history", "-o", "json"])
            .unwrap();
        let lines = output.stdout.lines();
        let all: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        match all.len() {
            found if found == calls => Ok(all),
            found => Err(format!("{found} of {calls} calls: {output:?}")),
        }
    })
    .unwrap()
}

/// Packets of a phone that the dataplane has translated, both ways.
fn translated(bed: &Bed, private: &str) -> u64 {
    let bindings = bed.json(&["bindings"]);
    let mut all = bindings.as_array().unwrap().iter();
    let one = all.find(|one| one["private"] == private).unwrap();
    one["out_packets"].as_u64().unwrap() + one["in_packets"].as_u64().unwrap()
}

#[test]
fn calls_have_the_right_addresses() {
    let bed = bed();
    let mut phones = Phones::start(&bed);
    phones.await_event("b1", "registered", 1);
    let before = translated(&bed, "10.10.1.1");
    phones.tell("a1 dial a2");
    phones.tell("a2 expect ringing");
    phones.tell("a2 answer");
    phones.tell("a1,a2 expect talking private within 5s");
    phones.tell("a1,a2 talk 1s");
    phones.tell("a1,a2 expect media lost<=1% source=remote");
    phones.tell("a1 hangup");
    phones.tell("a2 hangup");
    let home = history(&bed, 1);
    assert_eq!(
        (&home[0]["choice"], &home[0]["reason"]),
        (&"private".into(), &"caller_hung_up".into())
    );
    assert!(
        translated(&bed, "10.10.1.1") - before < 10,
        "media left the site"
    );

    phones.tell("a1 dial b1");
    phones.tell("b1 expect ringing");
    phones.tell("b1 answer");
    phones.tell("a1,b1 expect talking public within 5s");
    phones.tell("a1,b1 talk 1s");
    phones.tell("a1,b1 expect media lost<=1% source=remote");
    phones.tell("b1 hangup");
    phones.tell("a1 hangup");
    phones.finish();
    let all = history(&bed, 2);
    assert_eq!(
        (&all[1]["choice"], &all[1]["reason"]),
        (&"public".into(), &"called_hung_up".into())
    );
    assert_eq!(all[1]["caller"]["place"]["public"], "192.0.2.1");
    let crossed = translated(&bed, "10.10.1.1") - before;
    assert!(crossed > 60, "{crossed} packets crossed the gateway");
    let ladder = bed.gateway.ctl(&["calls", "trace", "6001"]).unwrap();
    assert!(
        ladder.stdout.contains("al/ri") && ladder.stdout.contains("6001"),
        "{ladder:?}"
    );
    bed.finish();
}

#[test]
fn a_killed_switch_loses_no_call() {
    let mut bed = bed();
    let mut phones = Phones::start(&bed);
    phones.tell("a1 dial a2");
    phones.tell("a2 expect ringing");
    phones.tell("a2 answer");
    phones.tell("a1,a2 expect talking private within 5s");
    phones.await_event("a2", "talking", 1);
    let live = bed.json(&["calls"]);
    assert_eq!(live[0]["progress"], "talking", "{live}");
    bed.gateway.kill9().unwrap();
    phones.tell("a1,a2 talk 1s");
    bed.gateway.restart(LONG).unwrap();
    let again = bed.json(&["calls"]);
    assert_eq!(
        (&again[0]["id"], &again[0]["progress"]),
        (&live[0]["id"], &live[0]["progress"])
    );
    phones.tell("a1,a2 talk 1s");
    phones.tell("a1 hangup");
    phones.tell("a2 hangup");
    phones.finish();
    let all = history(&bed, 1);
    assert_eq!(all[0]["id"], live[0]["id"]);
    let registered = bed.json(&["phones"]);
    assert_eq!(registered.as_array().unwrap().len(), 3, "{registered}");
    bed.finish();
}
