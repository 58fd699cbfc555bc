//! What alert rules and their documentation name is what the daemon tells.

use std::path::{Path, PathBuf};

use gateway_tests::site::Site;

use crate::leases;

/// All that has metrics.
const EVERYTHING: &str = r#"
[metrics]
listen = "127.0.0.1:9630"
per_binding = true
[switch]
[sip]
[provision]
http = 80
[[binding]]
private = "10.10.3.1"
public = "192.0.2.2"
ports = "40000-40063"
"#;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Names of our metrics in a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("gateway_"))
}

/// Selectors of expressions: metric, label, and each value that it is compared with.
fn selectors(text: &str) -> Vec<(&str, &str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((body, next)) = after.split_once('}') else {
            break;
        };
        rest = next;
        let start = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let name = &before[start.map_or(0, |at| at + 1)..];
        for matcher in body.split(',').filter(|_| name.starts_with("gateway_")) {
            let (label, value) = matcher.split_once('"').unwrap();
            let label = label.trim().trim_end_matches(['=', '~', '!']);
            let values = value.trim_end_matches('"').split('|');
            found.extend(values.map(|value| (name, label, value.trim_end_matches('\\'))));
        }
    }
    found
}

#[test]
fn what_alerts_name_is_there() {
    let bed = leases::bed(Site::new().unwrap(), EVERYTHING);
    let words = ["curl", "-sSf", "http://127.0.0.1:9630/metrics"];
    let page = bed.site.router.run(&words).unwrap();
    let is_there = |name: &str| {
        page.lines()
            .any(|line| line.starts_with(&format!("# TYPE {name} ")))
    };
    let has = |(name, label, value): (&str, &str, &str)| {
        let series = |line: &&str| line.starts_with(&format!("{name}{{"));
        let value = format!("{label}=\"{value}\"");
        page.lines()
            .filter(series)
            .any(|line| line.contains(&value))
    };

    let alerts = std::fs::read_to_string(repository("deploy/alerts.yml")).unwrap();
    let rules = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "));
    let mut seen = 0;
    for rule in rules {
        seen += names(rule).count();
        for name in names(rule) {
            assert!(is_there(name), "{name} in: {rule}\n{page}");
        }
        for selector in selectors(rule) {
            assert!(has(selector), "{selector:?} in: {rule}\n{page}");
        }
    }
    assert!(seen >= 12, "{seen}");
    let documented = std::fs::read_to_string(repository("docs/metrics.md")).unwrap();
    for name in names(&documented) {
        assert!(is_there(name), "{name} in docs/metrics.md\n{page}");
    }
    // And the other way round: what there is, is documented (or follows from its first name).
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for name in types.filter_map(|line| line.split(' ').next()) {
        let end = name.rsplit_once("fragments").map_or(name, |(_, end)| end);
        assert!(documented.contains(end), "{name} is not in docs/metrics.md");
    }
    bed.finish();
}
