use proptest::prelude::*;

use super::*;

fn number(text: &str) -> Number {
    text.parse().expect("a number")
}

fn prefix(digits: &str, strip: usize, follow: (usize, usize), trunks: &[&str]) -> Prefix {
    Prefix {
        digits: number(digits),
        strip,
        trunks: trunks.iter().map(|name| (*name).to_owned()).collect(),
        follow,
    }
}

fn plan() -> DialPlan<u32> {
    DialPlan::new(
        [
            ("5001", 1),
            ("5002", 2),
            ("500", 3),
            ("*98", 4),
            ("0118", 5),
        ]
        .map(|(digits, line)| (number(digits), line)),
        [
            prefix("0", 1, (3, 15), &["carrier", "backup"]),
            prefix("00", 2, (8, 15), &["abroad"]),
            prefix("112", 0, (0, 0), &["emergency"]),
        ],
    )
}

#[test]
fn where_numbers_lead() {
    let plan = plan();
    let trunks = |digits: &str| match plan.route(digits) {
        Some(Route::Trunks(trunks, left)) => Some((trunks.join(","), left)),
        _ => None,
    };
    let to = |names: &str, left: &str| Some((names.to_owned(), left.to_owned()));
    for (digits, line) in [("5001", 1), ("500", 3), ("*98", 4), ("0118", 5)] {
        assert_eq!(plan.route(digits), Some(Route::Line(&line)), "{digits}");
    }
    assert_eq!(trunks("01632960001"), to("carrier,backup", "1632960001"));
    assert_eq!(trunks("0044163296000"), to("abroad", "44163296000"));
    assert_eq!(trunks("112"), to("emergency", "112"));
    for nowhere in [
        "", "5", "5003", "0", "012", "1120", "6", "x", "00441632", "5001 ",
    ] {
        assert_eq!(plan.route(nowhere), None, "{nowhere}");
    }
}

#[test]
fn digits_that_come_one_by_one() {
    let plan = plan();
    let kind = |digits: &str| match plan.dialled(digits) {
        Dialled::Complete(_) => "complete",
        Dialled::Enough(_) => "enough",
        Dialled::Incomplete => "incomplete",
        Dialled::Nowhere => "nowhere",
    };
    for (digits, expected) in [
        ("", "incomplete"),
        ("5", "incomplete"),
        ("50", "incomplete"),
        ("500", "enough"),
        ("5001", "complete"),
        ("5003", "nowhere"),
        ("6", "nowhere"),
        ("*", "incomplete"),
        ("*98", "complete"),
        ("0", "incomplete"),
        ("0163", "enough"),
        ("0118", "enough"),
        ("0123456789012345", "complete"),
        ("11", "incomplete"),
        ("112", "complete"),
    ] {
        assert_eq!(kind(digits), expected, "{digits}");
    }
}

#[test]
fn the_plan_as_a_digit_map() {
    let map = plan().digit_map();
    let expected = "(00xxxxxxxxx.|0xxx|0xxxx.|112|5xx|5xxx|Exx)";
    assert_eq!(map.as_deref(), Some(expected));
    assert_eq!(DialPlan::<u32>::default().digit_map(), None);
}

#[test]
fn what_is_no_number() {
    for wrong in ["", "+", "12 3", "５００", "12a4x", &"1".repeat(33)] {
        assert!(wrong.parse::<Number>().is_err(), "{wrong}");
    }
    assert_eq!(number("12ab").as_str(), "12AB");
    assert_eq!(number("+441632960001").to_string(), "+441632960001");
}

proptest! {
    /// Digit by digit or at once: a number leads to the same place.
    #[test]
    fn one_by_one_is_as_at_once(digits in "[0-9*#]{1,12}") {
        let plan = plan();
        for length in 1..=digits.len() {
            let begin = &digits[..length];
            let at_once = plan.route(begin);
            match plan.dialled(begin) {
                Dialled::Complete(route) => {
                    prop_assert_eq!(Some(route), at_once);
                    for more in ["0", "5", "#"] {
                        prop_assert_eq!(plan.route(&format!("{begin}{more}")), None);
                    }
                }
                Dialled::Enough(route) => prop_assert_eq!(Some(route), at_once),
                Dialled::Incomplete | Dialled::Nowhere => prop_assert_eq!(at_once, None),
            }
        }
    }
}
