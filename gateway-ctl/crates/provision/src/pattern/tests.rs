use proptest::prelude::*;

use super::*;
use crate::NameError;

const OWN: [u8; 6] = [0x00, 0x04, 0xf2, 0xaa, 0xbb, 0x0c];

#[track_caller]
fn matching(pattern: &str, name: &str) -> Match {
    let pattern = Pattern::new(pattern).unwrap();
    pattern.matches(&Name::new(name).unwrap(), Some(OWN))
}

#[test]
fn a_mac_address_says_whose_a_name_is() {
    use Match::{No, Others, Own};
    for (pattern, name, expected) in [
        ("{mac}.cfg", "0004f2aabb0c.cfg", Own),
        ("{mac}.cfg", "/0004F2AABB0C.CFG", Own),
        ("{MAC}.cfg", "0004f2aabb0c.cfg", Own),
        ("{mac}.cfg", "0004f2aabb0d.cfg", Others),
        ("{mac}.cfg", "000000000000.cfg", No),
        ("{mac}.cfg", "0004f2aabb0.cfg", No),
        ("{mac}.cfg", "0004f2aabbxc.cfg", No),
        ("{mac}.cfg", "0004f2aabb0c.cfg.bak", No),
        ("{mac}.cfg", "a/0004f2aabb0c.cfg", No),
        ("{mac:-}.cfg", "00-04-f2-aa-bb-0c.cfg", Own),
        ("{mac:-}.cfg", "00-04-f2-aa-bb-0d.cfg", Others),
        ("{mac:-}.cfg", "0004f2aabb0c.cfg", No),
        ("{mac::}", "00:04:f2:aa:bb:0c", Own),
        ("snom-{mac}.htm", "snom-0004F2AABB0C.htm", Own),
        ("{mac}/{mac}.cfg", "0004f2aabb0c/0004f2aabb0d.cfg", Others),
        ("config.xml", "config.xml", Own),
        ("config.xml", "config.xm", No),
    ] {
        assert_eq!(matching(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn a_star_stands_for_what_lies_between() {
    use Match::{No, Others, Own};
    for (pattern, name, expected) in [
        ("*", "anything", Own),
        ("*", "folder/anything", No),
        ("*/*", "folder/anything", Own),
        ("*.cfg", "a.cfg", Own),
        ("*.cfg", ".cfg", Own),
        ("*.cfg", "a.cfgs", No),
        ("a*b*c", "aXXbYYc", Own),
        ("a*b*c", "abc", Own),
        ("a*b*c", "acb", No),
        ("a*a", "a", No),
        ("ab*bc", "abc", No),
        ("*ab*ab", "ababab", Own),
        ("spa*/{mac}.xml", "spa504G/0004f2aabb0c.xml", Own),
        // Whichever way it is read, it has to be the asking phone's own.
        ("*{mac}*", "1111111111110004f2aabb0c", Own),
        ("*{mac}*", "111111111111222222222222", Others),
    ] {
        assert_eq!(matching(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn who_has_no_lease_owns_no_mac_address() {
    let name = Name::new("0004f2aabb0c.cfg").unwrap();
    let matches = |text| Pattern::new(text).unwrap().matches(&name, None);
    assert_eq!(matches("{mac}.cfg"), Match::Others);
    assert_eq!(matches("*.cfg"), Match::Own);
    assert_eq!(matches("*.xml"), Match::No);
}

#[test]
fn wrong_patterns_say_what_to_write() {
    let error = |text: &str| Pattern::new(text).unwrap_err().to_string();
    assert_eq!(
        error("{mak}.cfg"),
        "{mak} in \"{mak}.cfg\" stands for nothing: write {mac}, {mac:-} or {mac::}"
    );
    for text in ["{mac.cfg", "mac}.cfg", "{", "}{mac}"] {
        assert_eq!(
            error(text),
            format!("a brace in \"{text}\" has no partner: write {{mac}}")
        );
    }
    assert!(matches!(
        Pattern::new("../{mac}"),
        Err(PatternError::Name {
            error: NameError::Upwards,
            ..
        })
    ));
}

/// The same, by trying every reading.
fn reference(pattern: &[Piece], star: &[usize], name: &[u8], only: Option<[u8; 6]>) -> bool {
    fn walk(tokens: &[Option<&Piece>], name: &[u8], only: Option<[u8; 6]>) -> bool {
        match tokens.split_first() {
            None => name.is_empty(),
            Some((Some(piece), rest)) => piece
                .after(name, only)
                .is_some_and(|after| walk(rest, after, only)),
            Some((None, rest)) => (0..=reach(name)).any(|at| walk(rest, &name[at..], only)),
        }
    }
    let mut tokens = Vec::new();
    for (number, piece) in pattern.iter().enumerate() {
        tokens.extend(star.iter().filter(|at| **at == number).map(|_| None));
        tokens.push(Some(piece));
    }
    tokens.extend(star.iter().filter(|at| **at == pattern.len()).map(|_| None));
    walk(&tokens, name, only)
}

proptest! {
    #[test]
    fn finds_what_trying_everything_finds(
        pattern in "[ab*/]{0,3}(\\{mac\\})?[ab*]{0,5}",
        name in "[ab/]{0,3}((0004f2aabb0c)|(0004f2aabb0d))?[ab]{0,6}",
    ) {
        let (Ok(parsed), Ok(name)) = (Pattern::new(&pattern), Name::new(&name)) else {
            return Ok(());
        };
        let (mut pieces, mut stars) = (Vec::new(), Vec::new());
        for (number, part) in parsed.parts.iter().enumerate() {
            if number > 0 {
                stars.push(pieces.len());
            }
            pieces.extend(part.iter().cloned());
        }
        for only in [None, Some(OWN)] {
            prop_assert_eq!(
                parsed.fits(name.as_str().as_bytes(), only),
                reference(&pieces, &stars, name.as_str().as_bytes(), only),
                "{} {}", pattern, name
            );
        }
    }

    #[test]
    fn no_pattern_and_no_name_does_harm(pattern: String, name: String) {
        if let (Ok(pattern), Ok(name)) = (Pattern::new(&pattern), Name::new(&name)) {
            let _ = pattern.matches(&name, Some(OWN));
        }
    }
}

#[test]
fn names_that_phones_give_their_own_files_are_recognised() {
    for (pattern, takes) in [
        ("*", true),
        ("*.cfg", true),
        ("/*.cfg", true),
        ("0015*", true),
        ("*56.cfg", true),
        ("*-*.cfg", true),
        ("*:*", true),
        ("0*0*1*5*.xml", true),
        ("**", true),
        ("*/*", true),
        ("*-phone.cfg", true),
        ("001565123456*", true),
        ("firmware-*.bin", false),
        ("fw*.bin", false),
        ("sounds/*", false),
        ("*/firmware-*", false),
        ("0015651234567*", false),
        ("T46*.rom", false),
        // One file, by its own name.
        ("202601311230", false),
    ] {
        let found = Pattern::new(pattern).unwrap().takes_bare_macs();
        assert_eq!(found, takes, "{pattern}");
    }
}

proptest! {
    #[test]
    fn what_stands_for_a_bare_name_is_recognised(
        mac in any::<[u8; 6]>(), end in "(\\.[a-z]{0,3})?", keep in prop::collection::vec(any::<bool>(), 24),
    ) {
        let name: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = name + &end;
        // Any of its characters may be a star.
        let text: String = name.chars().zip(&keep).map(|(c, keep)| if *keep { c } else { '*' }).collect();
        let pattern = Pattern::new(&text).unwrap();
        prop_assert_eq!(pattern.takes_bare_macs(), text.contains('*'), "{}", text);
    }
}
