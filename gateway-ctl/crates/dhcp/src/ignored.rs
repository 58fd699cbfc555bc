//! Why a message is not answered.

use crate::labels::labelled;

labelled! {
    /// Why a message is not answered: counter, metric label and help in one.
    Ignored {
        /// Fewer than 240 bytes.
        TooShort, "too_short", "shorter than a DHCP header";
        /// More than any client sends.
        TooLong, "too_long", "longer than 2048 bytes";
        /// `op` is not BOOTREQUEST.
        NotARequest, "not_a_request", "a reply: another server or a relay sends to our port";
        /// `hlen` over 16.
        BadHardware, "bad_hardware", "a hardware address that does not fit the header";
        /// Options that contradict themselves.
        BadOptions, "bad_options", "options that are cut short, or of a wrong length";
        /// A message type that clients do not send.
        UnexpectedType, "unexpected_type", "a message type that no client sends";
        /// Neither client identifier nor hardware address.
        NoIdentity, "no_identity", "neither a client identifier nor a hardware address";
        /// Came in where nothing is configured.
        UnknownInterface, "unknown_interface", "came in on an interface without address or configuration";
        /// To somebody else.
        NotForUs, "not_for_us", "to another address than the server's";
        /// No scope for its link.
        NoScope, "no_scope",
            "from a network that no scope describes: add a scope, or check the relay's address";
        /// Its hardware address is not on the list.
        MacNotAllowed, "mac_not_allowed", "its hardware address is in no range of allow_macs";
        /// No class takes it.
        NoClass, "no_class", "no class names its hardware address, vendor class or identifier";
        /// The client took another server's offer.
        OtherServer, "other_server", "the client took another server's offer";
        /// Names no address where it must.
        NoAddress, "no_address", "a request that does not name an address";
        /// Asks for an address that we know nothing about (RFC 2131 section 4.3.2).
        UnknownClient, "unknown_client",
            "a client that boots with an address it did not get here: another server's";
        /// Ends a lease that is not the client's.
        NotTheirs, "not_theirs", "a RELEASE or DECLINE of an address that is not the client's";
        /// Nothing of the scope is left.
        AddressesExhausted, "addresses_exhausted",
            "no free address: widen the scope, or add a subnet to the wire";
        /// Nothing of the pool is left.
        PortsExhausted, "ports_exhausted", "no free range: add public addresses to the pool";
        /// BOOTP is off.
        BootpOff, "bootp_off", "a BOOTP client where the scope does not serve them";
        /// The answer waits for the disk.
        Committing, "committing", "asked again while the answer waits for the disk";
        /// The offer waits for the probe.
        Probing, "probing", "asked again while the address is probed";
    }
}
