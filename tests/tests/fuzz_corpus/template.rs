//! Templates: inputs by hand, and what must be reached by replaying.
//!
//! A kind, then a name, a pattern and values, or a template's text: see `provision::testing`.

use std::collections::BTreeSet;

use provision::testing::{End, template};

use crate::{inputs, replay};

const VALUES: u8 = 0;
const TEXT: u8 = 1;
const NO_LEASE: u8 = 2;

fn values(kind: u8, fields: [&str; 4]) -> Vec<u8> {
    let fields = fields.map(str::as_bytes).join(&0xff);
    [&[VALUES | kind][..], &fields].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&[TEXT][..], text.as_bytes()].concat()
}

/// Seeds of the target `template`.
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let own = "0004f2aabb0c";
    let (cfg, xml) = (
        format!("/{own}.cfg"),
        format!("cfg{}.xml", own.to_uppercase()),
    );
    vec![
        ("lines", values(0, [&cfg, "*", "phone", "desk"])),
        (
            "a-line-more",
            values(0, [&cfg, "*", "phone\nadmin = 1", "desk"]),
        ),
        ("element", values(0, [&xml, "*", "<\"R&D\" 'lab'>", "desk"])),
        (
            "element-control",
            values(0, [&xml, "*", "a\u{1b}\u{2028}", ""]),
        ),
        ("json", values(0, ["a", "*", "\"\\\n\u{1}", "desk"])),
        (
            "dashes",
            values(0, ["x/00-04-F2-aa-bb-0c", "*/{mac:-}", "a", ""]),
        ),
        (
            "colons",
            values(0, ["00:04:f2:aa:bb:0c", "{mac::}*", "a", ""]),
        ),
        (
            "two-macs",
            values(0, ["0004f2aabb0c0004f2aabb0d", "*{mac}*", "a", ""]),
        ),
        ("anothers", values(0, ["0004f2aabb0d.cfg", "*", "a", ""])),
        (
            "zeros",
            values(0, ["000000000000.cfg", "{mac}.cfg", "a", ""]),
        ),
        ("no-lease", values(NO_LEASE, [&cfg, "*", "a", ""])),
        ("upwards", values(0, ["a/../../etc/shadow", "*", "a", ""])),
        ("backslashes", values(0, ["\\..\\a", "*", "a", ""])),
        ("nul", values(0, ["a\0.cfg", "*", "a", ""])),
        ("stars", values(0, ["aXbXcX", "*a*b*c*d*", "a", ""])),
        ("brace", values(0, ["a", "{mac", "a", ""])),
        (
            "text-usual",
            text("{% if first_port is defined %}\n{{ rtp_first }}-{{ rtp_last }}\n{% endif %}"),
        ),
        (
            "text-endless",
            text("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"),
        ),
        (
            "text-long",
            text(
                "{% for a in range(9999) %}{% for b in range(9) %}0123456789abcdef{% endfor %}{% endfor %}",
            ),
        ),
        (
            "text-deep",
            text("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
        ),
        ("text-include", text("{% include '/etc/hostname' %}")),
        ("text-self", text("{% include 't.cfg' %}")),
        ("text-unknown", text("{{ frist_port }}{{ mac | shout }}")),
        ("text-syntax", text("{% if mac %}{{ (")),
        (
            "text-filters",
            text(
                "{{ mac | upper | lower | trim | replace('a', 'b') | default('x') | first | last | length }}{{ '7' | int }}{{ 'a,b' | split(',') | join('-') }}",
            ),
        ),
        ("text-base", text("{{ '1' | int(base=99) }}")),
        ("text-broken", text("{{ variables.nothing }}")),
        (
            "text-blocks",
            text(
                "{% set a %}{{ host_name }}{% endset %}{{ a ~ a }}{% autoescape false %}{{ a }}{% endautoescape %}{# x #}{% raw %}{{{% endraw %}",
            ),
        ),
    ]
}

/// Replays the corpus: it still gets everywhere.
#[test]
fn the_template_corpus_is_replayed() {
    let mut ends = BTreeSet::new();
    for (path, bytes) in inputs("template") {
        ends.insert(replay(&path, || template(&bytes)));
    }
    ends.insert(template(&[]));
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), End::ALL);
}
