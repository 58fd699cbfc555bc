//! Descriptors that a task waits for.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Waits for what can be read from a descriptor, which must not block.
pub(super) fn readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    #[expect(
        deprecated,
        reason = "its successor is unsafe and asks for what OwnedFd guarantees: a descriptor that \
                  stays valid and the same while registered"
    )]
    AsyncFd::with_interest(fd, Interest::READABLE)
}
