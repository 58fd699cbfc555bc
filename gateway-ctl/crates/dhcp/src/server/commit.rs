//! What waits for the disk: nothing that follows from a change comes out before it is written.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::Server;
use crate::output::{Change, CommitId, MOST_CHANGES, Output, Time};

/// Something to do for an address, when its change is written.
pub(super) type After = (Ipv4Addr, Output);

/// What one step of the server changes, and what follows.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    pub(super) changes: Vec<Change>,
    pub(super) after: Vec<After>,
    /// Address whose client waits for the answer.
    pub(super) waits: Option<Ipv4Addr>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Commits {
    last: u64,
    pending: BTreeMap<CommitId, Vec<After>>,
    /// The commit that an address' client waits for.
    waiting: BTreeMap<Ipv4Addr, CommitId>,
}

impl Server {
    /// Says that a commit is on disk. What follows from it comes out of [`Self::next_output`].
    pub fn committed(&mut self, _now: Time, id: CommitId) {
        let Some(after) = self.commits.pending.remove(&id) else {
            return;
        };
        for (address, output) in after {
            if self.commits.waiting.get(&address) == Some(&id) {
                self.commits.waiting.remove(&address);
            }
            self.outputs.push_back(output);
        }
    }

    /// How many commits wait for [`Self::committed`].
    #[must_use]
    pub fn commits_pending(&self) -> usize {
        self.commits.pending.len()
    }

    /// Whether the answer to an address' client waits for the disk.
    pub(super) fn is_waiting(&self, address: Ipv4Addr) -> bool {
        self.commits.waiting.contains_key(&address)
    }

    /// Writes a step as one commit.
    pub(super) fn commit(&mut self, step: Step) -> CommitId {
        self.commits.last += 1;
        let id = CommitId(self.commits.last);
        if let Some(address) = step.waits {
            self.commits.waiting.insert(address, id);
        }
        self.commits.pending.insert(id, step.after);
        let changes = step.changes;
        self.outputs.push_back(Output::Commit { id, changes });
        id
    }

    /// Writes many small steps in as few commits as may be.
    pub(super) fn commit_all(&mut self, steps: impl IntoIterator<Item = Step>) {
        let mut all = Step::default();
        for step in steps {
            if all.changes.len() + step.changes.len() > MOST_CHANGES {
                self.commit(std::mem::take(&mut all));
            }
            all.changes.extend(step.changes);
            all.after.extend(step.after);
        }
        if !all.changes.is_empty() {
            self.commit(all);
        }
    }

    /// A lease is lost before its commit is written: nobody may hear of it any more.
    pub(super) fn hold_back(&mut self, address: Ipv4Addr) {
        if let Some(id) = self.commits.waiting.remove(&address)
            && let Some(after) = self.commits.pending.get_mut(&id)
        {
            after
                .retain(|(whose, output)| *whose != address || matches!(output, Output::Unbind(_)));
        }
    }
}
