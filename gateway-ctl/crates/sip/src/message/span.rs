//! A part of a message's text, by its offsets: lines stay valid when the text grows.

/// Bytes `start..end` of a [`Fields`](super::Fields)' text. Messages are limited to far
/// less than 4 GiB, so 32 bits do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// Offsets beyond 32 bits are cut to an empty span; [`Limits`](super::Limits) exclude
    /// them.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) if start <= end => Self { start, end },
            _ => Self::default(),
        }
    }

    pub(crate) fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    pub(crate) const fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}
