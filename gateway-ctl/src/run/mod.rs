//! The daemon: sockets and timers around the configuration and the dataplane.
//!
//! | file | what it does |
//! |---|---|
//! | `start.rs` | the order of things: privileges, plan, lock, dataplane, serve, ready |
//! | `plan.rs` | configuration + API's bindings + interfaces, checked together |
//! | `gateway.rs` | what runs: plan, dataplane, attachments |
//! | `reload.rs` | a new plan in place of the old, or all that is wrong with it |
//! | `leases/` | DHCP: from a phone's request to its binding |
//! | `switch/` | calls: from phones' messages to what phones are told |
//! | `interfaces.rs` | links come, go and change |
//! | `events.rs` | the dataplane's ring buffers -> `trace.rs`, `fragments.rs` |
//! | `trace.rs` | dropped packets to whoever listens |
//! | `fragments.rs` | fragments held until the first of their datagram has come |
//! | `provisioning.rs` | which files are served, where, and whose they are |
//! | `tftp/` | files to phones, and from them |
//! | `http/` | files for phones over HTTP |
//! | `signals.rs` | SIGHUP reloads, SIGTERM and SIGINT end |
//! | `privileges.rs`, `logging.rs`, `notify.rs`, `clock.rs`, `descriptor.rs` | the surroundings |

mod clock;
mod descriptor;
mod events;
mod fragments;
mod gateway;
mod http;
mod interfaces;
mod leases;
mod logging;
mod notify;
mod plan;
mod privileges;
mod provisioning;
mod reload;
mod signals;
mod start;
mod switch;
mod tftp;
mod trace;

pub(crate) use self::switch::{SIP_TRANSPORTS, Telephony, last_calls};
pub(crate) use clock::{LAST_SECOND, time_text};
pub(crate) use gateway::{Gateway, KnownInterface, Shared};
pub(crate) use leases::{Backup, Leases, Reading as ReadingBackup, backup_lines, import, owner_at};
pub(crate) use logging::LogFormat;
pub(crate) use plan::{FromApi, Plan, routers_own};
pub(crate) use provisioning::Provisioning;
pub(crate) use reload::{ReloadError, reload};
pub(crate) use start::run;
pub(crate) use tftp::counters::Refusal as TftpRefusal;
pub(crate) use trace::Listener;
