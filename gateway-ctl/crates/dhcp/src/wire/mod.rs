//! Messages as bytes (RFC 2131 section 2, RFC 2132).
//!
//! | file | what it does |
//! |---|---|
//! | `request.rs` | a client's message, checked |
//! | `options.rs` | its options |
//! | `reply.rs` | our message, as small as the client wants it |
//! | `encode.rs` | values of options |
//! | `vendor.rs` | the range and the switches as sub-options, and option 159 |

pub(crate) mod encode;
pub(crate) mod options;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod vendor;

/// Numbers of options (RFC 2132 unless said otherwise).
pub(crate) mod code {
    pub(crate) const SUBNET_MASK: u8 = 1;
    pub(crate) const ROUTER: u8 = 3;
    pub(crate) const HOST_NAME: u8 = 12;
    pub(crate) const VENDOR_SPECIFIC: u8 = 43;
    pub(crate) const REQUESTED_ADDRESS: u8 = 50;
    pub(crate) const LEASE_TIME: u8 = 51;
    pub(crate) const OVERLOAD: u8 = 52;
    pub(crate) const MESSAGE_TYPE: u8 = 53;
    pub(crate) const SERVER_IDENTIFIER: u8 = 54;
    pub(crate) const PARAMETER_LIST: u8 = 55;
    pub(crate) const MESSAGE: u8 = 56;
    pub(crate) const MESSAGE_SIZE: u8 = 57;
    pub(crate) const RENEWAL_TIME: u8 = 58;
    pub(crate) const REBINDING_TIME: u8 = 59;
    pub(crate) const VENDOR_CLASS: u8 = 60;
    pub(crate) const CLIENT_IDENTIFIER: u8 = 61;
    pub(crate) const TFTP_SERVER: u8 = 66;
    pub(crate) const BOOT_FILE: u8 = 67;
    /// RFC 3046.
    pub(crate) const RELAY_INFORMATION: u8 = 82;
    /// RFC 3011.
    pub(crate) const SUBNET_SELECTION: u8 = 118;
    /// RFC 3925.
    pub(crate) const VENDOR_IDENTIFYING: u8 = 125;
    /// RFC 5859.
    pub(crate) const TFTP_ADDRESSES: u8 = 150;
    /// RFC 7618.
    pub(crate) const PORT_PARAMETERS: u8 = 159;
    pub(crate) const PAD: u8 = 0;
    pub(crate) const END: u8 = 255;
}
