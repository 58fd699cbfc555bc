//! Phones lease an address and ports, fetch their image, and register.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Shown;
use crate::two_sites::Hosted;
use crate::two_sites::hosted::Booted;

/// Switches them on; one line for each.
pub(super) fn phones(hosted: &mut Hosted) -> Result<Vec<Shown>> {
    let booted = hosted.boot()?;
    let registered = hosted.switch.ctl(&["phones", "-o", "json"])?.json()?;
    let registered = registered.as_array().context("no array")?;
    let lines = booted.iter().map(|one| line(hosted, one, registered));
    lines.collect()
}

fn line(hosted: &mut Hosted, booted: &Booted, registered: &[Value]) -> Result<Shown> {
    let Booted {
        phone,
        leased,
        image,
        registered: heard,
    } = booted;
    let private = text(leased, "address")?;
    let public = text(leased, "public_address")?;
    let ports = format!("{}-{}", leased["first_port"], leased["last_port"]);
    let gateway = hosted.gateway(phone.side);
    let lease = gateway
        .ctl(&["leases", "show", private, "-o", "json"])?
        .json()?;
    let mut wrong = Vec::new();
    let lease = &lease[0];
    if lease["public"] != public || lease["ports"] != *ports || lease["state"] != "active" {
        wrong.push(format!("the gateway's lease is {lease}"));
    }
    // Two phones call themselves by one private address: where they come from tells them apart.
    let same = |one: &&Value| one["public"] == public && one["private"] == private;
    match registered.iter().find(same) {
        Some(one) if one["service"] == "up" => {}
        other => wrong.push(format!("the switch has {other:?}")),
    }
    let saw = format!(
        "{private} at home, {public} with ports {ports} outside; {} of {} bytes; registered in {} ms",
        text(image, "name")?,
        image["bytes"],
        heard["took_ms"].as_f64().unwrap_or(f64::NAN).round(),
    );
    Ok(Shown {
        what: format!(
            "{} at site {:?} boots, and has the number {}",
            phone.name, phone.side, phone.number
        ),
        saw,
        wrong,
    })
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("no {key} in {value}"))
}
