use super::*;

const HEAD: &str = "{\"gateway_export\":2}\n";
const LINES: &str = concat!(
    r#"{"history":{"public":"192.0.2.1","ports":"40000-40063","private":"10.10.2.1","#,
    r#""hardware":"02:00:00:00:00:01","client":"01020000000001","begin":5,"end":9}}"#,
    "\n",
    r#"{"binding":{"private":"10.10.3.1","public":"192.0.2.2","ports":"40000-40063"}}"#,
    "\n",
);
const END: &str = "{\"end\":{\"leases\":0,\"reservations\":0,\"history\":1,\"bindings\":1}}\n";

fn read(text: &str) -> Result<Backup, String> {
    // However the bytes come.
    let by = |size: usize| {
        let mut reading = Reading::default();
        let mut pieces = text.as_bytes().chunks(size);
        let taken = pieces.try_for_each(|piece| reading.take(piece));
        let read = taken.and_then(|()| reading.finish());
        read.map_err(|error| format!("{error:#}"))
    };
    let (whole, pieces) = (by(usize::MAX), by(7));
    assert_eq!(whole.as_ref().err(), pieces.err().as_ref());
    whole
}

#[test]
fn a_whole_file_is_read() {
    let backup = read(&format!("{HEAD}{LINES}{END}")).unwrap();
    assert_eq!(backup.history.len(), 1);
    assert_eq!(backup.bindings[0].0, 3);
    // Editors add empty lines, or take the last line feed away.
    let text = format!("{HEAD}\n{LINES}\n{END}\n\n");
    assert_eq!(read(&text).unwrap().bindings[0].0, 4);
    assert!(read(format!("{HEAD}{LINES}{END}").trim_end()).is_ok());
}

#[test]
fn wherever_a_file_is_cut_off_it_is_refused() {
    let text = format!("{HEAD}{LINES}{END}");
    let whole = text.trim_end().len();
    for length in 0..whole {
        let error = read(&text[..length]).unwrap_err();
        assert!(
            error.contains("cut off") || error.contains("there is nothing in it"),
            "{length}: {error}"
        );
    }
    assert_eq!(
        read(&format!("{HEAD}{LINES}")).unwrap_err(),
        "line 3: the file was cut off: its last line, {\"end\":..}, is missing, and what else came \
         after these 0 leases, 0 reservations, 1 line of history, 1 binding"
    );
}

#[test]
fn what_is_wrong_is_said_once_with_its_line() {
    for (text, error) in [
        (
            format!("{HEAD}{{\"lease\":{{}}}}\n{END}"),
            "line 2: this is no line of a backup: missing field `address`",
        ),
        (
            format!("{HEAD}phones\n{END}"),
            "line 2: this is no line of a backup: expected value",
        ),
        (
            format!("{LINES}{END}"),
            "line 1: a backup begins with {\"gateway_export\":2}: its beginning is missing",
        ),
        (
            format!("{HEAD}{END}"),
            "line 2: lines are missing or too many: there should be 0 leases, 0 reservations, 1 line \
             of history, 1 binding, there are 0 leases, 0 reservations, 0 lines of history, 0 bindings",
        ),
        (
            format!("{HEAD}{LINES}{END}{LINES}"),
            "line 5: there is more after the end",
        ),
        (
            format!("{HEAD}{LINES}{END}{HEAD}"),
            "line 5: another backup begins here: import one at a time",
        ),
        (
            "{\"gateway_export\":3}\n".to_owned(),
            "line 1: format 3, this gateway reads 2",
        ),
        (
            format!("{HEAD}{}\n{END}", " ".repeat(LONGEST + 1)),
            "line 2: longer than 1048576 bytes, which no line of a backup is",
        ),
    ] {
        assert_eq!(read(&text).unwrap_err(), error);
    }
}

#[test]
fn the_format_without_an_end_is_refused_with_a_way_out() {
    let old = HEAD.replace('2', "1");
    let error = read(&format!("{old}{LINES}")).unwrap_err();
    let (_, end) = error.split_once("as its last one ").unwrap();
    assert!(read(&format!("{HEAD}{LINES}{end}")).is_ok(), "{error}");
}

/// A backup of these leases' address, state, and first and last port.
fn leases(all: &[(&str, &str, &str)]) -> String {
    let lease = |(address, state, ports): &(&str, &str, &str)| {
        format!(
            r#"{{"lease":{{"address":"{address}","client":"0102","hardware":"02:00:00:00:00:01","scope":"a","grant":{{"address":"192.0.2.1","ports":"{ports}"}},"granted_at":5,"renewed_at":5,"state":{state}}}}}"#
        ) + "\n"
    };
    let lines: String = all.iter().map(lease).collect();
    let (count, end) = (
        all.len(),
        END.replace(
            "\"history\":1,\"bindings\":1",
            "\"history\":0,\"bindings\":0",
        ),
    );
    let end = end.replace("\"leases\":0", &format!("\"leases\":{count}"));
    format!("{HEAD}{lines}{end}")
}

#[test]
fn what_contradicts_itself_is_refused_with_its_lines() {
    const ACTIVE: &str = "\"active\"";
    const ENDED: &str = "{\"ended\":{\"at\":7}}";
    let [one, two] = ["10.10.2.1", "10.10.2.2"];
    let [range, larger] = ["40000-40063", "39936-40191"];
    for all in [
        [(one, ACTIVE, range), (two, ACTIVE, "40064-40127")],
        // Its former client remembers it.
        [(one, ACTIVE, range), (two, ENDED, range)],
    ] {
        assert_eq!(read(&leases(&all)).map(|backup| backup.leases.len()), Ok(2));
    }
    for (all, error) in [
        (
            [(one, ENDED, range), (one, ACTIVE, range)],
            "lines 2 and 3: both are leases of 10.10.2.1",
        ),
        (
            [(one, ACTIVE, range), (two, ACTIVE, range)],
            "lines 2 and 3: two phones have ports 40000-40063 and 40000-40063 of 192.0.2.1",
        ),
        (
            [(one, ACTIVE, range), (two, ACTIVE, larger)],
            "lines 2 and 3: two phones have ports 39936-40191 and 40000-40063 of 192.0.2.1",
        ),
    ] {
        assert_eq!(read(&leases(&all)).unwrap_err(), error);
    }
    let reservation = "{\"reservation\":{\"client\":\"id:0102\"}}\n";
    let end = END.replace("1,\"bindings\":1", "0,\"bindings\":0");
    let end = end.replace("\"reservations\":0", "\"reservations\":2");
    assert_eq!(
        read(&format!("{HEAD}{reservation}{reservation}{end}")).unwrap_err(),
        "lines 2 and 3: both are reservations for id:0102"
    );
}

#[test]
fn times_that_cannot_be_are_refused() {
    let active = leases(&[("10.10.2.1", "\"active\"", "40000-40063")]);
    let after = "253402300800 is no time: it is after the year 9999";
    for (from, to) in [
        ("\"granted_at\":5", "\"granted_at\":253402300800"),
        ("\"renewed_at\":5", "\"renewed_at\":253402300800"),
        ("\"active\"", "{\"declined\":{\"until\":253402300800}}"),
    ] {
        let error = read(&active.replace(from, to)).unwrap_err();
        assert_eq!(error, format!("line 2: {after}"));
    }
    let text = format!("{HEAD}{LINES}{END}");
    let error = read(&text.replace("\"end\":9", "\"end\":253402300800")).unwrap_err();
    assert_eq!(error, format!("line 2: {after}"));
    let error = read(&text.replace("\"end\":9", "\"end\":4")).unwrap_err();
    assert_eq!(
        error,
        "line 2: it ends at 1970-01-01T00:00:04Z and begins later, at 1970-01-01T00:00:05Z"
    );
}
