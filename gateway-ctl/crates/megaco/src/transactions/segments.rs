//! Replies that are too long for one message (H.248.1 version 3 section 8.2.2 and D.1): cut
//! between answers to commands, and put together again.

use std::collections::BTreeMap;

use crate::encode::{Style, encode_transaction};
use crate::message::{ActionReply, Outcome, SegmentInfo, Transaction, TransactionReply};

/// Octets for what stands around the answers of a segment: head, number, context.
const AROUND: usize = 120;

/// Cuts a reply into segments of about so many octets. An answer that is longer has a segment of
/// its own.
pub(super) fn split(reply: TransactionReply, room: usize, style: Style) -> Vec<TransactionReply> {
    let room = room.saturating_sub(AROUND);
    let Outcome::Actions(actions) = reply.outcome else {
        return vec![reply];
    };
    let (mut segments, mut segment, mut used) = (Vec::new(), Vec::<ActionReply>::new(), 0);
    for piece in actions.into_iter().flat_map(pieces) {
        let length = length(&piece, style);
        if used + length > room && !segment.is_empty() {
            segments.push(std::mem::take(&mut segment));
            used = 0;
        }
        used += length;
        append(&mut segment, piece);
    }
    segments.push(segment);
    let count = segments.len();
    let numbered = segments.into_iter().zip(1u16..);
    numbered
        .map(|(actions, number)| TransactionReply {
            id: reply.id,
            segment: Some(SegmentInfo {
                number,
                last: usize::from(number) == count,
            }),
            immediate_ack: reply.immediate_ack && usize::from(number) == count,
            outcome: Outcome::Actions(actions),
        })
        .collect()
}

/// An action for each answer in one; what is about the context goes with the first, the error
/// with the last.
fn pieces(action: ActionReply) -> Vec<ActionReply> {
    let (context, error) = (action.context, action.error);
    let mut pieces: Vec<_> = action
        .responses
        .into_iter()
        .map(|response| ActionReply::new(context, vec![response]))
        .collect();
    if pieces.is_empty() {
        pieces.push(ActionReply::new(context, Vec::new()));
    }
    if let Some(first) = pieces.first_mut() {
        first.properties = action.properties;
    }
    if let Some(last) = pieces.last_mut() {
        last.error = error;
    }
    pieces
}

fn length(piece: &ActionReply, style: Style) -> usize {
    let reply = Transaction::Reply(TransactionReply {
        id: 0,
        segment: None,
        immediate_ack: false,
        outcome: Outcome::Actions(vec![piece.clone()]),
    });
    let mut bytes = Vec::new();
    encode_transaction(&reply, style, &mut bytes);
    bytes.len()
}

/// What goes on in the same context is one action.
fn append(actions: &mut Vec<ActionReply>, piece: ActionReply) {
    match actions.last_mut() {
        Some(last)
            if last.context == piece.context
                && last.error.is_none()
                && piece.properties.is_empty()
                && !piece.responses.is_empty() =>
        {
            last.responses.extend(piece.responses);
            last.error = piece.error;
        }
        _ => actions.push(piece),
    }
}

/// Segments that have arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    parts: BTreeMap<u16, Vec<ActionReply>>,
    last: Option<u16>,
    octets: usize,
}

/// Most octets of all segments together, in messages of the longest kind.
const MOST_MESSAGES: usize = 16;

impl Gathered {
    /// Whether there are any.
    pub(super) fn begun(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Takes one; whether that is possible.
    pub(super) fn add(
        &mut self,
        segment: SegmentInfo,
        actions: Vec<ActionReply>,
        octets: usize,
        longest: usize,
    ) -> bool {
        let behind = self.last.is_some_and(|last| segment.number > last);
        if segment.number == 0 || behind {
            return false;
        }
        if segment.last {
            let further = self.parts.keys().any(|number| *number > segment.number);
            if further || self.last.is_some_and(|last| last != segment.number) {
                return false;
            }
            self.last = Some(segment.number);
        }
        if self.parts.contains_key(&segment.number) {
            return true;
        }
        self.octets += octets;
        self.parts.insert(segment.number, actions);
        self.octets <= longest.saturating_mul(MOST_MESSAGES)
    }

    /// All of them, if they are there.
    pub(super) fn complete(&mut self) -> Option<Vec<ActionReply>> {
        if self.parts.len() != usize::from(self.last?) {
            return None;
        }
        let mut all = Vec::new();
        for (_, actions) in std::mem::take(&mut self.parts) {
            for action in actions {
                append(&mut all, action);
            }
        }
        Some(all)
    }
}
