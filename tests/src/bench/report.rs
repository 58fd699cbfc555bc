//! What all benches print: a table for people, one JSON object per line for programs.

use serde::Serialize;

/// What a figure, or its ratio if it has one, should reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// As much or more.
    AtLeast(f64),
    /// As much or less.
    AtMost(f64),
    /// Between the two.
    Within(f64, f64),
}

impl Target {
    fn met_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Within(low, high) => (low..=high).contains(&value),
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!(">= {bound}"),
            Self::AtMost(bound) => format!("<= {bound}"),
            Self::Within(low, high) => format!("{low} to {high}"),
        }
    }
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    bench: &'static str,
    case: String,
    value: f64,
    unit: &'static str,
    /// The case it is compared with.
    against: Option<String>,
    /// The figure divided by that.
    ratio: Option<f64>,
    /// What the ratio (without one: the value) should reach.
    target: Option<String>,
    met: Option<bool>,
}

impl Figure {
    /// A figure that stands for itself.
    pub(crate) fn new(case: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            bench: "",
            case: case.into(),
            value,
            unit,
            against: None,
            ratio: None,
            target: None,
            met: None,
        }
    }

    /// Compares it with a peer.
    pub(crate) fn against(mut self, peer: impl Into<String>, ratio: f64) -> Self {
        self.against = Some(peer.into());
        self.ratio = Some(ratio);
        self
    }

    /// Says what is to be reached.
    pub(crate) fn target(mut self, target: Target) -> Self {
        self.met = Some(target.met_by(self.ratio.unwrap_or(self.value)));
        self.target = Some(target.text());
        self
    }
}

/// How figures are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// All at the end.
    Table,
    /// Each as soon as it is known.
    Json,
}

impl Output {
    /// What `--json` means.
    pub(crate) fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Table }
    }
}

/// The figures of one run.
#[derive(Debug)]
pub(crate) struct Report {
    bench: &'static str,
    output: Output,
    figures: Vec<Figure>,
}

impl Report {
    /// A report without figures.
    pub(crate) fn new(bench: &'static str, output: Output) -> Self {
        Self {
            bench,
            output,
            figures: Vec::new(),
        }
    }

    /// Says on standard error what is going on.
    pub(crate) fn progress(&self, what: &str) {
        eprintln!("{}: {what}", self.bench);
    }

    /// Adds a figure.
    pub(crate) fn add(&mut self, figure: Figure) {
        let bench = self.bench;
        let figure = Figure { bench, ..figure };
        if self.output == Output::Json {
            match serde_json::to_string(&figure) {
                Ok(line) => println!("{line}"),
                Err(error) => eprintln!("{bench}: {}: {error}", figure.case),
            }
        }
        self.figures.push(figure);
    }

    /// Prints the table, if it is wanted.
    pub(crate) fn print(&self) {
        if self.output == Output::Table {
            print!("{}", table(&self.figures));
        }
    }
}

const HEAD: [&str; 7] = ["case", "value", "unit", "against", "ratio", "target", "met"];
/// Columns that read better from the right.
const NUMBERS: [usize; 2] = [1, 4];

fn table(figures: &[Figure]) -> String {
    let rows: Vec<[String; 7]> = std::iter::once(HEAD.map(ToOwned::to_owned))
        .chain(figures.iter().map(cells))
        .collect();
    let width = |column: usize| {
        let lengths = rows.iter().map(|row| row[column].chars().count());
        lengths.max().unwrap_or(0)
    };
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = width(column);
            line += &if NUMBERS.contains(&column) {
                format!("{cell:>width$}  ")
            } else {
                format!("{cell:<width$}  ")
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn cells(figure: &Figure) -> [String; 7] {
    let met = match figure.met {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "",
    };
    [
        figure.case.clone(),
        number(figure.value),
        figure.unit.to_owned(),
        figure.against.clone().unwrap_or_default(),
        figure
            .ratio
            .map(|ratio| format!("{ratio:.2}"))
            .unwrap_or_default(),
        figure.target.clone().unwrap_or_default(),
        met.to_owned(),
    ]
}

/// Three digits that matter, thousands apart.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        small if small < 10.0 => 2,
        middle if middle < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut apart = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    if fraction.is_empty() {
        apart
    } else {
        format!("{apart}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Vec<Figure> {
        let slow = Figure::new("slow", 123_456.0, "packets/s");
        let fast = Figure::new("fast", 1_234_567.8, "packets/s")
            .against("slow", 10.0)
            .target(Target::AtLeast(4.0));
        let fat = Figure::new("fat", 600.25, "bytes").target(Target::AtMost(512.0));
        vec![slow, fast, fat]
    }

    #[test]
    fn a_table_for_people() {
        let expected = "\
case      value  unit       against  ratio  target    met
slow    123,456  packets/s
fast  1,234,568  packets/s  slow     10.00  >= 4      yes
fat         600  bytes                      <= 512    NO
";
        let squeeze = |text: &str| -> Vec<String> {
            text.lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect()
        };
        assert_eq!(squeeze(&table(&figures())), squeeze(expected));
    }

    #[test]
    fn an_object_for_programs() {
        let text = serde_json::to_string(&figures()[1]).unwrap();
        assert_eq!(
            text,
            "{\"bench\":\"\",\"case\":\"fast\",\"value\":1234567.8,\"unit\":\"packets/s\",\
             \"against\":\"slow\",\"ratio\":10.0,\"target\":\">= 4\",\"met\":true}"
        );
        let text = serde_json::to_string(&figures()[0]).unwrap();
        assert!(text.ends_with("\"against\":null,\"ratio\":null,\"target\":null,\"met\":null}"));
    }
}
