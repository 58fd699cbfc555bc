//! The demonstration: two customers' sites in network namespaces, phones that boot and call, and
//! where their media went.
//!
//! | file | what it does |
//! |---|---|
//! | `boot.rs` | phones lease, fetch and register |
//! | `calls.rs` | calls, and the table at the end |
//! | `besides.rs` | what gateways do for other packets |
//! | `play.rs` | `--keep`: the network stands, phones do what is typed |
//!
//! Nothing that is shown is known before: it is what phones, captures and `gateway-ctl` have told,
//! held against what was promised.

mod besides;
mod boot;
mod calls;
mod play;

use anyhow::Result;

use crate::two_sites::Hosted;
use crate::wait::now;

const PICTURE: &str = r"
  site A                                                                  site B
  a1 10.10.1.1 --+                                                   +-- b1 10.10.1.1
                 +-- gateway 192.0.2.1 -- internet -- 192.0.2.129 gateway
  a2 10.10.1.2 --+                         |    |
                         switch 203.0.113.5      203.0.113.20 trunk gateway of a carrier
";

/// What was shown, and what came out otherwise than promised.
#[derive(Debug)]
struct Shown {
    what: String,
    saw: String,
    wrong: Vec<String>,
}

impl Shown {
    fn print(&self) {
        let mark = if self.wrong.is_empty() {
            "ok  "
        } else {
            "FAIL"
        };
        println!("{mark} {}\n     {}", self.what, self.saw);
        for wrong in &self.wrong {
            println!("     wrong: {wrong}");
        }
    }
}

/// Runs the demonstration; with `keep` all stays until that is ended.
///
/// # Errors
/// When the network cannot be set up, or something did not come out as promised.
pub fn run(keep: bool) -> Result<()> {
    let start = now();
    println!(
        "Two customers' sites with a gateway each, the soft switch of their operator, and a carrier:"
    );
    println!("all of it in network namespaces of this machine.\n{PICTURE}");
    let mut hosted = Hosted::start()?;
    let mut shown = Vec::new();
    let mut show = |one: Vec<Shown>| {
        one.iter().for_each(Shown::print);
        shown.extend(one);
    };
    println!("Phones are switched on: DHCP, an image over TFTP, H.248.");
    show(boot::phones(&mut hosted)?);
    println!("\nThey call each other, and a number of the carrier's.");
    let mut made = Vec::new();
    for plan in calls::PLANS {
        let (call, what) = calls::make(&mut hosted, plan)?;
        show(vec![what]);
        made.push(call);
    }
    println!("\nBesides:");
    for step in besides::ALL {
        show(vec![step(&mut hosted)?]);
    }
    println!("\n{}", calls::table(&made)?);
    println!("`gateway-ctl calls history` at the switch:\n");
    println!("{}", hosted.switch.ctl(&["calls", "history"])?.stdout);
    let wrong = shown.iter().filter(|shown| !shown.wrong.is_empty()).count();
    let (all, time) = (shown.len(), start.elapsed().as_secs());
    if wrong == 0 {
        println!("All {all} came out as promised, in {time} s.");
    }
    if keep {
        play::stay(&mut hosted)?;
    }
    anyhow::ensure!(
        wrong == 0,
        "{wrong} of {all} did not come out as promised: see FAIL above"
    );
    Ok(())
}
