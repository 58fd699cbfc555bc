//! Calls: a switch that cannot serve.

use crate::api::types::Warning;
use crate::run::Gateway;

use super::critical;

pub(super) fn check(gateway: &Gateway, found: &mut Vec<Warning>) {
    if let Some(trouble) = &gateway.telephony_trouble {
        found.push(critical(
            format!("phones cannot call: {trouble}"),
            "it is tried again every 10 seconds",
        ));
    }
}
