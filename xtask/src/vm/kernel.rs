//! Debian's kernel for virtual machines.
//!
//! An installed one is used as it is. Else the package is unpacked below `target/`: installing it
//! would put a kernel into the boot menu of a developer's own machine.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::command::{output, program, run};
use crate::setup::packages::update_lists;
use crate::setup::unpacked;
use crate::workspace;

const PACKAGE: &str = "linux-image-cloud-amd64";

/// A kernel with its modules.
#[derive(Debug)]
pub(super) struct Kernel {
    pub(super) image: PathBuf,
    /// The folder of `modules.dep`.
    pub(super) modules: PathBuf,
}

/// The newest kernel at hand; fetched when there is none.
pub(super) fn newest() -> Result<Kernel> {
    if let Some(kernel) = newest_below(Path::new("/"))? {
        return Ok(kernel);
    }
    let unpacked = workspace::target_dir().join("vm/kernel");
    if let Some(kernel) = newest_below(&unpacked)? {
        return Ok(kernel);
    }
    unpack(&unpacked)?;
    newest_below(&unpacked)?.with_context(|| format!("no kernel in {}", unpacked.display()))
}

/// The newest cloud kernel in `root`'s boot folder that has modules with a `modules.dep`.
fn newest_below(root: &Path) -> Result<Option<Kernel>> {
    let Ok(files) = fs::read_dir(root.join("boot")) else {
        return Ok(None);
    };
    let mut releases = Vec::new();
    for file in files {
        let name = file?.file_name();
        let release = name.to_str().and_then(|name| name.strip_prefix("vmlinuz-"));
        releases.extend(
            release
                .filter(|r| r.ends_with("-cloud-amd64"))
                .map(str::to_owned),
        );
    }
    releases.sort_by(|a, b| by_version(b, a));
    let kernels = releases.iter().map(|release| Kernel {
        image: root.join("boot").join(format!("vmlinuz-{release}")),
        modules: root.join("lib/modules").join(release),
    });
    let usable = |kernel: &Kernel| kernel.modules.join("modules.dep").exists();
    Ok(kernels.into_iter().find(usable))
}

/// 6.1.0-9 before 6.1.0-56: numbers count as numbers.
fn by_version(a: &str, b: &str) -> Ordering {
    let numbers = |text: &str| -> Vec<u32> {
        text.split(|c: char| !c.is_ascii_digit())
            .filter_map(|part| part.parse().ok())
            .collect()
    };
    numbers(a).cmp(&numbers(b))
}

fn unpack(into: &Path) -> Result<()> {
    eprintln!(
        "setup: unpacking Debian's kernel for virtual machines into {}",
        into.display()
    );
    // Lists of another day may name a package that is gone.
    update_lists()?;
    let package = real_package()?;
    unpacked::unpack(&[&package], into)?;
    let release = package.trim_start_matches("linux-image-");
    run(program("depmod").arg("--basedir").arg(into).arg(release))
}

/// The package that the ever-current `PACKAGE` stands for today.
fn real_package() -> Result<String> {
    let text = output(program("apt-cache").args(["depends", PACKAGE]))?;
    match depended_image(&text) {
        Some(name) => Ok(name.to_owned()),
        None => bail!("package {PACKAGE} names no kernel image"),
    }
}

/// The line `  Depends: linux-image-6.1.0-56-cloud-amd64`.
fn depended_image(text: &str) -> Option<&str> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with("linux-image-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_release_is_the_highest_number() {
        let mut releases = [
            "6.1.0-9-cloud-amd64",
            "6.12.1-1-cloud-amd64",
            "6.1.0-56-cloud-amd64",
        ];
        releases.sort_by(|a, b| by_version(b, a));
        let expected = [
            "6.12.1-1-cloud-amd64",
            "6.1.0-56-cloud-amd64",
            "6.1.0-9-cloud-amd64",
        ];
        assert_eq!(releases, expected);
    }

    #[test]
    fn the_real_package_is_read_from_apt() {
        let text = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n";
        assert_eq!(
            depended_image(text),
            Some("linux-image-6.1.0-56-cloud-amd64")
        );
        assert_eq!(depended_image("linux-image-cloud-amd64\n"), None);
    }
}
