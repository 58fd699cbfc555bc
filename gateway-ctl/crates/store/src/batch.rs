//! Writes that belong together, and what must hold for them to be made.

use std::collections::BTreeMap;

use crate::{CommitError, Revision};

/// Writes in a batch, and also conditions: etcd's default for the operations of a
/// transaction (its option `--max-txn-ops`).
pub const MAX_OPERATIONS: usize = 128;

/// Bytes of a batch's keys and values, those of its conditions included. etcd's default for
/// a request, 1.5 MiB, has room for that and its framing.
pub const MAX_BYTES: usize = 1 << 20;

/// Writes that are all made or none.
///
/// A key is written once in a batch: what is said last about it counts. Conditions look at
/// the store as it is before the batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    writes: Writes,
    conditions: Vec<Condition>,
}

/// Values by their keys; no value: delete.
pub(crate) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// What a key must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) key: Vec<u8>,
    pub(crate) expected: Expected,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Last written by this revision; [`Revision::ZERO`]: absent.
    Revision(Revision),
    /// There, whatever its value.
    Present,
    /// There, with this value.
    Value(Vec<u8>),
}

impl Expected {
    /// Whether the key is so; `found` is its revision and value.
    pub(crate) fn holds(&self, found: Option<(Revision, &[u8])>) -> bool {
        match (self, found) {
            (Self::Revision(expected), found) => {
                *expected == found.map_or(Revision::ZERO, |(revision, _)| revision)
            }
            (Self::Present, found) => found.is_some(),
            (Self::Value(expected), Some((_, value))) => expected == value,
            (Self::Value(_), None) => false,
        }
    }
}

impl Batch {
    /// One that does nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key, new or not.
    #[must_use]
    pub fn put(mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.writes.insert(key.into(), Some(value.into()));
        self
    }

    /// Removes a key; nothing happens when it is absent.
    #[must_use]
    pub fn delete(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.writes.insert(key.into(), None);
        self
    }

    /// Only if the key is absent.
    #[must_use]
    pub fn if_absent(self, key: impl Into<Vec<u8>>) -> Self {
        self.when(key, Expected::Revision(Revision::ZERO))
    }

    /// Only if the key is there.
    #[must_use]
    pub fn if_present(self, key: impl Into<Vec<u8>>) -> Self {
        self.when(key, Expected::Present)
    }

    /// Only if the key was last written by this revision, see [`Entry::revision`]. With
    /// [`Revision::ZERO`] it must be absent.
    ///
    /// [`Entry::revision`]: crate::Entry::revision
    #[must_use]
    pub fn if_unchanged(self, key: impl Into<Vec<u8>>, revision: Revision) -> Self {
        self.when(key, Expected::Revision(revision))
    }

    /// Only if the key is there with this value.
    #[must_use]
    pub fn if_value(self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.when(key, Expected::Value(value.into()))
    }

    fn when(mut self, key: impl Into<Vec<u8>>, expected: Expected) -> Self {
        let key = key.into();
        self.conditions.push(Condition { key, expected });
        self
    }

    /// How many keys it writes.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.writes.len()
    }

    /// Bytes of its keys and values.
    pub(crate) fn bytes(&self) -> usize {
        let written = |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| {
            key.len() + value.as_ref().map_or(0, Vec::len)
        };
        let compared = |condition: &Condition| {
            let value = match &condition.expected {
                Expected::Value(value) => value.len(),
                Expected::Revision(_) | Expected::Present => 0,
            };
            condition.key.len() + value
        };
        let writes: usize = self.writes.iter().map(written).sum();
        writes + self.conditions.iter().map(compared).sum::<usize>()
    }

    /// Whether every engine takes it.
    ///
    /// # Errors
    /// [`CommitError::TooManyOperations`], [`CommitError::TooLarge`], [`CommitError::EmptyKey`].
    pub(crate) fn check(&self) -> Result<(), CommitError> {
        let (operations, conditions) = (self.writes.len(), self.conditions.len());
        if operations.max(conditions) > MAX_OPERATIONS {
            return Err(CommitError::TooManyOperations {
                operations,
                conditions,
            });
        }
        let bytes = self.bytes();
        if bytes > MAX_BYTES {
            return Err(CommitError::TooLarge { bytes });
        }
        let compared = self.conditions.iter().map(|condition| &condition.key);
        if self.writes.keys().chain(compared).any(Vec::is_empty) {
            return Err(CommitError::EmptyKey);
        }
        Ok(())
    }

    /// Its conditions, and its writes.
    pub(crate) fn into_parts(self) -> (Vec<Condition>, Writes) {
        (self.conditions, self.writes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_once() {
        let batch = Batch::new().put("a", "1").delete("a").put("b", "1");
        let batch = batch.put("b", "2");
        assert_eq!(batch.operations(), 2);
        let (_, writes) = batch.into_parts();
        assert_eq!(writes[&b"a"[..]], None);
        assert_eq!(writes[&b"b"[..]].as_deref(), Some(&b"2"[..]));
    }

    #[test]
    fn what_one_engine_would_refuse_no_engine_takes() {
        let full = (0..MAX_OPERATIONS).fold(Batch::new(), |batch, n| batch.put(n.to_string(), ""));
        assert_eq!(full.check(), Ok(()));
        let over = full.clone().delete("one more");
        let too_many = |operations, conditions| {
            Err(CommitError::TooManyOperations {
                operations,
                conditions,
            })
        };
        assert_eq!(over.check(), too_many(MAX_OPERATIONS + 1, 0));
        let over = (0..=MAX_OPERATIONS).fold(full, |batch, _| batch.if_absent("k"));
        assert_eq!(over.check(), too_many(MAX_OPERATIONS, MAX_OPERATIONS + 1));

        let large = Batch::new().put("k", vec![0; MAX_BYTES - 1]);
        assert_eq!(large.check(), Ok(()));
        let bytes = MAX_BYTES + 1;
        let over = Err(CommitError::TooLarge { bytes });
        assert_eq!(large.clone().if_value("a", "").check(), over);
        assert_eq!(Batch::new().if_value("k", vec![0; MAX_BYTES]).check(), over);

        assert_eq!(
            Batch::new().put("", "v").check(),
            Err(CommitError::EmptyKey)
        );
        assert_eq!(
            Batch::new().if_absent("").check(),
            Err(CommitError::EmptyKey)
        );
    }
}
