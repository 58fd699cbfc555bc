//! Public addresses against those that the machine really has.

use std::net::Ipv4Addr;

use crate::api::types::Warning;
use crate::net::Links;
use crate::run::Gateway;

use super::{critical, warning};

pub(super) fn check(gateway: &Gateway, links: &Links, found: &mut Vec<Warning>) {
    let pool = &gateway.plan.config.pool;
    let (mut own, mut foreign) = (Vec::new(), Vec::new());
    for (address, public) in pool.iter() {
        match (public.shared, links.has_address(address)) {
            (false, true) => own.push(address),
            (true, false) => foreign.push(address),
            _ => {}
        }
    }
    if !own.is_empty() {
        found.push(critical(
            format!(
                "the router has {} too, but the pool says it has not: packets to the router's own \
                 ports there are dropped",
                some(&own)
            ),
            "set shared_with_router = true in that [[pool]], or take the address off the router",
        ));
    }
    if !foreign.is_empty() {
        found.push(warning(
            format!(
                "the pool says that the router has {} too, but it has not",
                some(&foreign)
            ),
            "set shared_with_router = false in that [[pool]], or give the router the address",
        ));
    }
}

/// The first few.
fn some(addresses: &[Ipv4Addr]) -> String {
    let mut text: Vec<String> = addresses.iter().take(3).map(ToString::to_string).collect();
    if addresses.len() > 3 {
        text.push(format!("{} more", addresses.len() - 3));
    }
    text.join(", ")
}
