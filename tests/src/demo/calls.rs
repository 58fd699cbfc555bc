//! The calls, and the table of what became of them.

use std::time::Duration;

use anyhow::Result;

use super::Shown;
use crate::two_sites::call::End;
use crate::two_sites::files::Side;
use crate::two_sites::{Call, Hosted, Plan};

/// For a daemon to be back.
const BACK: Duration = Duration::from_secs(20);

/// What happens while they talk.
type Meanwhile = fn(&mut Hosted) -> Result<()>;

/// A call that is shown.
pub(super) struct Planned {
    plan: Plan,
    what: &'static str,
    meanwhile: Meanwhile,
}

pub(super) const PLANS: &[Planned] = &[
    Planned {
        plan: Plan {
            caller: "a1",
            called: "a2",
            number: "5002",
            choice: "private",
            through: &[],
        },
        what: "a1 calls a2 at the same site: private addresses, and no media on an uplink",
        meanwhile: |_| Ok(()),
    },
    Planned {
        plan: Plan {
            caller: "a1",
            called: "b1",
            number: "6001",
            choice: "public",
            through: &[Side::A, Side::B],
        },
        what: "a1 calls b1 at another site: public ones; gateway A is killed (kill -9) meanwhile, and comes back",
        meanwhile: kill_gateway,
    },
    Planned {
        plan: Plan {
            caller: "a1",
            called: "carrier",
            number: "0163299",
            choice: "public",
            through: &[Side::A],
        },
        what: "a1 calls the world; the switch is killed meanwhile, comes back, and ends the call",
        meanwhile: kill_switch,
    },
];

fn kill_gateway(hosted: &mut Hosted) -> Result<()> {
    hosted.gateway(Side::A).kill9()?;
    hosted.phones.tell("a1,b1 talk 1s")?;
    hosted.gateway(Side::A).restart(BACK)
}

fn kill_switch(hosted: &mut Hosted) -> Result<()> {
    hosted.switch.kill9()?;
    hosted.phones.tell("a1,carrier talk 1s")?;
    hosted.switch.restart(BACK)
}

/// Makes one.
pub(super) fn make(hosted: &mut Hosted, planned: &Planned) -> Result<(Call, Shown)> {
    let call = hosted.call(&planned.plan, planned.meanwhile)?;
    let [one, other] = &call.ends;
    let saw = format!(
        "{} sends to {}, {} to {}; {} packets heard, {} lost; {} passed uplink A, {} B",
        one.name,
        one.remote()?,
        other.name,
        other.remote()?,
        one.figure("packets") + other.figure("packets"),
        one.figure("lost") + other.figure("lost"),
        call.crossed(Side::A)?,
        call.crossed(Side::B)?,
    );
    let shown = Shown {
        what: planned.what.to_owned(),
        saw,
        wrong: call.wrong()?,
    };
    Ok((call, shown))
}

/// Who, which addresses, packets, loss, jitter, and the uplinks.
pub(super) fn table(calls: &[Call]) -> Result<String> {
    const HEAD: [&str; 9] = [
        "call",
        "chosen",
        "end",
        "speaks from",
        "to",
        "heard",
        "lost",
        "jitter",
        "at uplinks",
    ];
    let mut rows = vec![HEAD.map(str::to_owned)];
    for call in calls {
        let [one, other] = &call.ends;
        let who = format!("{} -> {}", one.name, other.name);
        let chosen = call.record["choice"].as_str().unwrap_or("none").to_owned();
        rows.push(row(who, chosen, one, path(call)?)?);
        let dialled = call.record["dialled"].as_str().unwrap_or_default();
        rows.push(row(
            format!("  {dialled}"),
            String::new(),
            other,
            String::new(),
        )?);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |row: &[String; 9]| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| match column {
            5..=7 => format!("{cell:>width$}"),
            _ => format!("{cell:<width$}"),
        });
        let cells: Vec<String> = cells.collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    Ok(rows.iter().map(line).collect())
}

fn row(who: String, chosen: String, end: &End, path: String) -> Result<[String; 9]> {
    Ok([
        who,
        chosen,
        end.name.to_owned(),
        end.local()?.to_string(),
        end.remote()?.to_string(),
        end.figure("packets").to_string(),
        end.figure("lost").to_string(),
        format!(
            "{:.1} ms",
            end.media["jitter_ms"].as_f64().unwrap_or(f64::NAN)
        ),
        path,
    ])
}

/// Where its media were seen.
fn path(call: &Call) -> Result<String> {
    let mut seen = Vec::new();
    for side in Side::ALL {
        let packets = call.crossed(side)?;
        if packets > 0 {
            seen.push(format!("{side:?} {packets}"));
        }
    }
    Ok(match seen.is_empty() {
        true => "nothing".to_owned(),
        false => seen.join(", "),
    })
}
