//! How other people's programs are run.

pub(crate) mod baresip;
pub(crate) mod sipp;
