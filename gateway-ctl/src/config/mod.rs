//! The configuration file: read whole, checked whole, valid by construction.
//!
//! [`load`] gives a [`Config`] in which everything holds (ranges do not overlap,
//! bindings lie in inside networks and in the pool, limits suffice), or *all* that
//! is wrong, each [`Problem`] with file, line and what to do about it.
//!
//! | file | what it does |
//! |---|---|
//! | `load.rs` | file -> document -> sections -> [`Config`] |
//! | `section.rs`, `suggest.rs` | a table's keys: typed, unknown ones named, "did you mean" |
//! | `values.rs` | addresses, networks, ports from text |
//! | `settings.rs` | `[dataplane] [limits] [api] [metrics] [state]` |
//! | `sides.rs` | `[[inside]]`, `[[outside]]` |
//! | `pool.rs` | `[[pool]]` |
//! | `dhcp/` | `[dhcp]`, `[[scope]]`, `[[class]]`, `[[reservation]]` |
//! | `bindings.rs`, `csv.rs` | `[[binding]]`, `[[bindings_from]]` |
//! | `provision.rs`, `templates.rs`, `phones.rs` | `[provision]`, `[[template]]`, `[[phone]]` |
//! | `trials.rs` | templates, tried with invented phones |
//! | `switch.rs`, `switch/` | `[switch]`, `[sip]`, `[[line]]`, `[[trunk]]`, `[[route]]`, `[[site]]` |
//! | `ledger.rs` | who has which address and ports: no two the same |
//! | `capacity.rs` | whether limits suffice |
//! | `report.rs` | problems and where they are |

mod bindings;
mod capacity;
mod csv;
mod dhcp;
mod ledger;
mod load;
mod phones;
mod pool;
mod provision;
mod report;
mod section;
mod settings;
mod sides;
mod suggest;
mod switch;
mod templates;
mod trials;
mod values;

#[cfg(test)]
mod tests;

pub(crate) use bindings::{conflicting, misplaced};
pub(crate) use capacity::{most_leases, too_small_a_range};
pub(crate) use dhcp::Dhcp;
pub(crate) use ledger::{Conflict, Entry, Ledger, Origin};
pub(crate) use load::{Config, Loaded, load};
pub(crate) use provision::Provision;
pub(crate) use report::{Place, Problem, Problems};
pub(crate) use settings::{DEFAULT_PIN_DIRECTORY, DEFAULT_SOCKET, Settings};
pub(crate) use suggest::closest;
pub(crate) use switch::Switch;
pub(crate) use values::{Wrong, address, port_range};
