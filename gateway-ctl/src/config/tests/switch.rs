//! `[switch]` and what belongs to it.

use switch::address::{Choice, Place, select};
use switch::settings::{Admission, Owner, Way};

use super::{GOOD, checked, wrong_with};

const SWITCH: &str = r#"
[switch]
name = "switch.example"
no_answer = "30s"
[[line]]
number = "5001"
phone = "00:15:65:12:34:56"
[[line]]
number = "6001"
phone = "[10.10.1.1]:2944@198.51.100.7"
termination = "a/1"
[[trunk]]
name = "carrier"
gateway = "[192.0.2.80]:2944"
[[route]]
prefix = "0"
trunks = ["carrier"]
[[site]]
name = "branch"
addresses = ["198.51.100.7", "198.51.100.8:1024-32767"]
"#;

#[test]
fn is_off_unless_asked_for_and_has_defaults() {
    assert!(checked(GOOD).unwrap().switch.is_none());
    let switch = checked(&format!("{GOOD}[switch]\n"))
        .unwrap()
        .switch
        .unwrap();
    assert_eq!(switch.port, 2944);
    let settings = switch.settings;
    assert_eq!(settings.admission, Admission::Leased);
    assert_eq!(settings.no_answer.as_secs(), 60);
    assert!(settings.digit_maps && settings.lines.is_empty());
    assert_eq!(settings.registrations_per_phone, 4);
    assert_eq!(settings.registrations_per_address, 1000);
    assert_eq!(switch.messages_per_address, 5000);
}

#[test]
fn limits_of_one_phone_and_one_address() {
    let text = "[switch]\nregistrations_per_phone = 1\nregistrations_per_address = 100000\n\
                messages_per_address = 50000\n";
    let switch = checked(&format!("{GOOD}{text}")).unwrap().switch.unwrap();
    assert_eq!(switch.settings.registrations_per_phone, 1);
    assert_eq!(switch.settings.registrations_per_address, 100_000);
    assert_eq!(switch.messages_per_address, 50_000);
    wrong_with(
        "[switch]\nregistrations_per_phone = 0\n",
        &[
            "gw.toml:9: `registrations_per_phone` in [switch] is 0, expected a number from 1 to \
             10000000; the nearest is 1",
        ],
    );
}

#[test]
fn numbers_trunks_and_sites() {
    let config = checked(&format!("{GOOD}{SWITCH}")).unwrap();
    let settings = config.switch.unwrap().settings;
    assert_eq!(settings.mid.to_string(), "<switch.example>");
    assert_eq!(settings.no_answer.as_secs(), 30);
    let owners: Vec<&Owner> = settings.lines.iter().map(|line| &line.owner).collect();
    assert_eq!(owners[0], &Owner::Mac([0, 0x15, 0x65, 0x12, 0x34, 0x56]));
    assert_eq!(settings.lines[0].termination.as_str(), "line1");
    assert_eq!(settings.lines[1].termination.as_str(), "a/1");
    assert!(
        matches!(&settings.trunks[0].way, Way::Gateway(_, line) if line.as_str() == "trunk/$"),
        "{:?}",
        settings.trunks
    );
    let route = &settings.prefixes[0];
    assert_eq!((route.strip, route.follow), (1, (3, 15)));
    // The pool's address is this gateway's; two of the branch are one place.
    let at = |public: [u8; 4], port| Place {
        public: public.into(),
        port,
        private: [10, 10, 1, 1].into(),
    };
    let own = config.pool.iter().next().unwrap().0.octets();
    let choice = |a, b| select(&settings.sites, a, b);
    assert_eq!(choice(at(own, 1024), at(own, 2048)), Choice::Private);
    let (branch, other) = (at([198, 51, 100, 7], 80), at([198, 51, 100, 8], 2000));
    assert_eq!(choice(branch, other), Choice::Private);
    assert_eq!(
        choice(branch, at([198, 51, 100, 8], 40_000)),
        Choice::Public
    );
    assert_eq!(choice(branch, at(own, 1024)), Choice::Public);
}

#[test]
fn what_is_wrong_with_it() {
    wrong_with(
        "[switch]\nadmission = \"all\"\nno_answer = \"0s\"\nname = \"a b\"\n\
         [[line]]\nnumber = \"50x1\"\nphone = \"10.10.1.1\"\n\
         [[route]]\nprefix = \"0\"\ntrunks = [\"carier\"]\nstrip = 2\n\
         [[trunk]]\nname = \"carrier\"\ngateway = \"[10.0.0.1]:2944\"\n",
        &[
            "gw.toml:9: `admission` in [switch] is \"all\"; write one of: listed, leased, anybody",
            "gw.toml:10: 0s is too short; write \"1s\" at least",
            "gw.toml:11: \"a b\" is no name of a switch; write a domain name: \"switch.example\"",
            "gw.toml:13: \"50x1\" is no number: expected 1 to 32 digits 0-9, *, #, A-D, with or \
             without + before them; write digits: \"5001\"",
            "gw.toml:14: \"10.10.1.1\" names no media gateway: expected an mId like \
             [203.0.113.9]:2944, <gw.example>:2944 or lobby1, and for a private address where it is: \
             [10.10.1.1]:2944@198.51.100.1; write its hardware address if it has a lease here, or its \
             mId",
            "gw.toml:15: `strip` takes more digits than prefix 0 has; strip as many at most",
            "gw.toml:17: no [[trunk]] is called \"carier\"; add a [[trunk]] with this name",
            "gw.toml:21: \"[10.0.0.1]:2944\" names no media gateway: expected an mId like \
             [203.0.113.9]:2944, <gw.example>:2944 or lobby1, and for a private address where it is: \
             [10.10.1.1]:2944@198.51.100.1; write its hardware address if it has a lease here, or its \
             mId",
        ],
    );
    wrong_with(
        "[[line]]\nnumber = \"5001\"\nphone = \"lobby\"\n",
        &["gw.toml:8: [[line]] without [switch]; add [switch]: all its keys have defaults"],
    );
    wrong_with(
        "[switch]\n[[line]]\nnumber = \"5001\"\nphone = \"lobby\"\n\
         [[line]]\nnumber = \"5001\"\nphone = \"lobby\"\n",
        &[
            "gw.toml:13: number 5001 is another line's (line 10); give each line a number of its own",
            "gw.toml:14: this phone's line1 has a number (line 11); name another termination, or \
             remove one of the two",
        ],
    );
}

#[test]
fn a_switch_may_stand_alone() {
    let config = checked("[switch]\nname = \"switch.example\"\n").unwrap();
    assert!(config.inside.is_empty() && config.switch.is_some());
    // With one side it is a gateway that lacks the other.
    let half = checked("[switch]\n[[outside]]\ninterface = \"wan0\"\n").unwrap_err();
    assert!(half[0].contains("no inside interface"), "{half:?}");
}
