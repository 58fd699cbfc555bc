//! Files for phones: what TFTP and HTTP serve, and what phones leave behind.
//!
//! ```text
//!   TFTP, HTTP --Files--> Served --+--> Tree      files of the operator, below one directory
//!                           |      +--> Templates rendered for the phone (crate `provision`)
//!                        Phones    +--> Uploads   a folder for each phone, with a quota
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `files.rs` | [`Files`], the contract with TFTP and HTTP |
//! | `served.rs` | [`Served`]: which of the three answers, and to whom |
//! | `tree.rs` | opens a file below a directory, whatever links and races there are |
//! | `uploads.rs`, `quota.rs` | files on their way in; how much each phone may leave |

mod files;
mod quota;
mod served;
mod tree;
mod uploads;

pub(crate) use files::{Content, Files, Refused, Source, Upload};
pub(crate) use quota::Quota;
pub(crate) use served::{Phones, Served};
