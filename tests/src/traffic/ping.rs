//! ICMP echo by the real `ping` program.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};

use crate::netns::Namespace;

/// A run of `ping` to be made.
#[derive(Clone, Debug)]
pub struct Ping {
    to: Ipv4Addr,
    arguments: Vec<String>,
}

/// What `ping` reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingReport {
    /// Echo requests sent.
    pub sent: u32,
    /// Replies received, duplicates not counted.
    pub received: u32,
    /// All that `ping` printed, ICMP errors by name.
    pub output: String,
}

impl Ping {
    /// Three echo requests to `to`, 20 ms apart, each with up to 2 s for its reply.
    #[must_use]
    pub fn new(to: Ipv4Addr) -> Self {
        let arguments = ["-n", "-i", "0.02", "-W", "2", "-c", "3"]
            .map(str::to_owned)
            .to_vec();
        Self { to, arguments }
    }

    /// Sends `count` requests.
    #[must_use]
    pub fn count(self, count: u32) -> Self {
        self.with(&["-c", &count.to_string()])
    }

    /// Waits at most this long for the last reply; the default is 2 s.
    #[must_use]
    pub fn timeout_seconds(self, seconds: u32) -> Self {
        self.with(&["-W", &seconds.to_string()])
    }

    /// Payload in bytes; the IP packet is 28 bytes longer.
    #[must_use]
    pub fn size(self, bytes: usize) -> Self {
        self.with(&["-s", &bytes.to_string()])
    }

    /// Sets DF and never fragments, whatever path MTU is known.
    #[must_use]
    pub fn dont_fragment(self) -> Self {
        self.with(&["-M", "do"])
    }

    /// Sends with this TTL.
    #[must_use]
    pub fn ttl(self, ttl: u8) -> Self {
        self.with(&["-t", &ttl.to_string()])
    }

    /// Sends with this ICMP identifier, which is a port to a NAT.
    #[must_use]
    pub fn identifier(self, identifier: u16) -> Self {
        self.with(&["-e", &identifier.to_string()])
    }

    /// Sends from this address.
    #[must_use]
    pub fn from(self, source: Ipv4Addr) -> Self {
        self.with(&["-I", &source.to_string()])
    }

    fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|&word| word.to_owned()));
        self
    }

    /// Runs it in `ns`; lost replies are no error, they are in the report.
    ///
    /// # Errors
    /// When `ping` cannot be started or prints no summary.
    pub fn run(&self, ns: &Namespace) -> Result<PingReport> {
        let mut words = vec!["ping".to_owned()];
        words.extend_from_slice(&self.arguments);
        words.push(self.to.to_string());
        let output = ns.output(&words)?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        parse(text)
    }
}

/// Reads "3 packets transmitted, 2 received, +1 errors, 33% packet loss, time 41ms".
fn parse(output: String) -> Result<PingReport> {
    let number_before = |what: &str| {
        let (before, _) = output.split_once(what)?;
        before.split([' ', '\n']).next_back()?.parse().ok()
    };
    let sent = number_before(" packets transmitted");
    let received = number_before(" received");
    let (sent, received) = sent
        .zip(received)
        .with_context(|| format!("ping printed no summary:\n{output}"))?;
    Ok(PingReport {
        sent,
        received,
        output,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_the_summary() {
        let output = "PING 10.0.0.1\n\n--- 10.0.0.1 ping statistics ---\n\
                      3 packets transmitted, 2 received, +1 errors, 33% packet loss, time 41ms\n";
        let report = parse(output.to_owned()).expect("a summary");
        assert_eq!((report.sent, report.received), (3, 2));
        assert!(parse("ping: sendmsg: Network is unreachable".to_owned()).is_err());
    }
}
