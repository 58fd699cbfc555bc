//! The demonstration: a customer site in network namespaces, and what the gateway
//! does there.
//!
//! ```text
//!  phone1 10.10.1.1  192.0.2.1:40000-40063 --+            +-- internet 203.0.113.10
//!                                            +-- router --+
//!  phone2 10.10.1.2  192.0.2.1:40064-40127 --+            (one public address, 192.0.2.1)
//!  phone3 asks by DHCP ----------------------+
//! ```

mod steps;

use std::io::Write as _;

use anyhow::Result;

use crate::site::{Gateway, Site};

const CONFIG: &str = r#"# Two phones behind one public address; others are leased theirs.
[state]
directory = "{dir}/state"

[metrics]
listen = "127.0.0.1:9630"

[[inside]]
interface = "inside0"
networks = ["10.10.0.0/16"]

[[outside]]
interface = "uplink0"

[[pool]]
addresses = ["192.0.2.1"]

[[binding]]
name = "phone 1"
private = "10.10.1.1"
public = "192.0.2.1"
ports = "40000-40063"

[[binding]]
name = "phone 2"
private = "10.10.1.2"
public = "192.0.2.1"
ports = "40064-40127"

[dhcp]

[[scope]]
interface = "inside0"
network = "10.10.0.0/16"
addresses = ["10.10.2.1-10.10.2.250"]
routers = ["10.10.0.1"]

[[class]]
name = "phone"
vendor_classes = ["MyPhone*"]
ports = 64
"#;

/// What was shown, and whether it came out as promised.
#[derive(Debug)]
struct Shown {
    what: &'static str,
    saw: String,
    right: bool,
}

/// Runs the demonstration; with `keep` it waits for Enter before all goes away.
///
/// # Errors
/// When the network cannot be set up, or something did not come out as promised.
pub fn run(keep: bool) -> Result<()> {
    println!("Setting up: three phones, a router with the gateway, a host on the internet ...\n");
    let site = Site::builder().phones(3).build()?;
    let mut gateway = site.gateway(CONFIG)?;
    print!("{}", gateway.ctl(&["status"])?.stdout);
    println!();
    let mut shown = Vec::new();
    for step in steps::ALL {
        let result = step(&site, &mut gateway)?;
        println!(
            "{} {}\n     {}",
            if result.right { "ok  " } else { "FAIL" },
            result.what,
            result.saw
        );
        shown.push(result);
    }
    println!();
    for command in [&["bindings"][..], &["counters"]] {
        print!("{}", gateway.ctl(command)?.stdout);
        println!();
    }
    if keep {
        stay(&site, &gateway)?;
    }
    let wrong = shown.iter().filter(|shown| !shown.right).count();
    anyhow::ensure!(
        wrong == 0,
        "{wrong} of {} steps did not come out as promised",
        shown.len()
    );
    println!("All {} steps came out as promised.", shown.len());
    Ok(())
}

/// Says how to look around, and waits.
fn stay(site: &Site, gateway: &Gateway) -> Result<()> {
    let binary = std::env::current_exe()?.with_file_name("gateway-ctl");
    let ctl = format!(
        "{} --socket {}",
        binary.display(),
        gateway.socket().display()
    );
    println!("The network stands. In another terminal, as root:\n");
    println!("  {ctl} status");
    println!("  {ctl} trace                    # then make a drop:");
    println!(
        "  ip netns exec {} python3 -c 'import socket; socket.socket(socket.AF_INET, \
         socket.SOCK_DGRAM).sendto(b\"x\", (\"203.0.113.10\", 9))'",
        site.phone(1).ns.name()
    );
    println!(
        "  ip netns exec {} ping 203.0.113.10",
        site.phone(1).ns.name()
    );
    println!(
        "  ip netns exec {} curl -s 127.0.0.1:9630/metrics",
        site.router.name()
    );
    print!("\nEnter ends it. ");
    std::io::stdout().flush()?;
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
