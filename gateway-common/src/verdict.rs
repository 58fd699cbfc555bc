//! How a packet ends: one list, from the XDP verdict to the metric label to the
//! trace line.
//!
//! A [`Reason`] is the index of its counter ([`Reason::index`]), the label of its
//! metric and the word in `gateway-ctl trace` ([`Reason::label`]). Its
//! [`Outcome`] says what became of the packet, so that for every interface
//! `received = redirected + passed + dropped` holds by construction.

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Translated and sent on to another (or the same) interface.
    Redirected,
    /// Left to the kernel's own network stack.
    Passed,
    /// Ended here.
    Dropped,
}

impl Outcome {
    /// The word used in metrics and tables.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Redirected => "redirected",
            Self::Passed => "passed",
            Self::Dropped => "dropped",
        }
    }
}

macro_rules! reasons {
    ($( $(#[$doc:meta])* $name:ident = $index:literal, $outcome:ident, $label:literal, $help:literal; )*) => {
        /// Why a packet ended as it did.
        #[repr(u8)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $( $(#[$doc])* $name = $index, )* }

        impl Reason {
            /// Every reason, in the order of their counters.
            pub const ALL: &'static [Self] = &[ $( Self::$name, )* ];

            /// What became of a packet that ended for this reason.
            #[must_use]
            pub const fn outcome(self) -> Outcome {
                match self { $( Self::$name => Outcome::$outcome, )* }
            }

            /// The metric's label value and the word in a trace line.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $( Self::$name => $label, )* }
            }

            /// What it means and, where something is wrong, what to do.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $( Self::$name => $help, )* }
            }

            /// The reason with this counter index.
            #[must_use]
            pub const fn from_index(index: u8) -> Option<Self> {
                match index { $( $index => Some(Self::$name), )* _ => None }
            }
        }
    };
}

// Index 0 is the counter of received packets: see `abi::RECEIVED`.
reasons! {
    Outbound = 1, Redirected, "outbound",
        "private source replaced by the phone's public address";
    Inbound = 2, Redirected, "inbound",
        "public destination replaced by the phone's private address";
    Hairpin = 3, Redirected, "hairpin",
        "from one phone to another's public address, both addresses replaced";

    NotIpv4 = 8, Passed, "not_ipv4",
        "ARP, IPv6 and whatever else is not IPv4";
    UnknownInterface = 9, Passed, "unknown_interface",
        "came in on a VLAN or interface that the configuration does not name";
    Multicast = 10, Passed, "multicast",
        "multicast or broadcast: the kernel's (DHCP, IGMP, discovery)";
    NotTranslated = 11, Passed, "not_translated",
        "between addresses or interfaces that are none of ours: the kernel routes it";
    RouterLocal = 12, Passed, "router_local",
        "to an address of the router itself, or nowhere: check the default route";
    RouterPort = 13, Passed, "router_port",
        "to a port of a shared address that belongs to no range: the router's own";
    InsideToInside = 14, Passed, "inside_to_inside",
        "between two inside networks, by private addresses: the kernel routes it";
    UnboundHost = 15, Passed, "unbound_host",
        "from an inside host without a binding, left to the kernel as configured";
    NeighbourUnknown = 16, Passed, "neighbour_unknown",
        "handed to the tc stage, which resolves the next hop and sends it translated";
    StackEgress = 17, Passed, "stack_egress",
        "handed to the tc stage: the way out is a tunnel or a device without XDP transmit";
    NeedsFragmentation = 18, Passed, "needs_fragmentation",
        "larger than the next hop takes, without DF: the kernel fragments it";
    NoRouteOutbound = 19, Passed, "no_route_outbound",
        "no route to the destination: the kernel tells the sender; check the default route";
    Egress = 20, Passed, "egress",
        "left by an outside interface with a source that may leave";
    EgressTranslated = 21, Passed, "egress_translated",
        "left by an outside interface after the kernel routed it, source replaced on the way out";
    InboundToStack = 22, Passed, "inbound_to_stack",
        "translated towards the phone and given to the kernel, which fragments it";
    OtherHost = 23, Passed, "other_host",
        "a frame for another Ethernet address, seen because the device is promiscuous";
    EarlyFragmentShared = 24, Passed, "early_fragment_shared",
        "a fragment of a shared address ahead of its first one: the kernel has it, a copy is held";
    Tagged = 25, Passed, "tagged",
        "a tagged frame at tc, on its way from or to its VLAN device, where tc sees it untagged";

    Truncated = 32, Dropped, "truncated",
        "shorter than its headers say";
    BadHeader = 33, Dropped, "bad_header",
        "an IPv4 header that contradicts itself";
    TinyFragment = 34, Dropped, "tiny_fragment",
        "a fragment cut so as to hide its ports (RFC 1858, RFC 3128)";
    SourcePortOutOfRange = 35, Dropped, "source_port_out_of_range",
        "a phone sent from a port outside its range: check the ports provisioned on the phone";
    WrongInterface = 36, Dropped, "wrong_interface",
        "a bound address on another interface or VLAN than its own: spoofed, or the phone moved";
    UnboundSource = 37, Dropped, "unbound_source",
        "from an inside host without a binding: add one, or set unbound_hosts = \"kernel\"";
    SpoofedSource = 38, Dropped, "spoofed_source",
        "from outside with a source that is ours (RFC 2827)";
    InsideDestination = 39, Dropped, "inside_destination",
        "from outside straight to a private address";
    NoBinding = 40, Dropped, "no_binding",
        "to a public port that belongs to nobody";
    UnsupportedProtocol = 41, Dropped, "unsupported_protocol",
        "a protocol without ports cannot be translated by port range";
    UnsupportedIcmp = 42, Dropped, "unsupported_icmp",
        "an ICMP type that is neither echo nor an error";
    IcmpErrorUnmatched = 43, Dropped, "icmp_error_unmatched",
        "an ICMP error about a packet that is not ours";
    TtlExpired = 44, Dropped, "ttl_expired",
        "time to live used up; the sender was told, within the rate limit";
    TooBig = 45, Dropped, "too_big",
        "larger than the next hop takes, with DF; the sender was told, within the rate limit";
    HairpinTooBig = 46, Dropped, "hairpin_too_big",
        "between two phones by public addresses, without DF, larger than the inside link takes";
    NoRoute = 47, Dropped, "no_route",
        "no route to the phone's private address: check the inside interface's address and state";
    ForwardingDisabled = 48, Dropped, "forwarding_disabled",
        "the kernel does not forward here: sysctl -w net.ipv4.ip_forward=1";
    WrongEgress = 49, Dropped, "wrong_egress",
        "the route to the phone leads out of another interface than its own";
    FragmentHeld = 50, Dropped, "fragment_held",
        "a fragment ahead of its first one: held by the controller, sent on when that arrives";
    FragmentNotHeld = 51, Dropped, "fragment_not_held",
        "a fragment ahead of its first one, and no room to hold it";
    PrivateSourceLeak = 52, Dropped, "private_source_leak",
        "about to leave an outside interface with an inside source: caught at the door";
    RewriteFailed = 53, Dropped, "rewrite_failed",
        "the kernel refused to change the packet's size";
}

impl Reason {
    /// Index of this reason's counter in [`crate::abi::Counters`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}
