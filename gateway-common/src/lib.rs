//! What a packet means and what is done to it, for host and BPF alike.
//!
//! The packet's way: [`view`] gives checked access to its bytes, [`parse`] says
//! what it is, [`nat`] decides (look-ups through [`tables`]) and rewrites
//! (checksums by [`checksum`]), and [`verdict`] names how it ended. [`abi`] is
//! what the kernel and the controller share: map names, keys and values.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "testing"))]
#[macro_use]
extern crate std;

pub mod abi;
pub mod address_tree;
pub mod checksum;
pub mod headers;
pub mod icmp_answer;
pub mod interface_table;
pub mod nat;
pub mod parse;
pub mod port_range;
pub mod prefix;
pub mod tables;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod verdict;
pub mod view;

pub use port_range::PortRange;
pub use prefix::Prefix;
pub use verdict::{Outcome, Reason};
