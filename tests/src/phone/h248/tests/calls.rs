//! A user makes and takes calls.

use super::*;

const LOCAL: &str = "L{v=0\nc=IN IP4 $\nm=audio $ RTP/AVP 0\n}";
const REMOTE: &str = "R{v=0\nc=IN IP4 10.0.0.8\nm=audio 4000 RTP/AVP 0\n}";

#[test]
fn a_call_is_made() {
    let mut bed = Bed::new();
    bed.ask("C=-{MF=line1{E=1{al/of}}}");
    bed.act(0, Act::OffHook);
    assert_eq!(bed.notified(), "C=-{N=line1{OE=1{al/of}}}");
    bed.ask("C=-{MF=line1{SG{cg/dt},E=2{al/on,dd/ce{DM={(xxxx)}}}}}");
    assert_eq!(bed.state(0).tone, Some(Tone::Dial));
    bed.act(0, Act::Dial("5002".to_owned()));
    // The first digit stops the tone.
    assert_eq!(bed.state(0).tone, None);
    bed.wait(Duration::from_millis(300));
    assert_eq!(
        bed.notified(),
        "C=-{N=line1{OE=2{dd/ce{ds=\"5002\",Meth=UM}}}}"
    );
    bed.ask(&format!(
        "C=${{A=line1{{SG{{cg/rt}}}},A=${{M{{O{{MO=RC}},{LOCAL}}}}}}}"
    ));
    assert_eq!(bed.state(0).tone, Some(Tone::RingBack));
    let media = format!("M{{O{{MO=SR}},{REMOTE}}}");
    bed.ask(&format!("C=1{{MF=line1{{SG{{}}}},MF=rtp/1{{{media}}}}}"));
    assert_eq!(bed.state(0).tone, None);
    bed.wait(Duration::from_millis(100));
    let rtp = bed.media.iter().filter(|(port, _)| *port == 1026).count();
    assert!((5..=6).contains(&rtp), "{:?}", bed.media);
    assert!(bed.media.iter().all(|(_, to)| *to.ip() == *OTHER.ip()));
    // The other hangs up: the controller ends the call and says so by a tone.
    bed.ask("C=1{S=*}");
    bed.ask("C=-{MF=line1{SG{cg/bt}}}");
    assert!(bed.state(0).hung_up);
    bed.act(0, Act::OnHook);
    assert_eq!(bed.notified(), "C=-{N=line1{OE=2{al/on}}}");
    let expected = [
        "off_hook", "tone", "dialed", "tone", "talking", "media", "hung_up", "tone", "on_hook",
    ];
    assert_eq!(bed.names(), expected);
}

#[test]
fn a_call_is_taken() {
    let mut bed = Bed::new();
    bed.ask(&format!(
        "C=${{A=line1{{SG{{al/ri}},E=5{{al/of}}}},A=${{M{{O{{MO=SR}},{LOCAL},{REMOTE}}}}}}}"
    ));
    assert!(bed.state(0).ringing && bed.state(0).talk.is_none());
    bed.act(0, Act::OffHook);
    assert_eq!(bed.notified(), "C=1{N=line1{OE=5{al/of}}}");
    assert!(!bed.state(0).ringing && bed.state(0).talk.is_some());
    assert_eq!(bed.names(), ["ringing", "off_hook", "quiet", "talking"]);
    // Hold, and back.
    bed.ask("C=1{MF=rtp/1{M{O{MO=IN}}}}");
    assert_eq!(bed.names().last().unwrap(), "held");
    bed.ask("C=1{MF=rtp/1{M{O{MO=SR}}}}");
    assert_eq!(bed.names().last().unwrap(), "talking");
}

#[test]
fn what_is_embedded_is_done_without_asking() {
    let mut bed = Bed::new();
    let events = "E=1{al/of{EM{SG{cg/dt},E=2{al/on,dd/ce{DM=plan}}}}}";
    bed.ask("C=-{MF=root{DM=plan{T:16,S:2,L:9,(5xxx|0)}}}");
    bed.ask(&format!("C=-{{MF=line1{{{events}}}}}"));
    bed.act(0, Act::OffHook);
    assert_eq!(bed.state(0).tone, Some(Tone::Dial));
    assert_eq!(bed.notified(), "C=-{N=line1{OE=1{al/of}}}");
    bed.act(0, Act::Dial("54".to_owned()));
    bed.wait(Duration::from_secs(10));
    assert_eq!(
        bed.notified(),
        "C=-{N=line1{OE=2{dd/ce{ds=\"54\",Meth=PM}}}}"
    );
}

#[test]
fn single_digits_are_told_one_by_one() {
    let mut bed = Bed::new();
    bed.ask("C=-{MF=line1{SG{cg/dt},E=1{dd/*}}}");
    bed.act(0, Act::OffHook);
    bed.act(0, Act::Dial("1#".to_owned()));
    assert_eq!(bed.notified(), "C=-{N=line1{OE=1{dd/d1}}}");
    bed.wait(Duration::from_millis(100));
    assert_eq!(bed.notified(), "C=-{N=line1{OE=1{dd/do}}}");
}

#[test]
fn a_hook_that_is_as_asked_is_told_at_once() {
    let mut bed = Bed::new();
    bed.act(0, Act::OffHook);
    bed.ask("C=-{MF=line1{E=1{al/of}}}");
    assert!(bed.sent.is_empty());
    let id = 70;
    bed.tell(
        PRIMARY,
        &format!("!/3 [192.0.2.1]:2944 T={id}{{C=-{{MF=line1{{E=2{{al/of{{strict=state}}}}}}}}}}"),
    );
    let notify = bed
        .sent
        .iter()
        .position(|(_, text)| text.contains("N=line1"))
        .unwrap();
    let text = without_times(&bed.sent[notify].1);
    assert!(text.contains("al/of{init=True}"), "{text}");
}

#[test]
fn in_lock_step_events_wait_for_each_other() {
    let mut bed = Bed::new();
    bed.ask("C=-{MF=line1{M{TS{BF=SP}},EB{al/on,al/of},E=1{al/of}}}");
    bed.act(0, Act::OffHook);
    bed.act(0, Act::OnHook);
    assert_eq!(bed.notified(), "C=-{N=line1{OE=1{al/of}}}");
    assert!(bed.sent.is_empty());
    bed.tell(
        PRIMARY,
        "!/3 [192.0.2.1]:2944 T=71{C=-{MF=line1{E=2{al/on}}}}",
    );
    let told: Vec<String> = bed
        .sent
        .drain(..)
        .map(|(_, text)| without_times(&text))
        .collect();
    assert!(
        told.iter()
            .any(|text| text.contains("N=line1{OE=2{al/on}}")),
        "{told:?}"
    );
}

#[test]
fn the_end_of_a_signal_is_told_when_it_is_wanted() {
    let mut bed = Bed::new();
    bed.ask("C=-{MF=line1{SG{cg/bt{DR=50,NC={TO}}},E=6{g/sc}}}");
    bed.wait(Duration::from_millis(500));
    assert_eq!(
        bed.notified(),
        "C=-{N=line1{OE=6{g/sc{SigID=cg/bt,Meth=TO}}}}"
    );
}

#[test]
fn two_lines_of_one_phone_talk_without_rtp() {
    let mut bed = Bed::new();
    bed.ask("C=${A=line1,A=line2}");
    bed.act(0, Act::OffHook);
    bed.act(1, Act::OffHook);
    let internal = |event: &(Option<usize>, Event)| {
        matches!(
            event.1,
            Event::Talking {
                choice: "internal",
                ..
            }
        )
    };
    assert_eq!(bed.events.iter().filter(|event| internal(event)).count(), 2);
}

#[test]
fn a_trunk_is_seized_and_answers() {
    let mut bed = Bed::new();
    let digits = "SG{SL=1{dg/d1,dg/d6,dg/ds}}";
    bed.ask(&format!(
        "C=${{A=line2{{{digits},E=7{{al/of,al/on}}}},A=${{M{{O{{MO=SR}},{LOCAL},{REMOTE}}}}}}}"
    ));
    assert!(!bed.state(1).ringing);
    bed.wait(Duration::from_millis(150));
    assert_eq!(bed.state(1).called.as_deref(), Some("16*"));
    assert!(bed.state(1).ringing);
    bed.act(1, Act::OffHook);
    assert_eq!(bed.notified(), "C=1{N=line2{OE=7{al/of}}}");
    assert!(bed.state(1).talk.is_some() && !bed.state(1).ringing);
    bed.act(1, Act::OnHook);
    assert_eq!(bed.notified(), "C=1{N=line2{OE=7{al/on}}}");
    bed.ask("C=1{S=*}");
    assert_eq!(bed.state(1).called, None);
}
