//! Which entries to read; a page of them.

use crate::Revision;

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
    /// The batch that wrote it last, etcd's `mod_revision`.
    pub revision: Revision,
}

/// Entries that were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In the query's order.
    pub entries: Vec<Entry>,
    /// Whether the limit left some out; [`Query::after`] reads on.
    pub more: bool,
    /// The state of the store that was read: watch from here for what changes it.
    pub revision: Revision,
}

/// Keys to read, in which order, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub(crate) from: Vec<u8>,
    /// The first key beyond; none: to the end.
    pub(crate) to: Option<Vec<u8>>,
    pub(crate) descending: bool,
    pub(crate) limit: usize,
}

impl Query {
    /// This one key.
    #[must_use]
    pub fn key(key: impl Into<Vec<u8>>) -> Self {
        let from = key.into();
        let to = successor(&from);
        Self::range(from, to)
    }

    /// All keys that begin so; with an empty prefix, all keys.
    #[must_use]
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Self {
        let from = prefix.into();
        Self {
            to: end_of(&from),
            from,
            descending: false,
            limit: usize::MAX,
        }
    }

    /// All keys from the one, included, to the other, not included.
    #[must_use]
    pub fn range(from: impl Into<Vec<u8>>, to: impl Into<Vec<u8>>) -> Self {
        Self {
            from: from.into(),
            to: Some(to.into()),
            descending: false,
            limit: usize::MAX,
        }
    }

    /// The last key first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// At most so many entries.
    #[must_use]
    pub fn limit(mut self, entries: usize) -> Self {
        self.limit = entries;
        self
    }

    /// Only what comes after this key in the query's order: the page that follows the one
    /// whose last key this is. Say [`Query::descending`] before.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        if self.descending {
            self.to = Some(match self.to {
                Some(to) if to.as_slice() < key => to,
                _ => key.to_vec(),
            });
        } else {
            self.from = self.from.max(successor(key));
        }
        self
    }
}

/// The smallest key that is greater.
fn successor(key: &[u8]) -> Vec<u8> {
    let mut next = key.to_vec();
    next.push(0);
    next
}

/// The first key after all that begin so; none when they reach to the end of all keys.
pub(crate) fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_one() {
        assert_eq!(end_of(b"lease/"), Some(b"lease0".to_vec()));
        assert_eq!(end_of(b"a\xff\xff"), Some(b"b".to_vec()));
        assert_eq!(end_of(b"\xff"), None);
        assert_eq!(end_of(b""), None);
    }

    #[test]
    fn paging_never_widens_a_query() {
        let query = Query::range("b", "d");
        assert_eq!(query.clone().after(b"a"), query);
        assert_eq!(query.clone().after(b"c").from, b"c\0");
        let query = query.descending();
        assert_eq!(query.clone().after(b"e"), query);
        assert_eq!(query.after(b"c").to.as_deref(), Some(&b"c"[..]));
        let all = Query::prefix("").descending().after(b"x");
        assert_eq!(all.to.as_deref(), Some(&b"x"[..]));
    }
}
