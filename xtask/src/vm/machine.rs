//! One run of the virtual machine: its files, QEMU, its output and its end.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::kernel::Kernel;
use super::modules::Modules;
use super::tree::Tree;
use crate::command::{find_program, program, shell_quoted};
use crate::workspace;

/// Devices and filters that tests may want; nothing is loaded on demand in there.
const MODULES: &[&str] = &[
    "veth",
    "8021q",
    "bridge",
    "tun",
    "sch_ingress",
    "cls_bpf",
    "nf_tables",
    "nft_chain_nat",
    "nft_masq",
    "nft_ct",
];

/// Programs that tests start; those that this machine lacks are left out.
const PROGRAMS: &[&str] = &["ip", "tc", "ethtool", "nft", "ping", "traceroute"];

const INIT: &str = include_str!("init.sh");

#[derive(Debug)]
pub(super) struct Limits {
    /// Wall clock. Emulation is about ten times slower than the machine that it runs on.
    pub(super) seconds: u64,
    pub(super) memory_mib: u32,
}

/// What the virtual machine shall do, and its files.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) tree: Tree,
    /// The working directory of the command.
    pub(super) folder: String,
    image: PathBuf,
}

impl Job {
    /// A machine with the usual programs and modules, and `more_modules`.
    pub(super) fn new(kernel: &Kernel, more_modules: &[String]) -> Result<Self> {
        let mut tree = Tree::debian();
        let busybox = find_program("busybox").context("there is no busybox")?;
        tree.copy(&busybox, "/busybox/busybox")?;
        tree.add_libraries(&busybox)?;
        tree.add_link("/busybox/sh", "busybox");
        tree.add_program("dash")?;
        tree.add_link("/usr/bin/sh", "dash");
        tree.add_file("/init", 0o755, INIT.into());
        tree.add_file(
            "/etc/passwd",
            0o644,
            b"root:x:0:0::/root:/bin/sh\n".to_vec(),
        );
        for name in PROGRAMS.iter().filter(|name| find_program(name).is_some()) {
            tree.add_program(name)?;
        }
        add_modules(&mut tree, kernel, more_modules)?;
        Ok(Self {
            tree,
            folder: "/root".to_owned(),
            image: kernel.image.clone(),
        })
    }

    /// Sets the command to run, one word each.
    pub(super) fn command(&mut self, words: &[String]) {
        let words: Vec<String> = words.iter().map(|word| shell_quoted(word)).collect();
        self.script(&words.join(" "));
    }

    /// Sets the shell script to run; its status is the machine's.
    pub(super) fn script(&mut self, text: &str) {
        self.tree
            .add_file("/vm/command", 0o644, format!("{text}\n").into());
    }

    /// Boots, runs, and returns the command's exit status.
    pub(super) fn run(mut self, limits: &Limits) -> Result<ExitCode> {
        let lifetime = limits.seconds + 30;
        let folder = shell_quoted(&self.folder);
        let settings = format!("LIFETIME={lifetime}\nFOLDER={folder}\n");
        self.tree.add_file("/vm/settings", 0o644, settings.into());
        let files = Files::new()?;
        self.tree
            .write(BufWriter::new(File::create(files.initramfs())?))?;
        let qemu = qemu(&self.image, &files, limits);
        watch(qemu, Duration::from_secs(limits.seconds))?;
        exit_status(&fs::read_to_string(files.status()).unwrap_or_default())
    }
}

/// A folder below `target/` that goes when the run ends.
#[derive(Debug)]
struct Files(PathBuf);

impl Files {
    fn new() -> Result<Self> {
        let folder = workspace::target_dir().join(format!("vm/run-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }

    fn initramfs(&self) -> PathBuf {
        self.0.join("initramfs")
    }

    fn status(&self) -> PathBuf {
        self.0.join("status")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // Nothing depends on it: the folder is below target/.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn add_modules(tree: &mut Tree, kernel: &Kernel, more: &[String]) -> Result<()> {
    let read = |name: &str| {
        let path = kernel.modules.join(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (dependencies, builtin) = (read("modules.dep")?, read("modules.builtin")?);
    let wanted: Vec<&str> = MODULES
        .iter()
        .copied()
        .chain(more.iter().map(String::as_str))
        .collect();
    let order = Modules::parse(&dependencies, &builtin).load_order(&wanted)?;
    for path in &order {
        tree.copy(
            &kernel.modules.join(path),
            Path::new("/vm/modules").join(path),
        )?;
    }
    let mut list = order.join("\n");
    list.push('\n');
    tree.add_file("/vm/load-order", 0o644, list.into());
    Ok(())
}

/// Emulated, because hardware virtualisation inside a cloud machine is often there but broken.
fn qemu(image: &Path, files: &Files, limits: &Limits) -> Command {
    let mut qemu = program("qemu-system-x86_64");
    qemu.args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"])
        .args(["-m", &limits.memory_mib.to_string()])
        .args([
            "-nodefaults",
            "-no-user-config",
            "-no-reboot",
            "-display",
            "none",
        ])
        .args(["-serial", "stdio", "-serial"])
        .arg(format!("file:{}", files.status().display()))
        .arg("-kernel")
        .arg(image)
        .arg("-initrd")
        .arg(files.initramfs())
        .args(["-append", "console=ttyS0 quiet panic=-1 mitigations=off"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    qemu
}

/// Runs QEMU, passes its output on, and ends it when its time is up.
fn watch(mut qemu: Command, limit: Duration) -> Result<()> {
    let mut child = qemu.spawn().context("cannot start qemu-system-x86_64")?;
    let console = child.stdout.take().context("QEMU has no output")?;
    let (ended, end) = mpsc::channel::<()>();
    let reader = thread::spawn(move || {
        let result = pass_on(console);
        drop(ended);
        result
    });
    if let Err(RecvTimeoutError::Timeout) = end.recv_timeout(limit) {
        stop(&mut child)?;
        bail!(
            "the virtual machine was still running after {} s",
            limit.as_secs()
        );
    }
    let status = child.wait().context("cannot wait for QEMU")?;
    if let Ok(result) = reader.join() {
        result.context("cannot pass the virtual machine's output on")?;
    }
    if !status.success() {
        bail!("QEMU failed: {status}");
    }
    Ok(())
}

fn stop(child: &mut Child) -> Result<()> {
    child.kill().context("cannot end QEMU")?;
    child.wait().context("cannot wait for QEMU")?;
    Ok(())
}

/// Copies a serial line to our output, without its carriage returns.
fn pass_on(mut console: impl Read) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let mut out = io::stdout();
    loop {
        let count = console.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let text: Vec<u8> = buffer[..count]
            .iter()
            .copied()
            .filter(|byte| *byte != b'\r')
            .collect();
        out.write_all(&text)?;
        out.flush()?;
    }
}

/// The status that `init.sh` wrote to the second serial line.
fn exit_status(line: &str) -> Result<ExitCode> {
    match line.trim().parse::<u8>() {
        Ok(status) => Ok(ExitCode::from(status)),
        Err(_) => bail!("the virtual machine ended before its command did"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_is_the_commands() {
        assert_eq!(exit_status("0\r\n").ok(), Some(ExitCode::SUCCESS));
        assert_eq!(exit_status("101\n").ok(), Some(ExitCode::from(101)));
        assert!(exit_status("").is_err());
    }

    #[test]
    fn output_is_watched_and_time_is_limited() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).stdout(Stdio::piped());
            command
        };
        assert!(watch(shell("exit 0"), Duration::from_secs(60)).is_ok());
        let error = watch(shell("exit 3"), Duration::from_secs(60)).expect_err("it failed");
        assert!(error.to_string().contains("exit status: 3"), "got {error}");
        let error = watch(shell("exec sleep 60"), Duration::from_millis(50)).expect_err("late");
        assert!(error.to_string().contains("still running"), "got {error}");
    }
}
