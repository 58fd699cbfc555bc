//! What an operator sees: counters, metrics, traces, memory, status.

use gateway_tests::site::Site;
use gateway_tests::traffic::{UdpEcho, bind_udp, exchange};
use gateway_tests::wait::eventually;
use serde_json::Value;

use crate::bed::{Bed, SOON, number, remote};
use crate::config::Config;

const METRICS: &str = "[metrics]\nlisten = \"127.0.0.1:9630\"\nper_binding = true";

/// A few packets: three out, three back, one dropped.
fn talk(bed: &Bed) {
    let _echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    let phone = bed.phone(1);
    for _ in 0..3 {
        exchange(&phone.ns, phone.at(40_000), remote(5060), b"hello", SOON).unwrap();
    }
    let stray = bind_udp(&phone.ns, phone.at(39_999)).unwrap();
    stray.send_to(b"stray", remote(5060)).unwrap();
    let dropped = || match bed.counters().total("source_port_out_of_range") {
        1 => Ok(()),
        count => Err(format!("{count} dropped")),
    };
    eventually(SOON, dropped).unwrap();
}

fn scrape(bed: &Bed) -> String {
    let words = ["curl", "-sSf", "http://127.0.0.1:9630/metrics"];
    bed.site.router.run(&words).unwrap()
}

/// The value of a metric with these labels, in any order.
fn metric(page: &str, name: &str, labels: &[(&str, &str)]) -> Option<u64> {
    page.lines().find_map(|line| {
        let (key, value) = line.rsplit_once(' ')?;
        let rest = key.strip_prefix(name)?;
        let mut labels = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{value}\""));
        let same = rest.is_empty() || rest.starts_with('{');
        (same && labels.all(|label| rest.contains(&label))).then(|| value.parse().ok())?
    })
}

#[test]
fn metrics_say_what_the_counters_say() {
    let bed = Bed::with(&Site::builder(), &Config::default().text(METRICS));
    talk(&bed);
    // ARP may pass at any moment: compare a page that stands between two equal readings.
    let (counters, page) = eventually(SOON, || {
        let before = bed.counters();
        let page = scrape(&bed);
        match bed.counters().0 == before.0 {
            true => Ok((before, page)),
            false => Err("packets pass all the time".to_owned()),
        }
    })
    .unwrap();
    let text = |of: &Value, key: &str| of[key].as_str().unwrap().to_owned();
    for of in counters.0.as_array().unwrap() {
        let (interface, hook) = (text(of, "interface"), text(of, "hook"));
        let at = [("interface", interface.as_str()), ("hook", hook.as_str())];
        let received = metric(&page, "gateway_packets_received_total", &at);
        assert_eq!(received, Some(number(&of["received"])), "{at:?}\n{page}");
        for count in of["reasons"].as_array().unwrap() {
            let reason = text(count, "reason");
            let mut labels = at.to_vec();
            labels.push(("reason", &reason));
            let ended = metric(&page, "gateway_packets_total", &labels);
            assert_eq!(ended, Some(number(&count["packets"])), "{labels:?}\n{page}");
        }
    }
    bed.finish();
}

#[test]
fn traces_show_a_drop_as_it_happens() {
    let bed = Bed::new();
    let phone = bed.phone(1);
    let stray = bind_udp(&phone.ns, phone.at(39_999)).unwrap();
    let reason = "source_port_out_of_range";
    let lines = std::thread::scope(|scope| {
        let tracer = scope.spawn(|| {
            let json = ["trace", "--count", "2", "--reason", reason, "-o", "json"];
            let text = ["trace", "--count", "1"];
            (
                bed.gateway.ctl(&json).unwrap(),
                bed.gateway.ctl(&text).unwrap(),
            )
        });
        // When the tracer listens, only its output shows.
        eventually(SOON, || {
            stray.send_to(b"stray", remote(5060)).unwrap();
            match tracer.is_finished() {
                true => Ok(()),
                false => Err("nothing traced".to_owned()),
            }
        })
        .unwrap();
        tracer.join().unwrap()
    });
    let (json, text) = lines;
    let line: Value = serde_json::from_str(json.stdout.lines().next().unwrap()).unwrap();
    for (key, value) in [
        ("reason", reason),
        ("interface", "inside0"),
        ("hook", "xdp"),
        ("source", "10.10.1.1"),
        ("destination", "203.0.113.10"),
        ("protocol", "udp"),
    ] {
        assert_eq!(line[key], value, "{line}");
    }
    let ports = (
        number(&line["source_port"]),
        number(&line["destination_port"]),
    );
    assert_eq!(ports, (39_999, 5060));
    let shown = "inside0 xdp source_port_out_of_range 10.10.1.1:39999 > 203.0.113.10:5060 udp";
    assert!(text.stdout.contains(shown), "{}", text.stdout);
    assert!(
        text.stdout.contains("check the ports provisioned"),
        "{}",
        text.stdout
    );
    bed.finish();
}

#[test]
fn every_command_speaks_json() {
    let bed = Bed::new();
    talk(&bed);
    let memory = bed.json(&["memory"]);
    let maps = memory["maps"].as_array().unwrap();
    let sum: u64 = maps.iter().map(|map| number(&map["bytes"])).sum();
    assert_eq!(number(&memory["total_bytes"]), sum);
    assert!(maps.iter().any(|map| map["map"] == "LEAVES"), "{memory}");
    let status = bed.json(&["status"]);
    assert_eq!(
        (&status["dataplane"], &status["reload"]["ok"]),
        (&"fresh".into(), &true.into())
    );
    let interfaces: Vec<&str> = status["interfaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["name"].as_str().unwrap())
        .collect();
    assert_eq!(interfaces, ["inside0", "uplink0"]);
    let bindings = bed.json(&["bindings", "list"]);
    let first = &bindings[0];
    // IP header, UDP header, "hello".
    let bytes = (number(&first["out_bytes"]), number(&first["in_bytes"]));
    assert_eq!(bytes, (3 * 33, 3 * 33), "{first}");
    let file = bed.gateway.directory().join("gateway.toml");
    let file = file.to_str().unwrap();
    let checked = bed.json(&["check", file]);
    assert_eq!(
        (&checked["ok"], &checked["bindings"], &checked["problems"]),
        (&true.into(), &2.into(), &Value::Array(Vec::new()))
    );
    bed.gateway
        .write_config("[limits]\nbindings = 0\n")
        .unwrap();
    let output = bed.gateway.ctl(&["check", file, "-o", "json"]).unwrap();
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""));
    let checked: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(checked["ok"], false);
    assert_eq!(checked["problems"][2]["line"], 2, "{checked}");
    for command in ["status", "counters", "bindings", "memory"] {
        let text = bed.gateway.ctl(&[command]).unwrap();
        assert_eq!(text.code, Some(0), "{text:?}");
        assert!(
            !text.stdout.is_empty() && text.stderr.is_empty(),
            "{text:?}"
        );
    }
    bed.finish();
}
