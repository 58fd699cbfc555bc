//! A call, as both ends, the switch and the uplinks saw it; and whether they agree with what was
//! promised.

use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::files::{SUBSCRIBERS, Side, TRUNK_PORTS};
use super::{CARRIER, Hosted, Seen};

/// A call that is to be made, and what is promised of it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who calls.
    pub caller: &'static str,
    /// Who is called.
    pub called: &'static str,
    /// What is dialled.
    pub number: &'static str,
    /// Which addresses the two are to be given: `private` or `public`.
    pub choice: &'static str,
    /// Through which sites' uplinks media go.
    pub through: &'static [Side],
}

/// An end of a call.
#[derive(Clone, Debug)]
pub struct End {
    /// Whose.
    pub name: &'static str,
    /// Event `media` of its phone.
    pub media: Value,
    /// Its public and private address, as the switch has logged them.
    pub public: Ipv4Addr,
    /// The same as the public one if there is no gateway in front of it.
    pub private: Ipv4Addr,
}

/// A call that is over.
#[derive(Clone, Debug)]
pub struct Call {
    /// What was planned.
    pub plan: Plan,
    /// The switch's line in the log of calls.
    pub record: Value,
    /// Caller and called one.
    pub ends: [End; 2],
    /// What was seen at A's and B's uplink from before the call until it was over.
    pub uplinks: [Seen; 2],
}

impl Hosted {
    /// Makes a call: rings, talks, does `meanwhile`, talks again and ends it.
    ///
    /// # Errors
    /// When it does not come about, or ends early.
    pub fn call(
        &mut self,
        plan: &Plan,
        meanwhile: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Call> {
        let Plan {
            caller,
            called,
            number,
            ..
        } = *plan;
        let before = self.history(0)?.len();
        self.uplinks.take()?;
        self.phones.tell(&format!(
            "{caller} dial {number}
             {called} expect ringing
             {caller} expect ringback
             {called} answer
             {caller},{called} expect talking
             {caller},{called} talk 1s"
        ))?;
        meanwhile(self)?;
        self.phones.tell(&format!(
            "{caller},{called} talk 1s
             {caller} expect media tone={called}
             {called} expect media tone={caller}
             {caller} hangup
             {called} expect hungup
             {called} hangup
             {caller},{called} expect idle"
        ))?;
        let mut history = self.history(before + 1)?;
        let record = history.pop().context("no call")?;
        // What the phones said when they hung up has passed the uplinks behind the last of media.
        let uplinks = self.uplinks.take()?;
        let end = |name, side: &str| {
            let address = |which: &str| {
                let found = record[side]["place"][which].as_str();
                found
                    .context("no address")?
                    .parse()
                    .context("not an address")
            };
            let (public, private) = (address("public")?, address("private")?);
            let media = self.phones.last(name, "media")?.clone();
            anyhow::Ok(End {
                name,
                media,
                public,
                private,
            })
        };
        Ok(Call {
            ends: [
                end(caller, "caller").with_context(|| record.to_string())?,
                end(called, "called").with_context(|| record.to_string())?,
            ],
            plan: plan.clone(),
            record,
            uplinks,
        })
    }
}

impl End {
    /// Where its media come from, inside its site.
    ///
    /// # Errors
    /// When it had none.
    pub fn local(&self) -> Result<SocketAddrV4> {
        self.address("local")
    }

    /// Where the other side said that it listens.
    ///
    /// # Errors
    /// When it had said nothing.
    pub fn remote(&self) -> Result<SocketAddrV4> {
        self.address("remote")
    }

    /// A figure of its stream.
    #[must_use]
    pub fn figure(&self, name: &str) -> u64 {
        self.media[name].as_u64().unwrap_or(u64::MAX)
    }

    /// Where its media are seen to come from outside: its port is the same.
    ///
    /// # Errors
    /// When it had none.
    pub fn outside(&self) -> Result<SocketAddrV4> {
        Ok(SocketAddrV4::new(self.public, self.local()?.port()))
    }

    fn address(&self, which: &str) -> Result<SocketAddrV4> {
        let text = self.media[which].as_str();
        let text = text.with_context(|| format!("{}: no {which}: {}", self.name, self.media))?;
        Ok(text.parse()?)
    }

    /// Whether a port is of its range.
    fn owns(&self, port: u16) -> bool {
        let subscriber = SUBSCRIBERS.iter().find(|one| one.name == self.name);
        subscriber
            .map_or(&TRUNK_PORTS, |one| &one.ports)
            .contains(&port)
    }

    /// Where it is, by the operator's list; the carrier is at no site.
    fn is_at_home(&self) -> bool {
        let subscriber = SUBSCRIBERS.iter().find(|one| one.name == self.name);
        let (public, private) =
            subscriber.map_or((CARRIER, CARRIER), |one| (one.side.public(), one.private()));
        (self.public, self.private) == (public, private)
    }
}

impl Call {
    /// Ends and uplinks that saw something else than was promised; empty if all is right.
    ///
    /// # Errors
    /// When something is missing in what they told.
    pub fn wrong(&self) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        let mut want = |so: bool, what: String| wrong.extend((!so).then_some(what));
        let (choice, reason) = (&self.record["choice"], &self.record["reason"]);
        want(
            *choice == self.plan.choice,
            format!("{choice} addresses, not {}", self.plan.choice),
        );
        want(
            *reason == "caller_hung_up",
            format!("it ended with {reason}"),
        );
        let [one, other] = &self.ends;
        wrong.extend(self.at_end(one, other)?);
        wrong.extend(self.at_end(other, one)?);
        for (side, seen) in Side::ALL.into_iter().zip(&self.uplinks) {
            let what = self.at_uplink(seen, self.plan.through.contains(&side))?;
            wrong.extend(what.map(|what| format!("uplink {side:?}: {what}")));
        }
        Ok(wrong)
    }

    /// What an end has that it should not have.
    fn at_end(&self, end: &End, far: &End) -> Result<Vec<String>> {
        /// Two seconds of 50 packets each, less what is lost to a busy machine's pauses.
        const LEAST: u64 = 80;
        let mut wrong = Vec::new();
        let mut want = |so: bool, what: String| wrong.extend((!so).then_some(what));
        let name = end.name;
        let given = match self.plan.choice {
            "private" => far.private,
            _ => far.public,
        };
        let expected = SocketAddrV4::new(given, far.local()?.port());
        let (local, remote, source) = (end.local()?, end.remote()?, end.address("source")?);
        want(
            end.is_at_home(),
            format!("{name} is not at {} and {}", end.public, end.private),
        );
        want(
            end.owns(local.port()),
            format!("{name} speaks from {local}, which is not of its range"),
        );
        want(
            remote == expected,
            format!("{name} was given {remote}, not {expected}"),
        );
        want(
            source == expected,
            format!("{name} hears {source}, not {expected}"),
        );
        let packets = end.figure("packets");
        want(packets >= LEAST, format!("{name} heard {packets} packets"));
        for figure in ["lost", "duplicates", "unexpected", "malformed"] {
            let found = end.figure(figure);
            want(found == 0, format!("{name}: {found} packets {figure}"));
        }
        Ok(wrong)
    }

    /// What an uplink has seen that it should not have, or has not and should.
    fn at_uplink(&self, seen: &Seen, through: bool) -> Result<Option<String>> {
        if seen.private > 0 {
            return Ok(Some(format!("{} with private addresses", seen.private)));
        }
        if !through {
            let packets = seen.media.values().sum::<u64>();
            return Ok((packets > 0).then(|| format!("{packets} packets of media: {seen:?}")));
        }
        let [one, other] = &self.ends;
        for (from, to) in [(one, other), (other, one)] {
            let (here, there) = (from.outside()?, to.outside()?);
            let packets = seen.packets(here, there);
            let (sent, heard) = (from.figure("sent"), to.figure("packets"));
            if !(heard..=sent).contains(&packets) {
                return Ok(Some(format!(
                    "{packets} packets from {here} to {there}, {sent} were sent and {heard} heard"
                )));
            }
        }
        // Beside RTP there is RTCP, one port higher, and nothing else.
        let ends = [one.outside()?, other.outside()?];
        let is_of_call = |address: SocketAddrV4| {
            let mut ports = ends.iter().filter(|end| end.ip() == address.ip());
            ports.any(|end| matches!(address.port().wrapping_sub(end.port()), 0 | 1))
        };
        let mut flows = seen.media.keys();
        let stray = flows.find(|(from, to)| !is_of_call(*from) || !is_of_call(*to));
        Ok(stray.map(|(from, to)| format!("something from {from} to {to}")))
    }

    /// Packets of RTP that an uplink has seen, both ways.
    ///
    /// # Errors
    /// When an end had no media.
    pub fn crossed(&self, side: Side) -> Result<u64> {
        let [a, b] = &self.uplinks;
        let seen = match side {
            Side::A => a,
            Side::B => b,
        };
        let ends = [
            self.ends[0].outside()?.port(),
            self.ends[1].outside()?.port(),
        ];
        let rtp = seen
            .media
            .iter()
            .filter(|((from, to), _)| ends.contains(&from.port()) && ends.contains(&to.port()));
        Ok(rtp.map(|(_, packets)| packets).sum())
    }
}

#[cfg(test)]
mod tests;
