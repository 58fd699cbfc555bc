//! A call's media: 1,000 packets/s each way between a phone and the internet.

use std::net::{SocketAddr, SocketAddrV4};
use std::time::Duration;

use gateway_tests::site::{Phone, REMOTE};
use gateway_tests::traffic::{Stream, StreamReport, StreamSpec};

use crate::bed::{Bed, LONG, PUBLIC};

/// Packets for each second and direction.
pub(crate) const RATE: u32 = 1000;
/// Bytes of payload: 20 ms of G.711 in RTP.
const PAYLOAD: usize = 172;
const SETTLE: Duration = Duration::from_secs(3);

/// Two streams, until it is hung up.
#[derive(Debug)]
pub(crate) struct Call {
    out: Stream,
    back: Stream,
    seen_as: SocketAddr,
    remote: SocketAddr,
}

impl Call {
    /// Phone `number` calls, by the first port of its range of 64.
    pub(crate) fn start(bed: &Bed, number: u16) -> Self {
        let port = 40_000 + 64 * (number - 1);
        Self::between(bed, bed.phone(number.into()), port)
    }

    /// A phone calls, by this port of the public address.
    pub(crate) fn between(bed: &Bed, phone: &Phone, port: u16) -> Self {
        let far = SocketAddrV4::new(REMOTE, port);
        let out = StreamSpec {
            sender: &phone.ns,
            local: phone.at(port),
            remote: far,
            receiver: bed.internet(),
            listen: far,
            rate: RATE,
            payload: PAYLOAD,
        };
        let back_from = SocketAddrV4::new(REMOTE, port + 1);
        let back = StreamSpec {
            sender: bed.internet(),
            local: back_from,
            remote: SocketAddrV4::new(PUBLIC, port + 1),
            receiver: &phone.ns,
            listen: phone.at(port + 1),
            ..out
        };
        Self {
            out: Stream::start(&out).unwrap(),
            back: Stream::start(&back).unwrap(),
            seen_as: SocketAddrV4::new(PUBLIC, port).into(),
            remote: back_from.into(),
        }
    }

    /// Goes on until so many more packets have been sent each way.
    pub(crate) fn go_on(&self, packets: u64) {
        self.out.wait_sent(packets, LONG).unwrap();
        self.back.wait_sent(1, LONG).unwrap();
    }

    /// Packets that the phone has sent.
    pub(crate) fn sent(&self) -> u64 {
        self.out.sent()
    }

    /// Ends it; both ways what became of it.
    pub(crate) fn hang_up(self) -> [StreamReport; 2] {
        [self.out, self.back].map(|stream| stream.stop(SETTLE).unwrap())
    }

    /// Ends it; not a packet may be missing, doubled or from elsewhere.
    pub(crate) fn expect_no_loss(self, what: &str) {
        let (seen_as, remote) = (self.seen_as, self.remote);
        let [out, back] = self.hang_up();
        for (way, report, source) in [("out", out, seen_as), ("in", back, remote)] {
            let whole = (report.lost, report.duplicates, &report.send_error);
            assert_eq!(whole, (0, 0, &None), "{what}, {way}: {report:?}");
            assert_eq!(report.sources, [source].into(), "{what}, {way}");
        }
    }
}
