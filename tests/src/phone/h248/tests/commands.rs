//! Single commands: contexts, terminations, errors, audits.

use super::*;

const STREAM: &str = "M{O{MO=IN},L{v=0\nc=IN IP4 $\nm=audio $ RTP/AVP 0\n}}";

#[test]
fn a_context_with_a_line_and_a_stream_comes_and_goes() {
    let mut bed = Bed::new();
    let reply = bed.ask(&format!("C=${{A=line1,A=${{{STREAM}}}}}"));
    let local = "v=0\r\nc=IN IP4 10.0.0.7\r\nm=audio 1026 RTP/AVP 0\r\n";
    assert_eq!(
        reply,
        format!("C=1{{A=line1,A=rtp/1{{M{{L{{\n{local}}}}}}}}}")
    );
    assert_eq!(bed.bound, [1026, 1027]);
    assert_eq!(bed.state(0).stream, Some(1026));
    assert_eq!(bed.ask("C=*{AV=*{AT{}}}"), "C=1{AV=line1,AV=rtp/1}");
    let gone = bed.ask("C=1{S=*}");
    assert!(
        gone.starts_with("C=1{S=line1{SA{nt/dur=0}},S=rtp/1{SA{nt/dur=0,nt/os=0,"),
        "{gone}"
    );
    assert_eq!(bed.bound, [0; 0]);
    assert_eq!(
        bed.ask("C=1{AV=*}"),
        "C=1{ER=411{\"The transaction refers to an unknown context\"}}"
    );
    assert_eq!(bed.names(), ["media"]);
}

#[test]
fn what_is_wrong_has_its_code() {
    let mut bed = Bed::new();
    bed.ask("C=${A=line1}");
    for (actions, code) in [
        ("C=-{MF=line9{E=1{al/of}}}", 430),
        ("C=-{MF=fax*{E=1{al/of}}}", 431),
        ("C=9{S=line1}", 411),
        ("C=-{MF=line1{E=1{al/of}}}", 435),
        ("C=${A=line1}", 433),
        ("C=${A=line9}", 430),
        ("C=-{A=line2}", 421),
        ("C=-{MF=line2{E=1{xx/of}}}", 440),
        ("C=-{MF=line2{E=1{al/xx}}}", 451),
        ("C=-{MF=line2{E=1{dd/ce}}}", 457),
        ("C=-{MF=line2{SG{cg/xx}}}", 452),
        ("C=-{MF=line2{E=1{al/on{strict=failWrong}}}}", 540),
        ("C=-{MF=line2{M{TS{xx/a=1}}}}", 440),
        ("C=-{MF=line2{MD=V18}}", 444),
        ("C=-{N=line2{OE=1{al/of}}}", 443),
        ("C=1{TP{line1,line2,IS},MF=line1}", 444),
        (
            "C=1{A=${M{L{v=0\nc=IN IP4 $\nm=audio $ RTP/AVP 18\n}}}}",
            515,
        ),
        (
            "C=1{A=${M{R{v=0\nc=IN IP4 10.0.0.8\nm=audio 4000 RTP/AVP 18\n}}}}",
            515,
        ),
    ] {
        let reply = bed.ask(actions);
        assert!(
            reply.contains(&format!("ER={code}{{")),
            "{actions}: {reply}"
        );
    }
    // Nothing of it left a trace.
    assert_eq!(bed.ask("C=*{AV=*{AT{}}}"), "C=1{AV=line1}");
    assert_eq!(bed.bound, [0; 0]);
}

#[test]
fn an_error_ends_a_transaction_unless_it_is_optional() {
    let mut bed = Bed::new();
    let reply = bed.ask("C=-{MF=line9,MF=line1},C=-{MF=line2}");
    assert!(
        reply.starts_with("C=-{MF=line9{ER=430")
            && !reply.contains("line1")
            && !reply.contains("line2"),
        "{reply}"
    );
    let reply = bed.ask("C=-{O-MF=line9,MF=line1},C=-{MF=line2}");
    assert!(reply.ends_with("MF=line1},C=-{MF=line2}"), "{reply}");
}

#[test]
fn the_same_request_is_done_once() {
    let mut bed = Bed::new();
    let add = "!/3 [192.0.2.1]:2944 T=50{C=${A=line1}}";
    bed.tell(PRIMARY, add);
    bed.tell(PRIMARY, add);
    let (one, other) = (bed.message(), bed.message());
    assert_eq!(one, other);
    assert!(one.1.contains("C=1{A=line1}"));
    // A controller that begins anew with the same numbers means something else.
    bed.tell(PRIMARY, "!/3 [192.0.2.1]:2944 T=50{C=1{S=line1{AT{}}}}");
    assert!(bed.message().1.contains("S=line1"));
    // Nobody else may do anything.
    bed.tell(OTHER, add);
    assert!(bed.message().1.contains("ER=504"));
}

#[test]
fn what_cannot_be_read_is_answered() {
    let mut bed = Bed::new();
    bed.tell(PRIMARY, "!/3 [192.0.2.1]:2944 T=51{C=-{XX=line1}}");
    let (_, reply) = bed.message();
    assert!(reply.contains("P=51{ER=4"), "{reply}");
    bed.tell(PRIMARY, "garbage");
    assert!(bed.sent.is_empty());
    assert_eq!(bed.names(), ["error", "error"]);
}

#[test]
fn wildcards_and_choices() {
    let mut bed = Bed::new();
    assert_eq!(
        bed.ask("C=-{W-MF=line*{E=3{al/of}}}"),
        "C=-{W-MF=line*}".replace("W-", "")
    );
    assert_eq!(
        bed.ask("C=-{MF=line*{E=3{al/of}}}"),
        "C=-{MF=line1,MF=line2}"
    );
    assert_eq!(bed.ask("C=${A=line$}"), "C=1{A=line1}");
    assert_eq!(bed.ask("C=1{A=line$}"), "C=1{A=line2}");
    assert!(bed.ask("C=1{A=line$}").contains("ER=432"));
    let reply = bed.ask(&format!("C=1{{A=rtp/${{{STREAM}}}}}"));
    assert!(reply.contains("A=rtp/1{"), "{reply}");
}

#[test]
fn a_line_moves_and_its_context_goes() {
    let mut bed = Bed::new();
    bed.ask("C=${A=line1}");
    bed.ask("C=${A=line2}");
    assert_eq!(bed.ask("C=2{MV=line1}"), "C=2{MV=line1}");
    assert!(bed.ask("C=1{AV=*}").contains("ER=411"));
    assert_eq!(bed.ask("C=2{AV=*{AT{}}}"), "C=2{AV=line1,AV=line2}");
}

#[test]
fn audits_tell_what_is_and_what_could_be() {
    let mut bed = Bed::new();
    let reply = bed.ask("C=-{AV=root{AT{PG}},AV=line1{AT{M,E,SG,DM,OE}}}");
    assert_eq!(
        reply,
        "C=-{AV=root{PG{g-1,root-1,it-1,seg-1}},AV=line1{M{TS{SI=IV,BF=OFF}},E,SG,DM,OE}}"
    );
    bed.ask("C=-{MF=line1{E=4{al/of{strict=state}},SG{cg/dt},DM=plan{(xxxx)}}}");
    let reply = bed.ask("C=-{AV=line1{AT{E,SG,DM}}}");
    assert_eq!(
        reply,
        "C=-{AV=line1{E=4{al/of{strict=state}},SG{cg/dt},DM=plan{(xxxx)}}}"
    );
    let reply = bed.ask("C=-{AC=line1{AT{E,PG}}}");
    assert!(
        reply.starts_with("C=-{AC=line1{E=*{g/*,nt/*,al/*,dd/*},PG{"),
        "{reply}"
    );
    let reply = bed.ask("C=-{W-AV=line*{AT{M}}}");
    assert_eq!(reply, "C=-{AV=line*{M{TS{SI=IV,BF=OFF}}}}");
}

#[test]
fn lines_go_out_of_service_and_come_back() {
    let mut bed = Bed::new();
    assert_eq!(
        bed.ask("C=-{SC=line1{SV{MT=FO,RE=\"904\"}}}"),
        "C=-{SC=line1}"
    );
    assert!(bed.ask("C=-{AV=line1{AT{M}}}").contains("SI=OS"));
    bed.ask("C=-{MF=line1{M{TS{SI=IV}}}}");
    assert!(bed.ask("C=-{AV=line1{AT{M}}}").contains("SI=IV"));
}

#[test]
fn all_ports_taken_is_said() {
    let mut bed = Bed::new();
    // 1026, 1028 and 1030.
    for _ in 0..3 {
        let reply = bed.ask(&format!("C=${{A=${{{STREAM}}}}}"));
        assert!(!reply.contains("ER="), "{reply}");
    }
    assert!(
        bed.ask(&format!("C=${{A=${{{STREAM}}}}}"))
            .contains("ER=510")
    );
    assert_eq!(bed.bound, [1026, 1027, 1028, 1029, 1030, 1031]);
}

#[test]
fn an_acknowledgement_is_sent_when_it_is_wanted() {
    let mut bed = Bed::off();
    bed.with(|gateway, now, out| gateway.start(now, Restart::Cold, out));
    let id = number(&bed.message().1);
    bed.tell(
        PRIMARY,
        &format!("!/1 [192.0.2.1]:2944 P={id}{{IA,C=-{{SC=ROOT}}}}"),
    );
    assert!(bed.message().1.contains(&format!("K{{{id}}}")));
}
