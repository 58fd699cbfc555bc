//! Calls by SIP, from phone to phone: each is the other's proxy, and refuses to be a registrar.

use gateway_tests::netns::Namespace;
use gateway_tests::phone::Phones;

fn phones(ns: &Namespace) -> Phones {
    let mut phones = Phones::start();
    phones
        .tell(&format!(
            "default netns={} protocol=sip
             phone a1 address=127.0.0.1 ports=1024-1087 user=5001 switch=127.0.0.2:1088
             phone a2 address=127.0.0.2 ports=1088-1151 user=5002 switch=127.0.0.1:1024
             all expect event registering method=register
             all expect event error code=405",
            ns.name()
        ))
        .unwrap();
    phones
}

#[test]
fn a_call_is_answered_and_ended_by_either() {
    let ns = Namespace::new("phones").unwrap();
    let mut phones = phones(&ns);
    phones
        .tell(
            "a1 dial a2
             a2 expect ringing from 5001
             a1 expect ringback
             a2 answer
             all expect talking
             all talk 1s
             all expect media lost<=0 source=remote packets>=40 rtcp>=1
             a1 expect media tone=a2
             a2 expect media tone=a1
             a1 hangup
             a2 expect hungup
             a2 hangup
             all expect idle
             a2 dial a1
             a1 answer
             all expect talking
             a1 hangup
             a2 expect hungup",
        )
        .unwrap();
    phones.finish().unwrap();
}

#[test]
fn busy_refused_and_given_up() {
    let ns = Namespace::new("phones").unwrap();
    let mut phones = phones(&ns);
    phones
        .tell(
            "a2 offhook
             a2 expect dialtone
             a1 dial a2
             a1 expect busy
             a1 expect event refused code=486
             all hangup
             a1 dial a2
             a2 expect ringing
             a2 refuse
             a1 expect congestion
             a1 expect event refused code=603
             a1 hangup
             a1 dial a2
             a2 expect ringing
             a1 hangup
             all expect idle",
        )
        .unwrap();
    phones.finish().unwrap();
}
