//! What the hook has written: the environments of the client's events.

use std::collections::BTreeMap;
use std::path::Path;

/// The variables of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record(BTreeMap<String, String>);

impl Record {
    /// A variable that is set and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    /// A variable's first word, as what it should be.
    pub(super) fn first<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.split_whitespace().next()?.parse().ok()
    }
}

/// All records that are complete; none if there is no file yet.
pub(super) fn read(path: &Path) -> Vec<Record> {
    parse(&std::fs::read(path).unwrap_or_default())
}

fn parse(bytes: &[u8]) -> Vec<Record> {
    let text = String::from_utf8_lossy(bytes);
    let mut whole: Vec<&str> = text.split("\0\0").collect();
    // What stands behind the last end is being written, or nothing.
    whole.pop();
    let variables = |record: &str| {
        let pairs = record.split('\0').filter_map(|pair| pair.split_once('='));
        Record(
            pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    };
    whole.into_iter().map(variables).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_records_count() {
        let records = parse(b"A=1\0B=x y=z\nw\0\0A=2\0C=\0\0A=3\0");
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].first::<u32>("A"), Some(1));
        assert_eq!(records[0].get("B"), Some("x y=z\nw"));
        assert_eq!(records[1].get("C"), None, "empty");
        assert_eq!(parse(b""), []);
    }
}
