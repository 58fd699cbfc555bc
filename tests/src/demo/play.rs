//! The network stands, and phones do what is typed.

use std::io::{BufRead as _, Write as _};

use anyhow::{Context as _, Result};

use serde_json::Value;

use crate::phone::{Phones, script};
use crate::site::Gateway;
use crate::two_sites::{Hosted, PUBLIC_A};

/// Says how to look around, and does what is typed until that is `quit`, or nothing more comes.
pub(super) fn stay(hosted: &mut Hosted) -> Result<()> {
    commands(hosted)?;
    for line in prompt() {
        let line = line?;
        match line.trim() {
            "quit" | "exit" => break,
            line => match script::check(line) {
                Ok(()) => do_it(hosted, line)?,
                Err(why) => println!("  {why:#}"),
            },
        }
    }
    Ok(())
}

/// Has phones do a line, and says what happened.
fn do_it(hosted: &mut Hosted, line: &str) -> Result<()> {
    let told = hosted.phones.seen().len();
    let failed = hosted.phones.tell(line).err();
    let new = hosted.phones.seen()[told..].iter();
    for event in new.filter(|event| event["phone"].is_string()) {
        println!("  {}", in_words(event));
    }
    if let Some(why) = failed {
        println!(
            "  {}\n  That ends a script: all phones lose their power, and boot again.",
            why.root_cause()
        );
        hosted.phones = Phones::start();
        hosted.boot()?;
    }
    Ok(())
}

/// An event in a line: `a1 talking choice=public remote=192.0.2.1:40002`.
fn in_words(event: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let mut words = vec![text(&event["phone"]), text(&event["event"])];
    let fields = event.as_object().into_iter().flatten();
    let known = ["phone", "event", "line", "time"];
    let others = fields.filter(|(key, value)| !known.contains(&key.as_str()) && !value.is_null());
    words.extend(others.map(|(key, value)| format!("{key}={}", text(value))));
    words.join(" ")
}

/// Lines as they are typed, each behind a prompt.
fn prompt() -> impl Iterator<Item = std::io::Result<String>> {
    let mut lines = std::io::stdin().lock().lines();
    std::iter::from_fn(move || {
        print!("phones> ");
        // Without a prompt it works too.
        let _ = std::io::stdout().flush();
        lines.next()
    })
}

fn commands(hosted: &Hosted) -> Result<()> {
    let binary = std::env::current_exe()?.with_file_name("gateway-ctl");
    let ctl = |gateway: &Gateway| {
        let socket = gateway.socket();
        format!("{} --socket {}", binary.display(), socket.display())
    };
    let [a, b] = &hosted.gateways;
    println!("\nThe network stands. In another terminal, as root:\n");
    println!("  S=\"{}\"    # the switch", ctl(&hosted.switch));
    println!("  A=\"{}\"    # gateway A", ctl(a));
    println!("  B=\"{}\"    # gateway B", ctl(b));
    println!(
        "  $S phones; $S calls; $S calls history; $S calls trace 6001    # of a call of yours"
    );
    println!("  $A status; $A leases; $A bindings; $A who {PUBLIC_A}:40002; $A trace");
    for (site, name) in [(&hosted.sites.a, "A"), (&hosted.sites.b, "B")] {
        let (ns, interface) = (site.upstream.ns.name(), &site.upstream.name);
        println!("  ip netns exec {ns} tcpdump -ni {interface} udp    # uplink {name}");
    }
    let ns = hosted.sites.a.phone(1).ns.name();
    println!("  ip netns exec {ns} ping 203.0.113.10    # from a1");
    let files = hosted.switch.directory().join("gateway.toml");
    let directory = files.parent().context("no directory")?;
    println!("\nConfigurations are {}, and", files.display());
    for gateway in [a, b] {
        println!("  {}", gateway.directory().join("gateway.toml").display());
    }
    println!("The switch's log is {}.", directory.join("log").display());
    println!(
        "\nHere phones do what you type (docs/simulated-phone.md), and tell what happens:\n\n  \
         a1 dial b1\n  b1 expect ringing\n  b1 answer\n  a1,b1 expect talking\n  a1,b1 talk 2s\n  a1 hangup\n  b1 hangup\n\n`quit` ends it all.\n"
    );
    Ok(())
}
