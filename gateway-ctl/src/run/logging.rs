//! Log lines: text for people, JSON for programs.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What log lines look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// Text.
    #[default]
    Text,
    /// One JSON object to a line.
    Json,
}

/// Starts logging to standard error; `debug` adds what is of use to developers,
/// phones' addresses included.
pub(super) fn start(format: LogFormat, debug: bool) {
    let level = if debug {
        LevelFilter::DEBUG
    } else {
        LevelFilter::INFO
    };
    // The loader has a line for each of thousands of relocations.
    let quiet = LevelFilter::INFO;
    let filter = Targets::new()
        .with_default(level)
        .with_targets(["aya", "aya_obj"].map(|target| (target, quiet)));
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => {
            let ansi = std::io::stderr().is_terminal();
            builder.with_ansi(ansi).finish().with(filter).init();
        }
        LogFormat::Json => builder.json().finish().with(filter).init(),
    }
}
