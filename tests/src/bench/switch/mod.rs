//! How the switch is measured, beside Erlang/OTP's megaco (H.248) and Kamailio (SIP).
//!
//! | file | what it measures, or with what |
//! |---|---|
//! | `codec.rs` | messages of H.248 read and written in a second |
//! | `registrations.rs` | registrations of H.248 a second |
//! | `h248/` | any number of phones of H.248 |
//! | `gateway.rs`, `place.rs` | the daemon; the namespaces and the plan of addresses |
//! | `erlang.rs`, `peers/` | the peers' programs and settings |

mod codec;
mod erlang;
mod gateway;
mod h248;
mod place;
mod registrations;

use anyhow::Result;

use super::report::Report;

/// What is asked for.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// One JSON object per figure and line instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Fewer and shorter rounds
    #[arg(long)]
    quick: bool,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Section>,
}

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Section {
    /// Messages of H.248 a second, beside OTP's codec
    Codec,
    /// Registrations of H.248 a second, beside a controller of OTP
    Registrations,
}

/// Measures what is asked for.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    type Measure = fn(&Options, &mut Report) -> Result<()>;
    let sections: [(Section, Measure); 2] = [
        (Section::Codec, codec::measure),
        (Section::Registrations, registrations::measure),
    ];
    for (section, measure) in sections {
        if options.only.is_empty() || options.only.contains(&section) {
            measure(options, report)?;
        }
    }
    Ok(())
}
