//! Packages bring services, and Debian starts those when it installs them. A lab starts programs
//! itself, in namespaces of its own: nothing may run on the machine because it was installed.
//!
//! ```text
//! Quiet::begin   one installation at a time (a lock); /usr/sbin/policy-rc.d says "start nothing",
//!    |           unless the machine has a policy of its own already, which is left as it is
//! apt-get install
//! disable        what was new is stopped, should that policy have let it start, and is not
//!    |           started at the next boot either
//! Quiet::drop    the policy that we made is removed
//! ```
//!
//! A set-up that is killed leaves its policy behind. That does no harm: it forbids only as long as
//! its maker lives, and the next set-up removes it.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::command::{find_program, output, program, run};

/// What maintainers' scripts ask before they start a service.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Held while packages are installed.
const LOCK: &str = "/run/gateway-setup.lock";
/// By this a policy of ours is known.
const MARK: &str = "# Made by cargo xtask setup";

/// No service is started while this lives.
#[derive(Debug)]
pub(crate) struct Quiet {
    /// The policy, if it is ours.
    policy: Option<PathBuf>,
    _lock: File,
}

impl Quiet {
    /// Waits for another set-up that is installing, then forbids to start services.
    pub(crate) fn begin() -> Result<Self> {
        Self::with(Path::new(POLICY), Path::new(LOCK))
    }

    fn with(policy: &Path, lock: &Path) -> Result<Self> {
        let shown = |path: &Path| format!("cannot write {}", path.display());
        let held = File::create(lock).with_context(|| shown(lock))?;
        held.lock().with_context(|| shown(lock))?;
        // We have the lock, so a policy with our mark is that of a set-up that was killed.
        if fs::read_to_string(policy).is_ok_and(|text| text.contains(MARK)) {
            fs::remove_file(policy).with_context(|| shown(policy))?;
        }
        let mut ours = None;
        // Whatever has the name, were it a link to nowhere, is the machine's.
        if policy.symlink_metadata().is_err() {
            let file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o755)
                .open(policy);
            ours = Some(policy.to_owned());
            file.and_then(|mut file| file.write_all(text(std::process::id()).as_bytes()))
                .with_context(|| shown(policy))?;
        }
        Ok(Self {
            policy: ours,
            _lock: held,
        })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(policy) = &self.policy
            && let Err(error) = fs::remove_file(policy)
        {
            eprintln!(
                "setup: cannot remove {}, remove it by hand: {error}",
                policy.display()
            );
        }
    }
}

/// 101 forbids; 104 allows (invoke-rc.d's own numbers).
fn text(maker: u32) -> String {
    format!(
        "#!/bin/sh\n{MARK}, for as long as it installs packages.\n\
         [ -d /proc/{maker} ] && exit 101\nexit 104\n"
    )
}

/// Stops the services of packages that have just been installed, and keeps them from being started
/// at the next boot.
pub(crate) fn disable(packages: &[&str]) -> Result<()> {
    for package in packages {
        let files = output(program("dpkg").args(["-L", package]))?;
        for service in services(&files) {
            eprintln!("setup: {package} brought the service {service}, which is not wanted here");
            if Path::new("/run/systemd/system").is_dir() {
                run(program("systemctl").args(["disable", "--now", "--quiet", &service]))?;
            } else if find_program("update-rc.d").is_some() {
                // Nothing has been started; this also tells a systemd that is not running now.
                run(program("update-rc.d").args([&service, "disable"]))?;
            }
        }
    }
    Ok(())
}

/// The services among a package's files, each once, without the ending.
fn services(files: &str) -> Vec<String> {
    let mut names: Vec<String> = files.lines().filter_map(service).collect();
    names.sort();
    names.dedup();
    names
}

fn service(file: &str) -> Option<String> {
    let unit = file
        .strip_prefix("/usr")
        .unwrap_or(file)
        .strip_prefix("/lib/systemd/system/")
        .and_then(|unit| unit.strip_suffix(".service"));
    let name = unit.or_else(|| file.strip_prefix("/etc/init.d/"))?;
    // A template (`dhcpcd@.service`) runs nothing by itself, and what is below a folder is a
    // setting for another's unit.
    let plain = !name.contains(['@', '/']);
    plain.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        folder
    }

    fn asked(policy: &Path) -> Option<i32> {
        output_code(
            program("sh")
                .arg(policy)
                .args(["kea-dhcp4-server", "start"]),
        )
    }

    fn output_code(command: &mut std::process::Command) -> Option<i32> {
        command.status().expect("runs").code()
    }

    #[test]
    fn a_policy_forbids_while_its_maker_lives() {
        let folder = folder("policy");
        let (policy, lock) = (folder.join("policy-rc.d"), folder.join("lock"));
        let quiet = Quiet::with(&policy, &lock).expect("begun");
        assert_eq!(asked(&policy), Some(101));
        drop(quiet);
        assert!(!policy.exists());

        // No process has this id: the kernel gives 4,194,304 at most.
        fs::write(&policy, text(4_194_305)).expect("written");
        assert_eq!(asked(&policy), Some(104), "its maker is dead");
        let quiet = Quiet::with(&policy, &lock).expect("begun");
        assert_eq!(asked(&policy), Some(101), "replaced");
        drop(quiet);
        assert!(!policy.exists());
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_policy_of_the_machine_stays() {
        let folder = folder("foreign");
        let (policy, lock) = (folder.join("policy-rc.d"), folder.join("lock"));
        fs::write(&policy, "#!/bin/sh\nexit 104\n").expect("written");
        drop(Quiet::with(&policy, &lock).expect("begun"));
        assert_eq!(asked(&policy), Some(104));
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn services_are_found_among_a_packages_files() {
        let files = "/.\n/etc/init.d\n/etc/init.d/isc-dhcp-relay\n\
                     /usr/lib/systemd/system/tftpd-hpa.service\n/etc/init.d/tftpd-hpa\n\
                     /lib/systemd/system/kea-dhcp4-server.service\n\
                     /lib/systemd/system/dhcpcd@.service\n\
                     /lib/systemd/system/other.service.d/ours.service\n";
        let expected = ["isc-dhcp-relay", "kea-dhcp4-server", "tftpd-hpa"];
        assert_eq!(services(files), expected);
    }
}
