//! Whom the gateway belongs to.

use super::*;

#[test]
fn it_registers_with_a_cold_restart() {
    let mut bed = Bed::off();
    bed.with(|gateway, now, out| gateway.start(now, Restart::Cold, out));
    let (to, text) = bed.message();
    let id = number(&text);
    let expected = format!(
        "!/1 [10.0.0.7]:1024\nT={id}{{C=-{{SC=root{{SV{{MT=RS,RE=\"901\",PF=ResGW/1,V=3}}}}}}}}"
    );
    assert_eq!(
        (to, text.to_lowercase()),
        (PRIMARY, expected.to_lowercase())
    );
    bed.accept(&text);
    assert_eq!(bed.names(), ["registering", "registered"]);
    // What is said from now on is of version 3.
    bed.ask("C=-{MF=line1{E=1{al/of}}}");
    bed.act(0, Act::OffHook);
    assert!(bed.message().1.starts_with("!/3 "));
}

#[test]
fn a_silent_primary_makes_it_ask_the_backup() {
    let mut bed = Bed::off();
    bed.with(|gateway, now, out| gateway.start(now, Restart::Cold, out));
    bed.wait(Duration::from_secs(5));
    let to: Vec<SocketAddrV4> = bed.sent.drain(..).map(|(to, _)| to).collect();
    // At 0, 0.5, 1.5 and 3.5 s.
    assert_eq!(to, [PRIMARY, PRIMARY, PRIMARY, PRIMARY, BACKUP]);
    // Both silent: it rests, and begins anew.
    bed.wait(Duration::from_secs(9));
    assert!(
        bed.sent
            .iter()
            .any(|(to, text)| *to == PRIMARY && text.contains("901"))
    );
}

#[test]
fn a_controller_that_dies_is_left_and_what_happened_is_told_to_the_next() {
    let mut bed = Bed::new();
    bed.ask("C=-{MF=line1{E=1{al/of}}}");
    bed.act(0, Act::OffHook);
    bed.wait(Duration::from_secs(5));
    let (to, asked) = bed.sent.pop().unwrap();
    assert_eq!(to, BACKUP);
    assert!(asked.contains("MT=FL,RE=\"909\""), "{asked}");
    bed.sent.clear();
    let id = number(&asked);
    bed.tell(
        BACKUP,
        &format!("!/1 [192.0.2.2]:2944 P={id}{{C=-{{SC=ROOT}}}}"),
    );
    assert_eq!(bed.gateway.registered(), Some(BACKUP));
    let (to, text) = bed.message();
    assert_eq!(to, BACKUP);
    assert!(
        text.contains("N=line1{OE=1{") && text.contains("al/of"),
        "{text}"
    );
    let primary = bed.events.iter().find_map(|(_, event)| match event {
        Event::Registered { primary, .. } => Some(*primary),
        _ => None,
    });
    assert_eq!(primary, Some(false));
}

#[test]
fn silence_is_noticed_by_the_heartbeat() {
    let mut bed = Bed::new();
    assert_eq!(
        bed.ask("C=-{MF=root{E=9{it/ito{mit=300}}}}"),
        "C=-{MF=root}"
    );
    bed.wait(Duration::from_millis(2900));
    assert!(bed.sent.is_empty());
    bed.wait(Duration::from_millis(100));
    assert_eq!(bed.notified(), "C=-{N=root{OE=9{it/ito}}}");
    // It is there: again 3 s later, and then it is not.
    bed.wait(Duration::from_secs(3));
    assert!(bed.message().1.contains("it/ito"));
    bed.wait(Duration::from_secs(5));
    assert!(bed.sent.pop().unwrap().1.contains("MT=FL"));
}

#[test]
fn it_goes_where_it_is_sent() {
    let mut bed = Bed::new();
    let change = "C=-{SC=root{SV{MT=HO,RE=\"903\",MG=[192.0.2.2]:2944}}}";
    assert_eq!(bed.ask(change), "C=-{SC=root}");
    let (to, text) = bed.message();
    assert_eq!(to, BACKUP);
    assert!(text.contains("MT=HO,RE=\"903\""), "{text}");
    let id = number(&text);
    bed.tell(
        BACKUP,
        &format!("!/1 [192.0.2.2]:2944 P={id}{{C=-{{SC=ROOT}}}}"),
    );
    assert_eq!(bed.gateway.registered(), Some(BACKUP));
    // The old one is not obeyed any more.
    bed.tell(PRIMARY, "!/1 [192.0.2.1]:2944 T=77{C=-{AV=root}}");
    assert!(bed.message().1.contains("ER=504"));
}

#[test]
fn a_refusal_a_better_address_and_another_controller_are_heeded() {
    let mut bed = Bed::off();
    bed.with(|gateway, now, out| gateway.start(now, Restart::Warm, out));
    let (_, asked) = bed.message();
    assert!(asked.contains("902"));
    let id = number(&asked);
    bed.tell(
        PRIMARY,
        &format!("!/1 [192.0.2.1]:2944 P={id}{{C=-{{SC=ROOT{{ER=502{{\"not ready\"}}}}}}}}"),
    );
    let (to, asked) = bed.message();
    assert_eq!(to, BACKUP);
    let id = number(&asked);
    bed.tell(
        BACKUP,
        &format!("!/1 [192.0.2.2]:2944 P={id}{{C=-{{SC=ROOT{{SV{{MG=[192.0.2.3]:2945}}}}}}}}"),
    );
    let (to, asked) = bed.message();
    assert_eq!(to.to_string(), "192.0.2.3:2945");
    let id = number(&asked);
    bed.tell(
        to,
        &format!("!/1 [192.0.2.3]:2945 P={id}{{C=-{{SC=ROOT{{SV{{AD=3000}}}}}}}}"),
    );
    assert_eq!(
        bed.gateway.registered().unwrap().to_string(),
        "192.0.2.3:3000"
    );
}

#[test]
fn a_controller_that_has_forgotten_it_is_asked_again() {
    let mut bed = Bed::new();
    bed.ask("C=-{MF=line1{E=1{al/of}}}");
    bed.act(0, Act::OffHook);
    let id = number(&bed.message().1);
    bed.tell(
        PRIMARY,
        &format!("!/1 [192.0.2.1]:2944 P={id}{{ER=505{{\"register\"}}}}"),
    );
    let (to, asked) = bed.message();
    assert_eq!(to, PRIMARY);
    assert!(asked.contains("MT=DC,RE=\"900\""), "{asked}");
    assert!(bed.names().contains(&"unregistered".to_owned()));
}

#[test]
fn it_says_good_bye() {
    let mut bed = Bed::new();
    bed.with(|gateway, now, out| gateway.leave_switch(now, out));
    assert!(bed.message().1.contains("MT=FO,RE=\"905\""));
    assert_eq!(bed.gateway.registered(), None);
    assert_eq!(bed.names(), ["unregistered"]);
}
