//! Checks of a stream's figures: `lost<=1% jitter<=20 tone=a2 source=remote`.

use std::net::SocketAddrV4;

use anyhow::{Context as _, Result, bail};

use crate::phone::media::Report;

/// Which tone is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// So many hertz.
    Hz(u16),
    /// What this phone says.
    Phone(String),
    /// None.
    Silence,
}

/// A check.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Check {
    /// A figure is at most (`true`) or at least this.
    Figure(Figure, bool, f64),
    /// Lost at most this part of a hundred.
    LostPercent(f64),
    /// The tone that is heard.
    Tone(Tone),
    /// Packets came from where the other side said, all of them.
    SourceIsRemote,
    /// Packets came from here.
    Source(SocketAddrV4),
    /// Media goes here.
    Remote(SocketAddrV4),
}

/// A figure of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    Packets,
    Sent,
    Lost,
    Duplicates,
    Reordered,
    Restarts,
    Unexpected,
    Malformed,
    JitterMs,
    RtcpReceived,
    RoundTripMs,
}

const FIGURES: &[(&str, Figure)] = &[
    ("packets", Figure::Packets),
    ("sent", Figure::Sent),
    ("lost", Figure::Lost),
    ("duplicates", Figure::Duplicates),
    ("reordered", Figure::Reordered),
    ("restarts", Figure::Restarts),
    ("unexpected", Figure::Unexpected),
    ("malformed", Figure::Malformed),
    ("jitter", Figure::JitterMs),
    ("rtcp", Figure::RtcpReceived),
    ("round_trip", Figure::RoundTripMs),
];

impl Check {
    /// `lost<=1%`, `packets>=100`, `tone=440`, `tone=a2`, `tone=none`, `source=remote`.
    pub(super) fn parse(word: &str) -> Result<Self> {
        for (sign, most) in [("<=", true), (">=", false)] {
            let Some((name, value)) = word.split_once(sign) else {
                continue;
            };
            if let (true, "lost", Some(percent)) = (most, name, value.strip_suffix('%')) {
                return Ok(Self::LostPercent(percent.parse()?));
            }
            let figure = FIGURES.iter().find(|(known, _)| *known == name);
            let (_, figure) = figure.with_context(|| format!("no figure {name:?}"))?;
            let value = value.strip_suffix("ms").unwrap_or(value);
            let value = value
                .parse()
                .with_context(|| format!("{word}: not a number"))?;
            return Ok(Self::Figure(*figure, most, value));
        }
        match word.split_once('=') {
            Some(("tone", "none")) => Ok(Self::Tone(Tone::Silence)),
            Some(("tone", value)) => Ok(Self::Tone(match value.parse() {
                Ok(hz) => Tone::Hz(hz),
                Err(_) => Tone::Phone(value.to_owned()),
            })),
            Some(("source", "remote")) => Ok(Self::SourceIsRemote),
            Some(("source", value)) => Ok(Self::Source(value.parse()?)),
            Some(("remote", value)) => Ok(Self::Remote(value.parse()?)),
            _ => {
                bail!("{word:?}: expected such as lost<=1%, packets>=100, tone=a2 or source=remote")
            }
        }
    }

    /// Whether it holds; `tone_of` knows what phones say.
    pub(super) fn holds(&self, report: &Report, tone_of: impl Fn(&str) -> Option<u16>) -> bool {
        match self {
            Self::Figure(figure, most, value) => {
                let Some(found) = figure.of(report) else {
                    return false;
                };
                if *most {
                    found <= *value
                } else {
                    found >= *value
                }
            }
            Self::LostPercent(most) => {
                let sent = report.lost + report.packets;
                sent > 0 && report.lost as f64 * 100.0 <= most * sent as f64
            }
            Self::Tone(Tone::Silence) => report.tone_hz.is_none(),
            Self::Tone(Tone::Hz(hz)) => report.tone_hz == Some(*hz),
            Self::Tone(Tone::Phone(name)) => {
                let tone = tone_of(name);
                tone.is_some() && report.tone_hz == tone
            }
            Self::SourceIsRemote => {
                report.source.is_some() && report.source == report.remote && report.unexpected == 0
            }
            Self::Source(address) => report.source == Some(*address),
            Self::Remote(address) => report.remote == Some(*address),
        }
    }
}

impl Figure {
    fn of(self, report: &Report) -> Option<f64> {
        let whole = |number: u64| Some(number as f64);
        match self {
            Self::Packets => whole(report.packets),
            Self::Sent => whole(report.sent),
            Self::Lost => whole(report.lost),
            Self::Duplicates => whole(report.duplicates),
            Self::Reordered => whole(report.reordered),
            Self::Restarts => whole(report.restarts),
            Self::Unexpected => whole(report.unexpected),
            Self::Malformed => whole(report.malformed),
            Self::JitterMs => Some(report.jitter_ms),
            Self::RtcpReceived => whole(report.rtcp.received),
            Self::RoundTripMs => report.rtcp.round_trip_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::media::RtcpReport;

    fn report() -> Report {
        let here: SocketAddrV4 = "10.0.0.2:1026".parse().unwrap();
        Report {
            local: "10.0.0.1:1026".parse().unwrap(),
            remote: Some(here),
            source: Some(here),
            sent: 100,
            packets: 99,
            lost: 1,
            duplicates: 0,
            reordered: 0,
            restarts: 0,
            jitter_ms: 2.5,
            tone_hz: Some(440),
            codec: "PCMU",
            unexpected: 0,
            unexpected_source: None,
            unheard: 0,
            malformed: 0,
            rtcp: RtcpReport::default(),
        }
    }

    #[test]
    fn checks_hold_or_do_not() {
        let tone = |name: &str| (name == "a2").then_some(440);
        for (word, expected) in [
            ("lost<=1%", true),
            ("lost<=0.5%", false),
            ("lost<=0", false),
            ("packets>=99", true),
            ("packets>=100", false),
            ("jitter<=3ms", true),
            ("jitter<=2", false),
            ("tone=440", true),
            ("tone=a2", true),
            ("tone=a3", false),
            ("tone=none", false),
            ("source=remote", true),
            ("source=10.0.0.2:1026", true),
            ("remote=10.0.0.2:1028", false),
            ("round_trip<=5", false),
        ] {
            let check = Check::parse(word).unwrap();
            assert_eq!(check.holds(&report(), tone), expected, "{word}");
        }
    }

    #[test]
    fn what_is_no_check_is_said() {
        for word in [
            "lost",
            "colour<=3",
            "packets>=many",
            "source=there",
            "lost=1",
        ] {
            assert!(Check::parse(word).is_err(), "{word}");
        }
    }
}
