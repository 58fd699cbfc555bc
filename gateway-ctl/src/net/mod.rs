//! What the machine itself says of its interfaces.
//!
//! | file | what it does |
//! |---|---|
//! | `netlink.rs` | a connection to the kernel, for one question |
//! | `links.rs` | links and their IPv4 addresses (rtnetlink), and word of their changes |
//! | `resolve.rs` | names of the configuration -> devices, VLAN tags, addresses |
//! | `own.rs` | what a configuration says of this router's own addresses |
//! | `ethtool.rs` | offloads that hide or merge packets before XDP sees them |

mod ethtool;
mod links;
mod netlink;
mod own;
mod resolve;

pub(crate) use ethtool::{Features, enabled_features};
pub(crate) use links::{Link, Links, Watch};
pub(crate) use own::{reserved_of_router, tftp_that_is_off};
pub(crate) use resolve::{resolve, scopes_without_address};
