//! A store does what a map would, one batch after another.

use std::collections::BTreeMap;
use std::sync::mpsc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::CommitError::Conflict;
use crate::Entry;

#[derive(Debug, Default)]
struct Model {
    entries: BTreeMap<u8, (Revision, u8)>,
    revision: Revision,
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u8),
    Delete(u8),
    IfAbsent(u8),
    IfPresent(u8),
    /// As it is now, less so many revisions.
    IfUnchanged(u8, u64),
    IfValue(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    // Few keys and values, so that conditions often hold.
    let (key, value) = (0..6_u8, 0..3_u8);
    prop_oneof![
        4 => (key.clone(), value.clone()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => key.clone().prop_map(Step::Delete),
        1 => key.clone().prop_map(Step::IfAbsent),
        1 => key.clone().prop_map(Step::IfPresent),
        1 => (key.clone(), 0..2_u64).prop_map(|(key, back)| Step::IfUnchanged(key, back)),
        1 => (key, value).prop_map(|(key, value)| Step::IfValue(key, value)),
    ]
}

impl Model {
    /// The batch, and what should become of it.
    fn apply(&mut self, steps: &[Step]) -> (Batch, Result<Revision, CommitError>) {
        let mut batch = Batch::new();
        let mut refused = None;
        let mut writes = BTreeMap::new();
        for step in steps {
            let found = |key: &u8| self.entries.get(key).copied();
            let of_key = |key: &u8| found(key).map_or(Revision::ZERO, |(revision, _)| revision);
            let (condition, holds) = match step {
                Step::Put(key, value) => {
                    batch = batch.put([*key], [*value]);
                    writes.insert(*key, Some(*value));
                    continue;
                }
                Step::Delete(key) => {
                    batch = batch.delete([*key]);
                    writes.insert(*key, None);
                    continue;
                }
                Step::IfAbsent(key) => {
                    batch = batch.if_absent([*key]);
                    (key, found(key).is_none())
                }
                Step::IfPresent(key) => {
                    batch = batch.if_present([*key]);
                    (key, found(key).is_some())
                }
                Step::IfUnchanged(key, back) => {
                    let expected = Revision(of_key(key).0.saturating_sub(*back));
                    batch = batch.if_unchanged([*key], expected);
                    (key, of_key(key) == expected)
                }
                Step::IfValue(key, value) => {
                    batch = batch.if_value([*key], [*value]);
                    (key, found(key).is_some_and(|(_, found)| found == *value))
                }
            };
            if !holds {
                refused.get_or_insert(vec![*condition]);
            }
        }
        if let Some(key) = refused {
            return (batch, Err(Conflict { key }));
        }
        let changes =
            |(key, value): (&u8, &Option<u8>)| value.is_some() || self.entries.contains_key(key);
        if writes.iter().any(changes) {
            self.revision = self.revision.next();
        }
        for (key, value) in writes {
            match value {
                Some(value) => self.entries.insert(key, (self.revision, value)),
                None => self.entries.remove(&key),
            };
        }
        (batch, Ok(self.revision))
    }

    fn page(&self) -> Page {
        let entry = |(key, (revision, value)): (&u8, &(Revision, u8))| Entry {
            key: vec![*key],
            value: vec![*value],
            revision: *revision,
        };
        Page {
            entries: self.entries.iter().map(entry).collect(),
            more: false,
            revision: self.revision,
        }
    }
}

/// What a watcher knows of the keys, from changes alone.
fn follow(store: &Embedded, prefix: &[u8], to: Revision) -> BTreeMap<u8, (Revision, u8)> {
    let mut watch = store.watch(prefix, Revision::ZERO).expect("all is kept");
    let mut entries = BTreeMap::new();
    while watch.seen() < to {
        let Some(change) = now(watch.next()) else {
            break;
        };
        let change = change.expect("all is kept");
        for write in &change.writes {
            match &write.value {
                Some(value) => entries.insert(write.key[0], (change.revision, value[0])),
                None => entries.remove(&write.key[0]),
            };
        }
    }
    entries
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Handed over at once, so that transactions hold many of them.
    #[test]
    fn batches_do_what_they_would_do_alone(batches in vec(vec(step(), 0..6), 0..40)) {
        let store = in_memory(1 << 16);
        let mut model = Model::default();
        let (sender, answers) = mpsc::channel();
        let mut expected = Vec::new();
        for steps in &batches {
            let (batch, outcome) = model.apply(steps);
            let sender = sender.clone();
            store.submit(batch, Box::new(move |outcome| {
                sender.send(outcome).expect("the test listens");
            }));
            expected.push(outcome);
        }
        drop(sender);
        prop_assert_eq!(answers.iter().collect::<Vec<_>>(), expected);
        prop_assert_eq!(read(&store, Query::prefix("")), model.page());
        prop_assert_eq!(follow(&store, b"", model.revision), model.entries.clone());
        let third: BTreeMap<_, _> = model.entries.range(3..4).map(|(k, v)| (*k, *v)).collect();
        prop_assert_eq!(follow(&store, &[3], model.revision), third);
    }

    #[test]
    fn pages_make_up_the_whole(
        keys in vec(vec(0..4_u8, 1..4), 0..40),
        bounds in (vec(0..4_u8, 0..3), vec(0..4_u8, 0..3)),
        limit in 1..5_usize,
        descending: bool,
    ) {
        let store = in_memory(0);
        let batch = keys.iter().fold(Batch::new(), |batch, key| batch.put(key.clone(), "v"));
        commit(&store, batch).expect("no condition");
        let within = |key: &&Vec<u8>| **key >= bounds.0 && **key < bounds.1;
        let mut expected: Vec<_> = keys.iter().filter(within).cloned().collect();
        expected.sort();
        expected.dedup();

        let mut query = Query::range(bounds.0.clone(), bounds.1.clone());
        if descending {
            expected.reverse();
            query = query.descending();
        }
        let mut found: Vec<Vec<u8>> = Vec::new();
        query = query.limit(limit);
        loop {
            let page = read(&store, query.clone());
            prop_assert!(page.entries.len() <= limit);
            found.extend(page.entries.into_iter().map(|entry| entry.key));
            match found.last() {
                Some(last) if page.more => query = query.after(last),
                _ => break,
            }
        }
        prop_assert_eq!(found, expected);
    }
}
