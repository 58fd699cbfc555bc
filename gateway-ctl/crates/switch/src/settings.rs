//! What the operator wants. Whoever fills this in has checked it.

use std::time::Duration;

use megaco::{Mid, TerminationId};

use crate::address::Sites;
use crate::dial_plan::{Number, Prefix};
use crate::identity::GatewayId;

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Who we are to media gateways.
    pub mid: Mid,
    /// Who may register.
    pub admission: Admission,
    /// Numbers, and whose they are.
    pub lines: Vec<Line>,
    /// Numbers that lead to trunks, by how they begin.
    pub prefixes: Vec<Prefix>,
    /// Gateways to other networks.
    pub trunks: Vec<Trunk>,
    /// Gateways whose public addresses are known.
    pub sites: Sites,
    /// Whether phones are given the dial plan as a digit map; else they tell digits one by one.
    pub digit_maps: bool,
    /// How long it rings.
    pub no_answer: Duration,
    /// How long the next digit is waited for, where digits come one by one.
    pub next_digit: Duration,
    /// A gateway that has nothing to say says so after this time; after three it is lost.
    pub heartbeat: Duration,
    /// How long a gateway is remembered that is heard of no more.
    pub remember: Duration,
    /// SIP; `None`: it is not spoken.
    pub sip: Option<crate::sip::Settings>,
    /// Gateways that one phone with a lease may be.
    pub registrations_per_phone: usize,
    /// Gateways that may be at one public address of which nothing else is known.
    pub registrations_per_address: usize,
}

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Those that have a line or a trunk here.
    Listed,
    /// Those, and whoever has a lease of this gateway.
    Leased,
    /// Everybody.
    Anybody,
}

/// A number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number.
    pub number: Number,
    /// Whose it is.
    pub owner: Owner,
    /// Which of its lines; [`Line::OF_A_USER`] by SIP.
    pub termination: TerminationId,
}

impl Line {
    /// What stands for a termination where there is none.
    pub const OF_A_USER: TerminationId = TerminationId::Root;
}

/// Whose a line is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The phone that has a lease with this hardware address.
    Mac([u8; 6]),
    /// This media gateway.
    Gateway(GatewayId),
    /// Who registers by SIP with this name.
    User(String),
}

/// A way to other networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// Its name, in prefixes.
    pub name: String,
    /// What is there.
    pub way: Way,
}

/// What is at the other end of a trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A media gateway, and which of its terminations, as `trunk/$`.
    Gateway(GatewayId, TerminationId),
    /// A SIP server, known by its address.
    Sip(sip::Peer),
}

impl Way {
    /// Whether this media gateway is there.
    #[must_use]
    pub fn is(&self, gateway: &GatewayId) -> bool {
        matches!(self, Self::Gateway(one, _) if one == gateway)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mid: Mid::Device(megaco::Name::literal("switch")),
            admission: Admission::Listed,
            lines: Vec::new(),
            prefixes: Vec::new(),
            trunks: Vec::new(),
            sites: Sites::default(),
            digit_maps: true,
            no_answer: Duration::from_secs(60),
            next_digit: Duration::from_secs(5),
            heartbeat: Duration::from_secs(30),
            remember: Duration::from_secs(86_400),
            sip: None,
            registrations_per_phone: 4,
            registrations_per_address: 1000,
        }
    }
}
