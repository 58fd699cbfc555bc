//! A switch that is killed in every state of a call. Media never pass it, so who talks goes on
//! talking; whatever was on its way up is taken apart; lines work again.

use gateway_tests::phone::Phones;

use crate::bed::{Bed, LONG, history, lines};

fn bed() -> (Bed, Phones) {
    let bed = Bed::new(&format!(
        "[switch]\nadmission = \"anybody\"\nheartbeat = \"2s\"\n{}",
        lines([(5001, "a1"), (5002, "a2")])
    ));
    let mut phones = Phones::start();
    phones
        .tell(&format!(
            "default protocol=h248 netns={} switch=10.10.0.1 patience=20s
             phone a1 address=10.10.3.1/16 ports=1024-1055 mid=a1 number=5001
             phone a2 address=10.10.3.2/16 ports=1024-1055 mid=a2 number=5002
             all expect registered within 20s",
            bed.phones()
        ))
        .unwrap();
    (bed, phones)
}

/// Brings a call so far, kills the switch, does something meanwhile and something afterwards; at
/// the end nothing is left of the call, and there is another one.
fn killed(before: &str, meanwhile: &str, afterwards: &str, calls: usize) {
    let (mut bed, mut phones) = bed();
    phones.tell(before).unwrap();
    bed.gateway.kill9().unwrap();
    phones.tell(meanwhile).unwrap();
    bed.gateway.restart(LONG).unwrap();
    let registered = bed.json(&["phones"]);
    assert_eq!(registered.as_array().unwrap().len(), 2, "{registered}");
    phones.tell(afterwards).unwrap();
    phones.tell("all expect idle within 30s").unwrap();
    bed.expect_quiet();
    phones
        .tell(
            "a2 dial a1
             a1 expect ringing
             a1 answer
             all expect talking private
             all talk 300ms
             all expect media lost<=0
             a1 hangup
             a2 expect busy
             a2 hangup
             all expect idle",
        )
        .unwrap();
    bed.expect_quiet();
    let all = history(&bed.gateway, calls + 1);
    assert_eq!(all[calls]["reason"], "called_hung_up", "{all:?}");
    phones.finish().unwrap();
}

const TALKING: &str = "a1 dial a2
    a2 expect ringing
    a2 answer
    all expect talking private";

#[test]
fn while_the_dial_tone_is_heard() {
    let lifted = "a1 offhook\na1 expect dialtone";
    killed(lifted, "", "a1 hangup", 0);
}

#[test]
fn while_the_dial_tone_is_heard_and_dialled_after_that() {
    killed(
        "a1 offhook\na1 expect dialtone\na1 expect event tone tone=dial",
        "",
        "a1 expect event tone tone=dial within 20s
         a1 press 5002
         a2 expect ringing within 20s
         a1 hangup
         a2 expect quiet",
        1,
    );
}

#[test]
fn while_it_is_dialled() {
    killed(
        "a1 offhook\na1 expect dialtone\na1 press 50",
        "",
        "a1 hangup",
        0,
    );
}

#[test]
fn between_the_last_digit_and_the_bell() {
    killed(
        "a1 offhook\na1 expect dialtone\na1 press 500",
        "a1 press 2",
        "a1 hangup",
        0,
    );
}

#[test]
fn while_it_rings() {
    let rings = "a1 dial a2\na2 expect ringing\na1 expect ringback";
    killed(rings, "", "a2 expect quiet within 20s\na1 hangup", 0);
}

#[test]
fn while_it_rings_and_answered_before_it_is_back() {
    killed(
        "a1 dial a2\na2 expect ringing",
        "a2 answer",
        "a1 hangup\na2 hangup",
        0,
    );
}

#[test]
fn while_it_rings_and_given_up_before_it_is_back() {
    killed(
        "a1 dial a2\na2 expect ringing",
        "a1 hangup",
        "a2 expect quiet within 20s",
        0,
    );
}

#[test]
fn while_they_talk() {
    killed(
        TALKING,
        "all talk 1s",
        "all talk 500ms
         all expect media lost<=0 source=remote
         a1 hangup
         a2 expect busy within 20s
         a2 hangup",
        1,
    );
}

#[test]
fn while_they_talk_and_hung_up_before_it_is_back() {
    killed(
        TALKING,
        "all talk 300ms\na2 hangup",
        "a1 expect busy within 20s\na1 hangup",
        1,
    );
}

#[test]
fn while_they_talk_and_both_hung_up_before_it_is_back() {
    killed(TALKING, "a1 hangup\na2 hangup", "", 1);
}

#[test]
fn while_one_hears_the_busy_tone() {
    let busy = format!("{TALKING}\na1 hangup\na2 expect busy\na1 expect idle");
    killed(&busy, "", "a2 hangup", 1);
}

#[test]
fn while_one_hears_the_busy_tone_and_hung_up_before_it_is_back() {
    let busy = format!("{TALKING}\na1 hangup\na2 expect busy\na1 expect idle");
    killed(&busy, "a2 hangup", "", 1);
}
