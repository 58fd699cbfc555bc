//! Transactions by number, and their deadlines in order.

use std::collections::BTreeSet;
use std::time::Duration;

/// A place, and how often it was used before: a number that is kept too long finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id {
    index: u32,
    generation: u32,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    deadline: Option<Duration>,
    value: Option<T>,
}

/// Values with a deadline each: O(1) by number, O(log n) for the deadlines.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
    deadlines: BTreeSet<(Duration, Id)>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            deadlines: BTreeSet::new(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Far fewer than 2^32 can be there: the caller has a limit.
    pub(super) fn insert(&mut self, value: T) -> Id {
        if let Some(index) = self.free.pop()
            && let Some(place) = self.places.get_mut(index as usize)
        {
            place.value = Some(value);
            let generation = place.generation;
            return Id { index, generation };
        }
        let index = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.places.push(Place {
            generation: 0,
            deadline: None,
            value: Some(value),
        });
        Id {
            index,
            generation: 0,
        }
    }

    pub(super) fn get(&self, id: Id) -> Option<&T> {
        let place = self.places.get(id.index as usize)?;
        (place.generation == id.generation).then_some(place.value.as_ref())?
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        let place = self.places.get_mut(id.index as usize)?;
        (place.generation == id.generation).then_some(place.value.as_mut())?
    }

    pub(super) fn remove(&mut self, id: Id) -> Option<T> {
        self.schedule(id, None);
        self.get(id)?;
        let place = self.places.get_mut(id.index as usize)?;
        let value = place.value.take();
        place.generation = place.generation.wrapping_add(1);
        self.free.push(id.index);
        value
    }

    /// Sets when it wants to be looked at.
    pub(super) fn schedule(&mut self, id: Id, deadline: Option<Duration>) {
        let Some(place) = self.places.get_mut(id.index as usize) else {
            return;
        };
        if place.generation != id.generation || place.deadline == deadline {
            return;
        }
        if let Some(before) = std::mem::replace(&mut place.deadline, deadline) {
            self.deadlines.remove(&(before, id));
        }
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, id));
        }
    }

    /// The first deadline.
    pub(super) fn next(&self) -> Option<Duration> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// One whose deadline has come.
    pub(super) fn due(&self, now: Duration) -> Option<Id> {
        let (deadline, id) = self.deadlines.first()?;
        (*deadline <= now).then_some(*id)
    }
}
