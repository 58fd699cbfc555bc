//! What lies under the pin directory.
//!
//! ```text
//! /sys/fs/bpf/gateway/gen-3/LEAVES ...        the maps, one generation
//!                    /links/xdp-native-4      links, by device index (bpffs takes no dots)
//!                    /links/tc-ingress-4
//! ```
//!
//! There is more than one generation only while a daemon switches over, or after it
//! was killed in the middle of that; the next one then builds anew, because the
//! truth is elsewhere.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Error;

const BPF_FS_MAGIC: i64 = 0xcafe_4a11;

/// The pin directory.
#[derive(Clone, Debug)]
pub(crate) struct Pins {
    root: PathBuf,
}

impl Pins {
    /// Makes sure that `root` can hold pins; mounts /sys/fs/bpf if that is all.
    pub(crate) fn prepare(root: &Path) -> Result<Self, Error> {
        let pins = Self {
            root: root.to_owned(),
        };
        if !is_bpffs(&existing_parent(root)) {
            let standard = Path::new("/sys/fs/bpf");
            let mounted = if root.starts_with(standard) {
                mount_bpffs(standard)
            } else {
                Err(io::Error::from(io::ErrorKind::Unsupported))
            };
            mounted.map_err(|source| Error::NoBpfFs {
                path: root.to_owned(),
                source,
            })?;
        }
        make_directory(&pins.root)?;
        make_directory(&pins.links())?;
        Ok(pins)
    }

    /// The pin directory as it is, if it is there.
    pub(crate) fn existing(root: &Path) -> Option<Self> {
        root.is_dir().then(|| Self {
            root: root.to_owned(),
        })
    }

    pub(crate) fn links(&self) -> PathBuf {
        self.root.join("links")
    }

    pub(crate) fn generation(&self, number: u32) -> PathBuf {
        self.root.join(format!("gen-{number}"))
    }

    /// Numbers of the generations there, ascending.
    pub(crate) fn generations(&self) -> Result<Vec<u32>, Error> {
        let mut numbers: Vec<u32> = names(&self.root)?
            .iter()
            .filter_map(|name| name.strip_prefix("gen-")?.parse().ok())
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Names of the pinned links.
    pub(crate) fn link_names(&self) -> Result<Vec<String>, Error> {
        names(&self.links())
    }

    /// Unpins a generation; maps live on as long as a program uses them.
    pub(crate) fn remove_generation(&self, number: u32) -> Result<(), Error> {
        remove_directory(&self.generation(number))
    }

    /// Unpins everything.
    pub(crate) fn remove_all(&self) -> Result<(), Error> {
        if self.links().is_dir() {
            remove_directory(&self.links())?;
        }
        for number in self.generations()? {
            self.remove_generation(number)?;
        }
        fs::remove_dir(&self.root).map_err(at(&self.root))
    }
}

/// Makes a directory for pins.
pub(crate) fn make_directory(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(at(path))
}

/// Removes a pin; one that is gone already is fine.
pub(crate) fn unpin(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

fn remove_directory(path: &Path) -> Result<(), Error> {
    for name in names(path)? {
        unpin(&path.join(name))?;
    }
    fs::remove_dir(path).map_err(at(path))
}

fn names(path: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(at(path))? {
        let entry = entry.map_err(at(path))?;
        names.extend(entry.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

fn at(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    move |source| Error::Pin {
        path: path.to_owned(),
        source,
    }
}

fn existing_parent(path: &Path) -> PathBuf {
    path.ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(Path::new("/"))
        .to_owned()
}

fn is_bpffs(path: &Path) -> bool {
    let Some(path) = c_path(path) else {
        return false;
    };
    // SAFETY: all zeros is a value of this plain C struct.
    let mut stat: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: a terminated path, and room for the answer.
    unsafe { libc::statfs(path.as_ptr(), &raw mut stat) == 0 && stat.f_type == BPF_FS_MAGIC }
}

fn mount_bpffs(path: &Path) -> io::Result<()> {
    let target = c_path(path).ok_or(io::ErrorKind::InvalidInput)?;
    // SAFETY: terminated strings, no data.
    let answer = unsafe {
        libc::mount(
            c"bpf".as_ptr(),
            target.as_ptr(),
            c"bpf".as_ptr(),
            0,
            std::ptr::null(),
        )
    };
    if answer == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn c_path(path: &Path) -> Option<std::ffi::CString> {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::CString::new(path.as_os_str().as_bytes()).ok()
}
