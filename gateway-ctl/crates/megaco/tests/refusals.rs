//! Messages that are refused: with which code, and whose fault it is.

use megaco::{ErrorCode, Limits, PartsBody, TransactionKind, parse, parse_parts};

use TransactionKind::{Ack, Pending, Reply, Request, Segment};

const HEAD: &str = "!/1 [192.0.2.9]:2944\n";

type Row = (
    &'static str,
    u16,
    Option<(TransactionKind, u32)>,
    &'static str,
);

/// Behind the head: the text, the code, whose it is, and where the fault begins.
const BROKEN: &[Row] = &[
    ("", 400, None, ""),
    ("X=1{}", 400, None, "X"),
    ("{", 400, None, "{"),
    ("ER=400{}T=1{C=-{MF=a}}", 400, None, "T="),
    ("T{C=-{MF=a}}", 403, Some((Request, 0)), "{C"),
    ("T={C=-{MF=a}}", 403, Some((Request, 0)), "{C"),
    ("T=x{C=-{MF=a}}", 403, Some((Request, 0)), "x{"),
    ("T=4294967296{C=-{MF=a}}", 403, Some((Request, 0)), "42"),
    ("T=7", 403, Some((Request, 7)), ""),
    ("T=7{}", 403, Some((Request, 7)), ""),
    ("T=7{C=-{MF=a}", 403, Some((Request, 7)), ""),
    ("T=7{MF=a}", 403, Some((Request, 7)), "MF"),
    ("T=7/1{C=-{MF=a}}", 403, Some((Request, 7)), "7/1"),
    ("T=7{C{MF=a}}", 422, Some((Request, 7)), "{MF"),
    ("T=7{C=x{MF=a}}", 422, Some((Request, 7)), "x{"),
    ("T=7{C=0{MF=a}}", 422, Some((Request, 7)), "0{"),
    ("T=7{C=4294967294{MF=a}}", 422, Some((Request, 7)), "42"),
    ("T=7{C=1{}}", 422, Some((Request, 7)), "}"),
    ("T=7{C=1{PR=x}}", 422, Some((Request, 7)), "x}"),
    ("T=7{C=1{PR=1,PR=2}}", 421, Some((Request, 7)), "=2"),
    ("T=7{C=1{EG,EGO}}", 421, Some((Request, 7)), "}"),
    ("T=7{C=1{TP{a,b}}}", 422, Some((Request, 7)), "}"),
    ("T=7{C=1{TP{a,b,c}}}", 422, Some((Request, 7)), "c}"),
    ("T=7{C=1{CA{}}}", 422, Some((Request, 7)), "}"),
    ("T=7{C=1{XX=a}}", 443, Some((Request, 7)), "XX"),
    ("T=7{C=1{O-=a}}", 443, Some((Request, 7)), "O-"),
    ("T=7{C=1{W-O-MF=a}}", 443, Some((Request, 7)), "W-"),
    ("T=7{C=1{MF{M{}}}}", 442, Some((Request, 7)), "{M"),
    ("T=7{C=1{MF=}}", 442, Some((Request, 7)), "}"),
    ("T=7{C=1{MF=[]}}", 442, Some((Request, 7)), "}"),
    ("T=7{C=1{MF=a{XX}}}", 444, Some((Request, 7)), "XX"),
    ("T=7{C=1{MF=a{OE=1{al/on}}}}", 447, Some((Request, 7)), "OE"),
    (
        "T=7{C=1{MF=a{SV{MT=RS,RE=1}}}}",
        447,
        Some((Request, 7)),
        "SV",
    ),
    ("T=7{C=1{S=a{M{}}}}", 447, Some((Request, 7)), "M{"),
    ("T=7{C=1{N=a{AT{}}}}", 447, Some((Request, 7)), "AT"),
    ("T=7{C=1{N=a{}}}", 442, Some((Request, 7)), "}"),
    ("T=7{C=1{N=a{OE=1{}}}}", 442, Some((Request, 7)), "}"),
    (
        "T=7{C=1{MF=a{SG{al/ri},SG}}}",
        448,
        Some((Request, 7)),
        "SG}",
    ),
    (
        "T=7{C=1{MF=a{M{L{},L{}}}}}",
        448,
        Some((Request, 7)),
        "L{}}",
    ),
    (
        "T=7{C=1{MF=a{M{ST=1{},ST=1{}}}}}",
        448,
        Some((Request, 7)),
        "ST=1{}}",
    ),
    (
        "T=7{C=1{MF=a{M{L{},ST=1{}}}}}",
        442,
        Some((Request, 7)),
        "ST",
    ),
    (
        "T=7{C=1{MF=a{M{ST=1{},L{}}}}}",
        442,
        Some((Request, 7)),
        "L{",
    ),
    ("T=7{C=1{MF=a{M{L{v=0\n}}}}", 403, Some((Request, 7)), ""),
    ("T=7{C=1{MF=a{M{L{v=0\n", 442, Some((Request, 7)), "v="),
    (
        "T=7{C=1{MF=a{M{O{MO=SR,MO=SO}}}}}",
        456,
        Some((Request, 7)),
        "MO=SO",
    ),
    ("T=7{C=1{MF=a{M{O{MO=XX}}}}}", 449, Some((Request, 7)), "XX"),
    ("T=7{C=1{MF=a{M{O{RG=1}}}}}", 449, Some((Request, 7)), "1}"),
    (
        "T=7{C=1{MF=a{M{O{gain=1}}}}}",
        445,
        Some((Request, 7)),
        "gain",
    ),
    ("T=7{C=1{MF=a{M{O{x/y}}}}}", 442, Some((Request, 7)), "}"),
    (
        "T=7{C=1{MF=a{M{O{x/y=[1:2,3]}}}}}",
        442,
        Some((Request, 7)),
        "]}",
    ),
    (
        "T=7{C=1{MF=a{M{TS{SI=XX}}}}}",
        449,
        Some((Request, 7)),
        "XX",
    ),
    ("T=7{C=1{MF=a{E=1{al}}}}", 442, Some((Request, 7)), "al}"),
    (
        "T=7{C=1{MF=a{E=1{al/on{strict}}}}}",
        446,
        Some((Request, 7)),
        "strict",
    ),
    (
        "T=7{C=1{MF=a{E=1{al/on{x=1,x=2}}}}}",
        456,
        Some((Request, 7)),
        "x=2",
    ),
    (
        "T=7{C=1{MF=a{E=1{al/on{KA,KA}}}}}",
        456,
        Some((Request, 7)),
        "KA}",
    ),
    (
        "T=7{C=1{MF=a{E=1{al/on{EM{}}}}}}",
        442,
        Some((Request, 7)),
        "}",
    ),
    (
        "T=7{C=1{MF=a{E=1{al/on{EM{E=2{al/of{EM{E=3{al/on}}}}}}}}}}",
        447,
        Some((Request, 7)),
        "E=3",
    ),
    (
        "T=7{C=1{MF=a{SG{al/ri{SY=XX}}}}}",
        449,
        Some((Request, 7)),
        "XX",
    ),
    (
        "T=7{C=1{MF=a{SG{al/ri{DR=65536}}}}}",
        442,
        Some((Request, 7)),
        "65536",
    ),
    ("T=7{C=1{MF=a{SG{SL=1{}}}}}", 442, Some((Request, 7)), "}"),
    (
        "T=7{C=1{MF=a{DM={T:100,x}}}}",
        442,
        Some((Request, 7)),
        "100",
    ),
    (
        "T=7{C=1{MF=a{DM={T:1,T:2,x}}}}",
        442,
        Some((Request, 7)),
        "T:2",
    ),
    ("T=7{C=1{MF=a{DM={}}}}", 442, Some((Request, 7)), "}"),
    ("T=7{C=1{MF=a{DM={1\"2}}}}", 442, Some((Request, 7)), "1\"2"),
    ("T=7{C=-{SC=root}}", 442, Some((Request, 7)), "}"),
    ("T=7{C=-{SC=root{M{}}}}", 447, Some((Request, 7)), "M{"),
    (
        "T=7{C=-{SC=root{SV{RE=\"901\"}}}}",
        442,
        Some((Request, 7)),
        "{RE",
    ),
    (
        "T=7{C=-{SC=root{SV{MT=RS}}}}",
        442,
        Some((Request, 7)),
        "{MT",
    ),
    (
        "T=7{C=-{SC=root{SV{MT=XX,RE=\"901\"}}}}",
        449,
        Some((Request, 7)),
        "XX",
    ),
    (
        "T=7{C=-{SC=root{SV{MT=RS,RE=\"why\"}}}}",
        449,
        Some((Request, 7)),
        "\"why",
    ),
    (
        "T=7{C=-{SC=root{SV{MT=RS,RE=\"901\",PF=a/1,PF=b/1}}}}",
        456,
        Some((Request, 7)),
        "PF=b",
    ),
    (
        "T=7{C=-{SC=root{SV{MT=RS,RE=\"901\",AD=1,MG=a}}}}",
        442,
        Some((Request, 7)),
        "{MT",
    ),
    (
        "T=7{C=-{SC=root{SV{MT=RS,RE=\"901\",PF=a}}}}",
        442,
        Some((Request, 7)),
        "a}",
    ),
    (
        "T=7{C=-{SC=root{SV{MT=RS,RE=\"901\",V=100}}}}",
        449,
        Some((Request, 7)),
        "V=",
    ),
    (
        "T=7{C=-{SC=root{SV{MT=RS,RE=\"901\",XX=1}}}}",
        446,
        Some((Request, 7)),
        "XX",
    ),
    ("P=7{C=-{SC=root{SV{MT=RS}}}}", 446, Some((Reply, 7)), "MT"),
    ("P=7{}", 403, Some((Reply, 7)), "}"),
    ("P=7{IA}", 403, Some((Reply, 7)), "}"),
    ("P=7{C=1{AV=a{AT{}}}}", 447, Some((Reply, 7)), "AT"),
    ("P=7{C=1{XX=a}}", 443, Some((Reply, 7)), "XX"),
    ("P=7{C=1{ER=1{},MF=a}}", 422, Some((Reply, 7)), "MF"),
    ("P=7{ER=12345{}}", 403, Some((Reply, 7)), "12345"),
    ("P=7{ER=1{\"text}}", 403, Some((Reply, 7)), "\"text"),
    ("P=7{ER=1{\"a\nb\"}}", 403, Some((Reply, 7)), "\"a"),
    ("P=7/x{C=1}", 403, Some((Reply, 7)), "7/x"),
    ("P=7/1/2{C=1}", 403, Some((Reply, 7)), "7/1/2"),
    ("PN=7", 403, Some((Pending, 7)), ""),
    ("K{}", 403, Some((Ack, 0)), ""),
    ("K{5-4}", 403, Some((Ack, 0)), "5-4"),
    ("K{1-}", 403, Some((Ack, 0)), "1-"),
    ("SM=7", 403, Some((Segment, 7)), "7"),
];

#[test]
fn transactions_are_refused_with_their_numbers() {
    let mut wrong = Vec::new();
    for (text, code, transaction, at) in BROKEN {
        let message = format!("{HEAD}{text}");
        let error = match parse(message.as_bytes()) {
            Ok(message) => {
                wrong.push(format!("{text} is {message:?}"));
                continue;
            }
            Err(error) => error,
        };
        let rest = &message[error.position..];
        let there = rest.starts_with(at) && rest.is_empty() == at.is_empty();
        let expected = (ErrorCode(*code), *transaction);
        if (error.code, error.transaction) != expected || !there || error.head.is_none() {
            wrong.push(format!("{text}: {error}, {:?}", error.transaction));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whole messages, and where the fault begins.
const HEADLESS: &[(&str, u16, &str)] = &[
    ("", 400, ""),
    (" ; nothing but a comment", 400, ""),
    ("INVITE sip:a@b SIP/2.0", 400, "INVITE"),
    ("MEGACO [192.0.2.9] T=1{C=-{MF=a}}", 400, "MEGACO"),
    ("MEGACO/100 [192.0.2.9] T=1{C=-{MF=a}}", 400, "MEGACO"),
    ("!/x [192.0.2.9] T=1{C=-{MF=a}}", 400, "!/x"),
    ("!/0 [192.0.2.9] T=1{C=-{MF=a}}", 406, "!/0"),
    ("!/1 [192.0.2.256] T=1{C=-{MF=a}}", 400, "[192"),
    ("!/1 [192.0.2] T=1{C=-{MF=a}}", 400, "[192"),
    ("!/1 [2001:db8::1::2] T=1{C=-{MF=a}}", 400, "[2001"),
    ("!/1 [192.0.2.9]:65536 T=1{C=-{MF=a}}", 400, "65536"),
    ("!/1 [192.0.2.9 T=1{C=-{MF=a}}", 400, "[192"),
    ("!/1 <> T=1{C=-{MF=a}}", 400, "> T"),
    ("!/1 <a T=1{C=-{MF=a}}", 400, " T"),
    ("!/1 MTP{123} T=1{C=-{MF=a}}", 400, "123"),
    ("!/1 MTP{xyzx} T=1{C=-{MF=a}}", 400, "xyzx"),
    ("!/1 {T=1{C=-{MF=a}}", 400, "{T"),
    (
        "AU=0x00000001:0x1:0x000000000000000000000000 !/1 a ER=1{}",
        400,
        "0x1",
    ),
    ("AU=0x00000001 !/1 a ER=1{}", 400, " !"),
];

#[test]
fn messages_without_a_head_are_refused() {
    for (text, code, at) in HEADLESS {
        let error = parse(text.as_bytes()).expect_err(text);
        assert_eq!(error.code, ErrorCode(*code), "{text}: {error}");
        assert!(text[error.position..].starts_with(at), "{text}: {error}");
        assert_eq!((error.transaction, &error.head), (None, &None), "{text}");
    }
}

#[test]
fn an_error_says_what_was_got_and_expected() {
    let error = parse(format!("{HEAD}T=7{{C=12{{MF=a{{XX}}}}}}").as_bytes()).expect_err("XX");
    assert_eq!(
        error.to_string(),
        "error 444 at byte 35: got \"XX}}}\", expected a descriptor"
    );
    assert_eq!(error.context, Some(megaco::ContextId::Id(12)));
}

/// Each is `Ok` with its number, or the code.
fn parts(text: &str, limits: &Limits) -> Vec<Result<(), u16>> {
    let parts = parse_parts(text.as_bytes(), limits).expect("a head");
    let PartsBody::Transactions(parts) = parts.body else {
        panic!("transactions");
    };
    let parts = parts.into_iter().map(|part| part.transaction);
    parts
        .map(|part| part.map(drop).map_err(|error| error.code.0))
        .collect()
}

#[test]
fn what_stands_behind_a_broken_transaction_is_read() {
    let next = "T=2{C=1{MF=b}}P=3{C=1{MF=c}}";
    for broken in [
        "T=1{XX{}}",
        "T=1{C=1{MF=a{M{L{v=0\ns={{{\n},XX}}}}",
        "T=1{C=1{MF=a{M{R{ \\} \" },XX}}}}",
        "T=1{C=1{MF=a{XX=\"}}}\"}}}",
        "T=1{C=1{MF=a{XX ; }}} {\n }}}",
        "T=x{C=1{MF=R{M{}}}}",
        "T=1{C=1{XX=R{M{}}}}",
        "XX=1{C=1{}}",
    ] {
        let found = parts(&format!("{HEAD}{broken}{next}"), &Limits::default());
        assert!(found.len() == 3 && found[0].is_err(), "{broken}: {found:?}");
        assert_eq!(found[1..], [Ok(()), Ok(())], "{broken}");
    }
}

#[test]
fn too_much_is_refused() {
    let one = "T=1{C=1{MF=a}}";
    let many = format!("{HEAD}{}", one.repeat(4));
    let limits = Limits {
        transactions: 3,
        ..Limits::default()
    };
    let error = parse_parts(many.as_bytes(), &limits).expect_err("four");
    assert_eq!(error.code, ErrorCode::TOO_MANY_TRANSACTIONS);
    let limits = Limits {
        size: many.len() - 1,
        ..limits
    };
    let error = parse_parts(many.as_bytes(), &limits).expect_err("too long");
    assert_eq!(error.code, ErrorCode::NO_RESOURCES);
    let limits = Limits {
        items: 4,
        ..Limits::default()
    };
    let found = parts(
        &format!("{HEAD}T=1{{C=1{{MF=a,MF=b,MF=c,MF=d}}}}{one}"),
        &limits,
    );
    assert_eq!(found, [Err(510), Ok(())]);
}
