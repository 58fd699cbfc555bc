//! Files for phones: what TFTP and HTTP serve, and what phones leave behind.
//!
//! | file | what it does |
//! |---|---|
//! | `files.rs` | [`Files`], the contract with TFTP and HTTP |

mod files;

#[expect(unused_imports, reason = "the protocols take them up next")]
pub(crate) use files::{Content, Files, Refused, Source, Upload};
