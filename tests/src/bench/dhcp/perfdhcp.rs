//! Kea's perfdhcp: exchanges at a fixed rate, as a relay agent with many clients.

use anyhow::{Context, Result, ensure};

use super::place::{Place, RELAY, SERVER, VENDOR_CLASS};

/// Clients that perfdhcp chooses from: so many that few come twice.
const CLIENTS: u32 = 900_000;
/// What it asks for (option 55): router and vendor options.
const REQUESTED: &str = "032b";
/// How long it waits for late answers, in microseconds; what is later than a second is lost.
const LATE: u32 = 1_000_000;
/// Its exit status when some exchanges were not completed.
const INCOMPLETE: i32 = 3;

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// DHCPDISCOVERs sent.
    pub(super) begun: u64,
    /// DHCPACKs received.
    pub(super) complete: u64,
    /// How long it sent, in seconds.
    pub(super) seconds: u32,
}

impl Sample {
    /// Complete exchanges a second.
    pub(super) fn rate(self) -> f64 {
        self.complete as f64 / f64::from(self.seconds)
    }

    /// Share of the exchanges that were not completed.
    pub(super) fn lost(self) -> f64 {
        1.0 - self.complete as f64 / self.begun.max(1) as f64
    }
}

/// Has clients that no run before had ask for leases, so many a second, for some seconds.
pub(super) fn run(place: &Place, run: u8, rate: u32, seconds: u32) -> Result<Sample> {
    let class: String = VENDOR_CLASS.bytes().map(|b| format!("{b:02x}")).collect();
    let words = [
        "perfdhcp".to_owned(),
        "-4".to_owned(),
        "-l".to_owned(),
        RELAY.to_string(),
        "-b".to_owned(),
        format!("mac=02:{run:02x}:00:00:00:00"),
        "-R".to_owned(),
        CLIENTS.to_string(),
        "-r".to_owned(),
        rate.to_string(),
        "-p".to_owned(),
        seconds.to_string(),
        "-W".to_owned(),
        LATE.to_string(),
        "-o".to_owned(),
        format!("60,{class}"),
        "-o".to_owned(),
        format!("55,{REQUESTED}"),
        SERVER.to_string(),
    ];
    let output = place.relay.output(&words)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let known = [Some(0), Some(INCOMPLETE)].contains(&output.status.code());
    ensure!(
        known,
        "perfdhcp: {}\n{text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let (begun, complete) = parse(&text).with_context(|| format!("perfdhcp said:\n{text}"))?;
    Ok(Sample {
        begun,
        complete,
        seconds,
    })
}

/// DHCPDISCOVERs sent and DHCPACKs received.
fn parse(text: &str) -> Option<(u64, u64)> {
    let (_, first) = text.split_once("Statistics for: DISCOVER-OFFER")?;
    let (first, second) = first.split_once("Statistics for: REQUEST-ACK")?;
    let number = |part: &str, name: &str| {
        let mut lines = part.lines();
        let value = lines.find_map(|line| line.strip_prefix(name))?;
        value.trim().parse().ok()
    };
    Some((
        number(first, "sent packets:")?,
        number(second, "received packets:")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_perfdhcp_prints() {
        let text = "***Statistics for: DISCOVER-OFFER***\nsent packets: 2999\n\
                    received packets: 2990\ndrops: 9\n\n***Statistics for: REQUEST-ACK***\n\
                    sent packets: 2990\nreceived packets: 2982\n";
        assert_eq!(parse(text), Some((2999, 2982)));
        assert_eq!(parse("no such server"), None);
        let sample = Sample {
            begun: 1000,
            complete: 975,
            seconds: 3,
        };
        assert!((sample.rate() - 325.0).abs() < 1e-9);
        assert!((sample.lost() - 0.025).abs() < 1e-9);
    }
}
