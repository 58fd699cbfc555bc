//! `[dhcp]`, `[[scope]]`, `[[class]]`, `[[reservation]]`: who is leased what.
//!
//! | file | what it reads |
//! |---|---|
//! | `scope.rs` | networks and their addresses |
//! | `class.rs` | which clients are answered, and what they get |
//! | `shadow.rs` | classes whose clients another one has |
//! | `reservation.rs` | what a certain client always gets |
//! | `clients.rs` | hardware addresses, vendor classes, client identifiers |
//! | `options.rs` | options of all three |

mod class;
mod clients;
mod options;
mod reservation;
mod scope;
mod shadow;

pub(super) use clients::mac;

use std::time::Duration;

use dhcp::{Class, MacRange, Reservation, Scope};
use toml::de::DeValue;

use super::ledger::Ledger;
use super::pool::Pool;
use super::report::{Place, Report};
use super::section::Section;
use super::settings::Settings as General;
use super::sides::Inside;
use super::values;

/// What `[dhcp]` says, and all that belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Dhcp {
    /// Networks.
    pub(crate) scopes: Vec<Scope>,
    /// The line of each.
    pub(crate) scopes_at: Vec<Place>,
    /// Who is answered.
    pub(crate) classes: Vec<Class>,
    /// What certain clients get.
    pub(crate) reservations: Vec<Reservation>,
    /// The line of each.
    pub(crate) reservations_at: Vec<Place>,
    /// When not empty: whose hardware address is none of these is not answered.
    pub(crate) allow_macs: Vec<MacRange>,
    /// Times.
    pub(crate) times: Times,
}

/// How long things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// How long an answer to a probe is waited for; `None`: no probe.
    pub(crate) probe: Option<Duration>,
    /// How long an offer stands.
    pub(crate) offer: Duration,
    /// How long a range rests before another phone has it.
    pub(crate) rest: Duration,
    /// How long an address that a client declined is left alone.
    pub(crate) decline: Duration,
    /// How long it is remembered which address and range a client had.
    pub(crate) remember: Duration,
    /// How long the history of leases is kept.
    pub(crate) history: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Packets to a range's former phone are on their way for so long (RFC 6056 and its
/// TIME-WAIT: two maximum segment lifetimes).
const SHORTEST_REST: Duration = Duration::from_secs(120);

/// Clients ask again after 4 seconds (RFC 2131 section 4.1), and another server after that.
const LONGEST_PROBE: Duration = Duration::from_secs(4);

impl Default for Times {
    fn default() -> Self {
        Self {
            probe: Some(Duration::from_millis(400)),
            offer: Duration::from_secs(60),
            rest: SHORTEST_REST,
            decline: DAY,
            remember: 30 * DAY,
            history: 90 * DAY,
        }
    }
}

/// Keys of `[dhcp]`.
pub(super) const KEYS: &[&str] = &[
    "probe",
    "offer",
    "rest",
    "decline",
    "remember",
    "history",
    "allow_macs",
];

/// The sections of one configuration.
pub(super) struct Sections<'a> {
    pub(super) dhcp: Option<Section<'a>>,
    pub(super) scopes: Vec<Section<'a>>,
    pub(super) classes: Vec<Section<'a>>,
    pub(super) reservations: Vec<Section<'a>>,
}

/// Keys of `[[scope]]`, `[[class]]` and `[[reservation]]`, in this order.
pub(super) fn keys() -> [Vec<&'static str>; 3] {
    [scope::KEYS, class::KEYS, reservation::KEYS].map(|own| [own, options::KEYS].concat())
}

impl Sections<'_> {
    /// Reads and checks them. `None`: there is no `[dhcp]`, and nobody is leased anything.
    pub(super) fn read(
        &self,
        general: &General,
        inside: &[Inside],
        pool: &Pool,
        ledger: &Ledger,
        report: &Report,
    ) -> Option<Dhcp> {
        let Some(section) = &self.dhcp else {
            let rest = [&self.scopes, &self.classes, &self.reservations];
            if let Some(lonely) = rest.into_iter().flatten().next() {
                lonely.problem(
                    lonely.at,
                    "leases are configured, and DHCP is not turned on",
                    "add [dhcp], which may be empty",
                );
            }
            return None;
        };
        let times = times(section);
        let allow_macs = section.all_checked("allow_macs", "[\"00:15:65:*\"]", clients::mac_range);
        let read = self
            .scopes
            .iter()
            .filter_map(|section| scope::read(section, inside));
        let scopes: Vec<scope::ReadScope> = read.collect();
        scope::check(&scopes, report);
        let read = self
            .classes
            .iter()
            .filter_map(|section| class::read(section, pool));
        let classes: Vec<class::ReadClass> = read.collect();
        class::check(&classes, pool, general.limits.smallest_range, report);
        shadow::check(&classes, report);
        class::check_allowed(&classes, &allow_macs, report);
        for (sections, message, fix) in [
            (
                &self.scopes,
                "no scope: there is no address to lease",
                "add [[scope]] with interface, network and addresses",
            ),
            (
                &self.classes,
                "no class: no client would be answered",
                "add [[class]] with name, and vendor_classes or macs",
            ),
        ] {
            if sections.is_empty() {
                report.missing(section.at, message, fix);
            }
        }
        let scopes_at = scopes.iter().map(|read| read.at).collect();
        let scopes: Vec<Scope> = scopes.into_iter().map(|read| read.scope).collect();
        let classes: Vec<Class> = classes.into_iter().map(|read| read.class).collect();
        let smallest = general.limits.smallest_range;
        let read = self.reservations.iter();
        let read = read
            .filter_map(|section| reservation::read(section, &scopes, &classes, pool, smallest));
        let reservations: Vec<reservation::ReadReservation> = read.collect();
        reservation::check(&reservations, pool, ledger, report);
        let reservations_at = reservations.iter().map(|read| read.at).collect();
        let reservations = reservations.into_iter().map(|read| read.reservation);
        let reservations = reservations.collect();
        Some(Dhcp {
            scopes,
            scopes_at,
            classes,
            reservations,
            reservations_at,
            allow_macs,
            times,
        })
    }
}

fn times(section: &Section<'_>) -> Times {
    let mut times = Times::default();
    let span = |key, least: Duration, example| {
        let text = section.string(key, example);
        let found = section.checked(text, values::duration)?;
        if found.value < least {
            let least = humantime::format_duration(least);
            let message = format!("`{key}` in [dhcp] is too short, expected {least} or more");
            section.problem(found.at, message, format!("write {key} = \"{least}\""));
            return None;
        }
        Some(found.value)
    };
    let second = Duration::from_secs(1);
    let set = |time: &mut Duration, found: Option<Duration>| {
        if let Some(found) = found {
            *time = found;
        }
    };
    set(&mut times.offer, span("offer", second, "\"60s\""));
    set(&mut times.rest, span("rest", SHORTEST_REST, "\"120s\""));
    set(&mut times.decline, span("decline", second, "\"1day\""));
    set(&mut times.remember, span("remember", second, "\"30days\""));
    set(&mut times.history, span("history", second, "\"90days\""));
    let off = matches!(section.value("probe"), Some((DeValue::String(text), _)) if text == "off");
    if off {
        times.probe = None;
    } else if let Some(probe) = span("probe", Duration::from_millis(10), "\"400ms\"") {
        times.probe = Some(probe);
        if let Some((_, at)) = section.value("probe").filter(|_| probe > LONGEST_PROBE) {
            let longest = humantime::format_duration(LONGEST_PROBE);
            let message = format!("`probe` in [dhcp] is too long, expected {longest} or less");
            let fix = "clients do not wait for so long: write probe = \"400ms\"";
            section.problem(at, message, fix);
        }
    }
    times
}
