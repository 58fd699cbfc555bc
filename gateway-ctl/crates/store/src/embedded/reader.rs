//! Reads entries of one state of the store, beside the committer.

use redb::{Database, ReadableDatabase as _};

use super::failure::{Cause, reading};
use super::tables::{self, ENTRIES, Stored};
use crate::query::end_of;
use crate::{Entry, Page, Query, Revision};

/// One page.
pub(super) fn page(database: &Database, query: &Query) -> Result<Page, Cause> {
    let transaction = database.begin_read()?;
    let mut page = Page {
        entries: Vec::new(),
        more: false,
        revision: tables::revision_of(&transaction)?,
    };
    if query.to.as_ref().is_some_and(|to| *to <= query.from) {
        return Ok(page);
    }
    let table = transaction.open_table(ENTRIES)?;
    let bounds = tables::bounds(&query.from, query.to.as_deref());
    let mut range = table.range::<&[u8]>(bounds)?;
    loop {
        let next = if query.descending {
            range.next_back()
        } else {
            range.next()
        };
        let Some(found) = next else {
            return Ok(page);
        };
        if page.entries.len() == query.limit {
            page.more = true;
            return Ok(page);
        }
        let (key, stored) = found?;
        let (revision, value): Stored<'_> = stored.value();
        page.entries.push(Entry {
            key: key.value().to_vec(),
            value: value.to_vec(),
            revision: Revision(revision),
        });
    }
}

/// All that begin with a prefix, in order; says of which revision they are.
pub(super) fn for_each(
    database: &Database,
    prefix: &[u8],
    mut visit: impl FnMut(&[u8], &[u8], Revision),
) -> Result<Revision, Cause> {
    let transaction = database.begin_read()?;
    let end = end_of(prefix);
    let table = reading(|| Ok(transaction.open_table(ENTRIES)?))?;
    let bounds = tables::bounds(prefix, end.as_deref());
    let mut range = reading(|| Ok(table.range::<&[u8]>(bounds)?))?;
    // Only redb is guarded: a panic of the visitor's is its own.
    while let Some((key, stored)) = reading(|| Ok(range.next().transpose()?))? {
        let (revision, value) = stored.value();
        visit(key.value(), value, Revision(revision));
    }
    tables::revision_of(&transaction)
}
