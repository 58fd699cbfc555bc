//! What is in the file.
//!
//! | table | key | value |
//! |---|---|---|
//! | `entries` | a key of the store | revision of its last write, value |
//! | `meta` | `format` | version of this layout |
//! | `meta` | `revision` | of the store |

use redb::{
    Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _, Table, TableDefinition,
};

use super::failure::Cause;
use crate::{Batch, Revision, Write};

/// Version of the layout.
pub(super) const FORMAT: u64 = 1;

/// Revision and value.
pub(super) type Stored<'a> = (u64, &'a [u8]);
pub(super) const ENTRIES: TableDefinition<'_, &[u8], Stored<'_>> = TableDefinition::new("entries");
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const FORMAT_KEY: &str = "format";
const REVISION_KEY: &str = "revision";

/// What became of a batch in its transaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It made a revision.
    Changed(Vec<Write>),
    /// Nothing to do.
    Unchanged,
    /// This key is not as expected.
    Conflict(Vec<u8>),
}

/// Writes an empty store.
pub(super) fn initialize(database: &Database) -> Result<(), Cause> {
    let transaction = database.begin_write()?;
    transaction.open_table(ENTRIES)?;
    transaction.open_table(META)?.insert(FORMAT_KEY, FORMAT)?;
    set_revision(&mut transaction.open_table(META)?, Revision::ZERO)?;
    transaction.commit()?;
    Ok(())
}

/// Version of the layout of a file; none: it is not a store's.
pub(super) fn format(database: &Database) -> Result<Option<u64>, Cause> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(META) {
        Ok(meta) => meta,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let format = meta.get(FORMAT_KEY)?.map(|value| value.value());
    Ok(format)
}

/// Revision of the store.
pub(super) fn revision(database: &Database) -> Result<Revision, Cause> {
    revision_of(&database.begin_read()?)
}

/// Revision of what this transaction sees.
pub(super) fn revision_of(transaction: &ReadTransaction) -> Result<Revision, Cause> {
    let meta = transaction.open_table(META)?;
    let revision = meta.get(REVISION_KEY)?.map(|value| Revision(value.value()));
    revision.ok_or_else(|| Cause::Damaged("it has no revision".to_owned()))
}

/// Notes the revision that a transaction makes.
pub(super) fn set_revision(
    meta: &mut Table<'_, &'static str, u64>,
    revision: Revision,
) -> Result<(), Cause> {
    meta.insert(REVISION_KEY, revision.0)?;
    Ok(())
}

/// Keys from the one, included, to the other, not included, or to the end.
pub(super) fn bounds<'a>(
    from: &'a [u8],
    to: Option<&'a [u8]>,
) -> (std::ops::Bound<&'a [u8]>, std::ops::Bound<&'a [u8]>) {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    (Included(from), to.map_or(Unbounded, Excluded))
}

/// Writes a batch as `revision`, if its conditions hold.
pub(super) fn apply(
    entries: &mut Table<'_, &'static [u8], Stored<'static>>,
    batch: Batch,
    revision: Revision,
) -> Result<Outcome, Cause> {
    let (conditions, writes) = batch.into_parts();
    for condition in conditions {
        let found = entries.get(condition.key.as_slice())?;
        let found = found.as_ref().map(|stored| stored.value());
        let found = found.map(|(revision, value)| (Revision(revision), value));
        if !condition.expected.holds(found) {
            return Ok(Outcome::Conflict(condition.key));
        }
    }
    let mut written = Vec::with_capacity(writes.len());
    for (key, value) in writes {
        let changed = match &value {
            Some(value) => {
                entries.insert(key.as_slice(), (revision.0, value.as_slice()))?;
                true
            }
            None => entries.remove(key.as_slice())?.is_some(),
        };
        if changed {
            written.push(Write { key, value });
        }
    }
    Ok(if written.is_empty() {
        Outcome::Unchanged
    } else {
        Outcome::Changed(written)
    })
}
