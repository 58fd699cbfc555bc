//! Scripts: what users do, and what must happen, a command a line.
//!
//! ```text
//!   default protocol=h248 switch=192.0.2.1
//!   phone a1 address=10.0.0.1 ports=1024-1087
//!   phone a2 address=10.0.0.2 ports=1088-1151 number=5002
//!
//!   all expect registered
//!   a1 dial a2
//!   a2 expect ringing
//!   a2 answer
//!   a1,a2 expect talking private within 5s
//!   all talk 2s
//!   a1 expect media lost<=1% tone=a2 source=remote
//!   a1 hangup
//! ```
//!
//! Nothing sleeps: every command waits for what it is about, with a deadline. `talk` lets media
//! flow for a time, and fails if it does not.
//!
//! | file | what it does |
//! |---|---|
//! | `parse.rs`, `words.rs` | lines to commands |
//! | `expect.rs` | whether what is expected is so |
//! | `media.rs` | checks of a stream's figures |
//! | `command.rs` | a command from its begin to its end |
//! | `load.rs` | many phones at a rate |
//! | `run.rs` | command after command |
//! | `source.rs` | where lines come from: a file, or a stream as it is written |

mod command;
mod expect;
mod load;
mod media;
mod parse;
mod run;
mod source;
mod words;

pub use run::{Outcome, run};
pub use source::Source;

/// Whether a line can be understood; a phone that it names may still not be there.
///
/// # Errors
/// When it cannot: why.
pub fn check(line: &str) -> anyhow::Result<()> {
    parse::Command::parse(line).map(drop)
}
