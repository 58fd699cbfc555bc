//! Ending a pinned link now. When the last reference to a link goes (its pin is
//! removed), the kernel only queues the work of detaching it: whoever attaches next
//! may find the device taken. aya has no call for this one.

use std::ffi::CString;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::Error;
use crate::pins::unpin;

/// `enum bpf_cmd`.
const BPF_OBJ_GET: libc::c_int = 7;
const BPF_LINK_DETACH: libc::c_int = 34;

/// What `bpf(2)` takes for `BPF_OBJ_GET`.
#[repr(C)]
struct ObjectGet {
    path: u64,
    fd: u32,
    flags: u32,
}

/// What `bpf(2)` takes for `BPF_LINK_DETACH`.
#[repr(C)]
struct LinkDetach {
    link: u32,
}

/// Detaches the link pinned at `path`, if one is, and removes the pin.
///
/// # Errors
/// When the pin cannot be removed.
pub(crate) fn end(path: &Path) -> Result<(), Error> {
    if let Some(link) = open(path) {
        let detach = LinkDetach {
            link: link.as_raw_fd() as u32,
        };
        // A link that cannot be detached ends with its pin.
        bpf(BPF_LINK_DETACH, &detach);
    }
    unpin(path)
}

fn open(path: &Path) -> Option<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let get = ObjectGet {
        path: path.as_ptr() as u64,
        fd: 0,
        flags: 0,
    };
    let fd = i32::try_from(bpf(BPF_OBJ_GET, &get)).ok()?;
    // SAFETY: the kernel has just returned this descriptor, so nothing else owns it.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

fn bpf<T>(command: libc::c_int, attributes: &T) -> libc::c_long {
    let attributes: *const T = attributes;
    // SAFETY: the kernel reads as many bytes as the structure has that the pointer is
    // to; a path in it is a C string that its owner keeps until the call returns.
    unsafe { libc::syscall(libc::SYS_bpf, command, attributes, size_of::<T>()) }
}
