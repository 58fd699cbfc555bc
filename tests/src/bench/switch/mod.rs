//! How the switch is measured, beside Erlang/OTP's megaco (H.248) and Kamailio (SIP).
//!
//! | file | what it measures, or with what |
//! |---|---|
//! | `codec.rs` | messages of H.248 read and written in a second |
//! | `registrations.rs` | registrations of H.248 a second |
//! | `calls.rs` | calls of H.248: how many, how fast, what they take |
//! | `many.rs` | 100,000 registered phones |
//! | `h248/` | any number of phones of H.248 |
//! | `sip/` | the same in SIP, beside Kamailio |
//! | `socket.rs` | any address of the phones' network, by one socket |
//! | `gateway.rs`, `place.rs` | the daemon; the namespaces and the plan of addresses |
//! | `erlang.rs`, `peers/` | the peers' programs and settings |

mod calls;
mod codec;
mod erlang;
mod gateway;
mod h248;
mod many;
mod place;
mod registrations;
mod sip;
mod socket;

use std::time::Duration;

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
    /// Complete calls of H.248 a second, set-up time, memory of a call
    Calls,
    /// 100,000 registered phones: memory of each, time until ready after a kill
    Many,
    /// Registrations and calls of SIP a second, beside Kamailio
    Sip,
}

/// Measures what is asked for.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    type Measure = fn(&Options, &mut Report) -> Result<()>;
    let sections: [(Section, Measure); 5] = [
        (Section::Codec, codec::measure),
        (Section::Registrations, registrations::measure),
        (Section::Calls, calls::measure),
        (Section::Many, many::measure),
        (Section::Sip, sip::measure),
    ];
    for (section, measure) in sections {
        if options.only.is_empty() || options.only.contains(&section) {
            measure(options, report)?;
        }
    }
    Ok(())
}

/// The time, in milliseconds, within which this share of them was; they are sorted.
fn percentile(times: &[Duration], share: f64) -> f64 {
    let rank = (times.len() as f64 * share).ceil() as usize;
    let time = times.get(rank.max(1) - 1).copied().unwrap_or_default();
    time.as_secs_f64() * 1e3
}
