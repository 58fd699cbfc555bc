//! Two phones talk through a wire that loses, doubles and turns round.

use super::*;

const STEP: Duration = Duration::from_millis(1);

fn session(number: u8, port: u16, tone_hz: u16) -> Session {
    Session::new(Settings {
        address: Ipv4Addr::new(10, 0, 0, number),
        port,
        tone_hz,
        mute: false,
        name: format!("phone{number}"),
        epoch: Duration::from_secs(1_700_000_000),
        random: [u32::from(number), 7 * u32::from(number), 65_530, 1 << 31],
    })
}

/// Two phones and the time.
struct Pair {
    phones: [Session; 2],
    now: Duration,
}

impl Pair {
    fn new() -> Self {
        let mut phones = [session(1, 1026, 440), session(2, 2050, 1000)];
        let now = Duration::from_secs(1);
        let locals = [phones[0].local(), phones[1].local()];
        for (phone, address) in phones.iter_mut().zip([locals[1], locals[0]]) {
            let target = Target {
                address,
                codec: Codec::Pcmu,
            };
            phone.set(now, Direction::BOTH, Some(target));
        }
        Self { phones, now }
    }

    /// Lets time go by; `wire` says what becomes of packet n from phone 0 or 1.
    fn run(&mut self, time: Duration, mut wire: impl FnMut(usize, u64) -> usize) {
        let end = self.now + time;
        let mut numbers = [0, 0];
        while self.now < end {
            for from in [0, 1] {
                let mut out = Vec::new();
                self.phones[from].handle_timeout(self.now, &mut out);
                for datagram in out {
                    let control = datagram.port % 2 == 1;
                    let copies = if control {
                        1
                    } else {
                        wire(from, numbers[from])
                    };
                    numbers[from] += u64::from(!control);
                    for _ in 0..copies {
                        self.deliver(from, &datagram);
                    }
                }
            }
            self.now += STEP;
        }
    }

    fn deliver(&mut self, from: usize, datagram: &Datagram) {
        let source = SocketAddrV4::new(*self.phones[from].local().ip(), datagram.port);
        let to = &mut self.phones[1 - from];
        assert_eq!(datagram.to.ip(), to.local().ip());
        to.handle(self.now, datagram.to.port(), source, &datagram.bytes);
    }
}

#[test]
fn two_phones_hear_each_other() {
    let mut pair = Pair::new();
    pair.run(Duration::from_secs(3), |_, _| 1);
    let [one, other] = pair.phones.each_ref().map(Session::summary);
    assert_eq!((one.tone_hz, other.tone_hz), (Some(1000), Some(440)));
    for (this, that) in [(&one, &other), (&other, &one)] {
        assert_eq!((this.sent, this.packets, this.lost), (150, 150, 0));
        assert_eq!((this.unexpected, this.malformed, this.restarts), (0, 0, 0));
        assert_eq!(
            (this.source, this.remote),
            (Some(that.local), Some(that.local))
        );
        assert!(this.jitter_ms < 0.2, "{this:?}");
        assert!(this.rtcp.received >= 2 && this.rtcp.remote_lost == Some(0));
        assert!(
            this.rtcp.round_trip_ms.is_some_and(|time| time < 1.0),
            "{this:?}"
        );
    }
    assert_eq!(one.rtcp.name.as_deref(), Some("phone2"));
    let bye = pair.phones[0].close(pair.now).unwrap();
    pair.deliver(0, &bye);
    assert!(pair.phones[1].summary().rtcp.bye);
    assert_eq!(pair.phones[0].poll_timeout(), None);
}

#[test]
fn loss_and_duplicates_are_seen_at_both_ends() {
    let mut pair = Pair::new();
    pair.run(Duration::from_secs(2), |from, number| {
        match (from, number % 20) {
            (0, 7) => 0,
            (1, 9) => 2,
            _ => 1,
        }
    });
    let [one, other] = pair.phones.each_ref().map(Session::summary);
    assert_eq!((other.packets, other.lost), (95, 5));
    assert!(
        one.rtcp.remote_lost.is_some_and(|lost| lost >= 4),
        "{one:?}"
    );
    assert_eq!((one.packets, one.duplicates), (100, 5));
}

#[test]
fn what_comes_from_elsewhere_is_counted_apart() {
    let mut pair = Pair::new();
    let stranger = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 9), 4000);
    pair.phones[0].handle(pair.now, 1026, stranger, &[0x80; 172]);
    let report = pair.phones[0].summary();
    assert_eq!((report.unexpected, report.packets), (1, 0));
    assert_eq!(report.unexpected_source, Some(stranger));
}

#[test]
fn who_only_listens_reports_and_who_is_deaf_counts() {
    let mut pair = Pair::new();
    let target = pair.phones[0].target();
    let deaf = Direction {
        send: true,
        receive: false,
    };
    pair.phones[0].set(pair.now, deaf, target);
    let target = pair.phones[1].target();
    let silent = Direction {
        send: false,
        receive: true,
    };
    pair.phones[1].set(pair.now, silent, target);
    assert!(!pair.phones[1].is_both_ways());
    pair.run(Duration::from_secs(2), |_, _| 1);
    let [one, other] = pair.phones.each_ref().map(Session::summary);
    assert_eq!((one.packets, other.sent, other.packets), (0, 0, 100));
    assert!(one.rtcp.remote_lost == Some(0) && one.rtcp.round_trip_ms.is_some());
}
