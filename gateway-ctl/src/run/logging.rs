//! Log lines: text for people, JSON for programs.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::LevelFilter;

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
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
}
