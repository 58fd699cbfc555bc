//! How many gateways one phone, or one address, may be.

use std::net::Ipv4Addr;

use super::*;
use crate::registration::{Leased, Leases};
use crate::settings::Admission;

/// Everybody at this address has a lease.
struct One(Ipv4Addr);

impl Leases for One {
    fn by_private(&self, address: Ipv4Addr) -> Option<Leased> {
        (address == self.0).then_some(Leased {
            mac: None,
            private: address,
            public: None,
        })
    }

    fn by_public(&self, _: std::net::SocketAddrV4) -> Option<Leased> {
        None
    }
}

fn register(bed: &mut Bed, leases: &One, name: &str, address: Ipv4Addr) -> bool {
    let change = megaco::ServiceChange::new(Method::Restart, 901);
    let command = megaco::Command::ServiceChange(megaco::ServiceChangeRequest {
        terminations: TerminationId::Root.into(),
        change,
    });
    let action = ActionRequest::new(megaco::ContextId::Null, vec![command.into()]);
    let mid = megaco::Mid::Device(megaco::Name::new(name).expect("a name"));
    let mut peer = bed.fakes[A1].peer;
    peer.address.set_ip(address);
    let key = RequestKey(0);
    let heard = bed
        .switch
        .asked(bed.now, leases, peer, &mid, vec![action], key);
    // Nobody is there to answer.
    while let Some(output) = bed.switch.next_output() {
        if let Output::Commit { id, .. } = output {
            bed.switch.committed(bed.now, id);
        }
    }
    match heard {
        Heard::Later => true,
        Heard::Refuse(error) => {
            assert_eq!(error.code, megaco::ErrorCode(510));
            false
        }
        Heard::Answer(_) => panic!("answered at once"),
    }
}

#[test]
fn one_phone_is_a_few_gateways_and_one_address_more() {
    let mut bed = bed();
    bed.switch.settings.admission = Admission::Anybody;
    bed.switch.settings.registrations_per_phone = 2;
    bed.switch.settings.registrations_per_address = 5;
    let (phone, elsewhere) = (Ipv4Addr::new(10, 0, 0, 9), Ipv4Addr::new(203, 0, 113, 99));
    let leases = One(phone);
    let count = |bed: &mut Bed, address, begin: u32| {
        let names = (begin..begin + 20).map(|number| format!("x{number}"));
        let through = names.filter(|name| register(bed, &leases, name, address));
        through.count()
    };
    assert_eq!(count(&mut bed, phone, 0), 2);
    assert_eq!(count(&mut bed, elsewhere, 100), 5);
    assert_eq!(bed.switch.counters().too_many, 18 + 15);
    // Who is there already may register again.
    assert!(register(&mut bed, &leases, "x0", phone));
    // Who is heard of no more makes room.
    bed.now += Time::from_secs(200);
    bed.switch.handle_timeout(bed.now);
    assert_eq!(count(&mut bed, phone, 200), 2);
    assert_eq!(bed.switch.by_origin.len(), 2 + 4);
    let there: usize = bed.switch.by_origin.values().map(BTreeSet::len).sum();
    assert_eq!(there, bed.switch.gateways.len());
}

#[test]
fn who_has_a_line_has_a_place() {
    let mut bed = bed();
    bed.switch.settings.admission = Admission::Anybody;
    bed.switch.settings.registrations_per_address = 1;
    for at in [A1, A2, B1] {
        bed.register(at, Method::Restart);
    }
    bed.check_quiet();
}
