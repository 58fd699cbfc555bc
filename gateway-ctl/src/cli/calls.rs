//! `calls [list|history|trace|end]`.

use anyhow::Result;
use clap::Subcommand;
use switch::Rung;
use switch::record::{CallRecord, LiveCall, LoggedEnd};

use super::output::{Format, Output, Table, print};
use crate::api::client::Client;
use crate::run::time_text;

/// Calls that are under way, and those that are over.
#[derive(Debug, clap::Args)]
pub(super) struct Calls {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Calls that are under way.
    List,
    /// Calls that are over, the last ones; with -o json a line for each.
    History {
        /// Only those of this number.
        #[arg(long)]
        number: Option<String>,
        /// So many at most.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// What was said in the last call of a number: its ladder.
    Trace {
        /// The number of one of the two.
        number: String,
    },
    /// End a call.
    End {
        /// Which, as `calls` numbers it.
        call: u64,
    },
}

impl Calls {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        match self.action {
            None | Some(Action::List) => {
                let all: Vec<LiveCall> = client.get("/v1/calls").await?;
                if self.output.format == Format::Text && all.is_empty() {
                    return print("no calls\n");
                }
                self.output.print(&all, |all| live(all))
            }
            Some(Action::History { number, limit }) => {
                let mut path = format!("/v1/calls/history?limit={limit}");
                if let Some(number) = number {
                    let number = number.replace('+', "%2B").replace('#', "%23");
                    path += &format!("&number={number}");
                }
                let all: Vec<CallRecord> = client.get(&path).await?;
                if self.output.format == Format::Text {
                    return print(&match all.is_empty() {
                        true => "no calls are over\n".to_owned(),
                        false => history(&all),
                    });
                }
                let lines: Result<Vec<String>, _> = all.iter().map(serde_json::to_string).collect();
                let lines = lines?;
                print(
                    &lines
                        .iter()
                        .map(|line| format!("{line}\n"))
                        .collect::<String>(),
                )
            }
            Some(Action::Trace { number }) => {
                let path = format!("/v1/calls/trace/{}", number.replace('#', "%23"));
                let rungs: Vec<Rung> = client.get(&path).await?;
                self.output.print(&rungs, |rungs| ladder(rungs))
            }
            Some(Action::End { call }) => {
                let ended: LiveCall = client.delete(&format!("/v1/calls/{call}")).await?;
                self.output
                    .print(&ended, |ended| format!("ended: call {}\n", ended.id))
            }
        }
    }
}

fn who(end: Option<&LoggedEnd>) -> String {
    let Some(end) = end else {
        return "-".to_owned();
    };
    let name = || format!("{} {}", end.peer, end.line);
    end.number.clone().unwrap_or_else(name)
}

fn address(end: Option<&LoggedEnd>, choice: Option<switch::address::Choice>) -> String {
    match (end, choice) {
        (Some(end), Some(choice)) => choice.of(end.place).to_string(),
        _ => "-".to_owned(),
    }
}

/// A column for each line, the switch at the left; arrows say who spoke.
fn ladder(rungs: &[Rung]) -> String {
    let name = |rung: &Rung| {
        let line = rung.line.as_deref().unwrap_or("-");
        let number = rung.number.as_deref();
        number.map_or_else(|| format!("{} {line}", rung.gateway), str::to_owned)
    };
    let mut columns: Vec<String> = Vec::new();
    for rung in rungs {
        let name = name(rung);
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    let width = columns.iter().map(String::len).max().unwrap_or(0).max(6) + 6;
    let mut text = format!("{:<13} switch", "");
    for column in &columns {
        text += &format!("{column:>width$}");
    }
    text.push('\n');
    for rung in rungs {
        let at = columns.iter().position(|column| *column == name(rung));
        let length = 6 + width * (at.unwrap_or(0) + 1);
        let arrow = match rung.sent {
            true => format!("|{:->rest$}>", "", rest = length - 4),
            false => format!("|<{:->rest$}", "", rest = length - 4),
        };
        let room = 6 + width * columns.len() + 2;
        text += &format!("{}   {arrow:<room$} {}\n", clock(rung.at), rung.what);
    }
    text
}

/// Hours to milliseconds, UTC.
fn clock(at: u64) -> String {
    let (seconds, millis) = (at / 1000 % 86_400, at % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}")
}

fn live(all: &[LiveCall]) -> String {
    let mut table = Table::new(&[
        "call",
        "from",
        "to",
        "dialled",
        "state",
        "addresses",
        "from at",
        "to at",
        "since",
    ]);
    for call in all {
        let (caller, called) = (Some(&call.caller), call.called.as_ref());
        table.row([
            call.id.to_string(),
            who(caller),
            who(called),
            call.dialled.clone(),
            format!("{:?}", call.progress).to_lowercase(),
            call.choice.map_or("-", |choice| choice.label()).to_owned(),
            address(caller, call.choice),
            address(called, call.choice),
            time_text(call.started / 1000),
        ]);
    }
    table.to_string()
}

fn history(all: &[CallRecord]) -> String {
    let mut table = Table::new(&[
        "call",
        "from",
        "to",
        "dialled",
        "addresses",
        "from at",
        "to at",
        "began",
        "seconds",
        "reason",
    ]);
    for call in all {
        let (caller, called) = (Some(&call.caller), call.called.as_ref());
        let talked = call.answered.map(|since| call.ended.saturating_sub(since));
        table.row([
            call.id.to_string(),
            who(caller),
            who(called),
            call.dialled.clone(),
            call.choice.map_or("-", |choice| choice.label()).to_owned(),
            address(caller, call.choice),
            address(called, call.choice),
            time_text(call.started / 1000),
            talked.map_or_else(|| "-".to_owned(), |talked| format!("{}", talked / 1000)),
            call.reason.label().to_owned(),
        ]);
    }
    table.to_string()
}
