//! `export`, `import`: all that must survive, as JSON lines.

use std::fs::{File, FileType, OpenOptions};
use std::io::{BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};

use super::output::Output;
use crate::api::client::Client;
use crate::api::types::{ExportEnd, Exported, Imported};

/// Bytes of a backup that are sent at once.
const PIECE: usize = 64 << 10;

/// Write leases, reservations, their history and the API's bindings as JSON lines.
///
/// What was written is counted on standard error. A file is there when all of it is on disk,
/// for its owner only.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// Where to; standard output if left out, or -.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Replace the file if there is one; nothing but a file is replaced.
    #[arg(long, requires = "file")]
    force: bool,
}

impl Export {
    pub(super) async fn run(&self, client: &Client) -> Result<()> {
        let file = self.file.as_ref();
        let Some(path) = file.filter(|path| path.as_os_str() != "-") else {
            let mut out = std::io::stdout().lock();
            let exported = copy(client, &mut out).await?;
            out.flush()?;
            eprintln!("exported: {exported}");
            return Ok(());
        };
        self.may_write(path)?;
        let context = || format!("cannot write {}", path.display());
        let part = Part::new(path).with_context(context)?;
        let mut out = BufWriter::new(&part.file);
        let exported = copy(client, &mut out).await.with_context(context)?;
        out.flush().with_context(context)?;
        drop(out);
        self.may_write(path)?;
        part.place(path).with_context(context)?;
        eprintln!("exported to {}: {exported}", path.display());
        Ok(())
    }

    /// An older backup is not lost by mistake, and what is no file never: a rename would put a
    /// file in a device's place.
    fn may_write(&self, path: &Path) -> Result<()> {
        let there = match path.symlink_metadata() {
            Ok(there) => there.file_type(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot write {}", path.display()));
            }
        };
        match (no_file(there), self.force) {
            (Some(kind), _) => bail!(
                "{} is {kind}, and an export replaces nothing but files: give another name, or - \
                 for standard output",
                path.display()
            ),
            (None, false) => bail!(
                "{} is there already: give another name, or replace it with --force",
                path.display()
            ),
            (None, true) => Ok(()),
        }
    }
}

/// What it is, unless it is a file.
fn no_file(kind: FileType) -> Option<&'static str> {
    match kind {
        kind if kind.is_file() => None,
        kind if kind.is_dir() => Some("a directory"),
        kind if kind.is_symlink() => Some("a symbolic link"),
        kind if kind.is_fifo() => Some("a named pipe"),
        kind if kind.is_socket() => Some("a socket"),
        _ => Some("a device"),
    }
}

/// Copies all lines; how much that was, by the last one.
async fn copy(client: &Client, out: &mut impl Write) -> Result<Exported> {
    let mut lines = client.lines("/v1/export").await?;
    let mut last = Vec::new();
    while let Some(line) = lines.next().await? {
        out.write_all(&line)?;
        last = line;
    }
    match serde_json::from_slice(&last) {
        Ok(ExportEnd { end }) => Ok(end),
        Err(_) => bail!(
            "the daemon ended the backup without its last line: see its log, and export once more"
        ),
    }
}

/// A file beside the one that it will be. Dropped, it leaves nothing behind.
struct Part {
    file: File,
    path: PathBuf,
}

impl Part {
    /// For its owner only: it says who telephones with which port.
    fn new(path: &Path) -> Result<Self> {
        let name = path.file_name().context("it names no file")?;
        let mut name = name.to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let path = path.with_file_name(name);
        let mut options = OpenOptions::new();
        // Nobody else's, and no link to somewhere else.
        options.write(true).create_new(true).mode(0o600);
        let file = match options.open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(anyhow!("remove {} first", path.display()));
            }
            opened => opened?,
        };
        Ok(Self { file, path })
    }

    /// Gives it its name, when it is on disk.
    fn place(self, path: &Path) -> Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, path)?;
        let directory = path.parent().filter(|name| !name.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Once it has its name there is nothing to remove.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Take in what `export` has written.
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The file; - is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Leases that are there now end, unless the backup has them too.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    output: Output,
}

impl Import {
    pub(super) async fn run(&self, client: &Client) -> Result<()> {
        let pieces = if self.file.as_os_str() == "-" {
            pieces(Box::new(std::io::stdin()))
        } else {
            let context = || format!("cannot read {}", self.file.display());
            let file = File::open(&self.file).with_context(context)?;
            if file.metadata().with_context(context)?.is_dir() {
                bail!("{} is a directory: give a file", self.file.display());
            }
            pieces(Box::new(file))
        };
        let path = format!("/v1/import?replace={}", self.replace);
        let done: Imported = client.post_stream(&path, pieces).await?;
        self.output.print(&done, text)
    }
}

/// A file piece by piece.
fn pieces(
    mut from: Box<dyn Read + Send>,
) -> impl Iterator<Item = std::io::Result<Vec<u8>>> + Send + 'static {
    std::iter::from_fn(move || {
        let mut piece = Vec::with_capacity(PIECE);
        let mut next = from.by_ref().take(PIECE as u64);
        match next.read_to_end(&mut piece) {
            Ok(0) => None,
            Ok(_) => Some(Ok(piece)),
            Err(error) => Some(Err(error)),
        }
    })
}

fn text(done: &Imported) -> String {
    let counts = Exported {
        leases: done.leases,
        reservations: done.reservations,
        history: done.history,
        bindings: done.bindings,
    };
    let mut text = format!("imported: {counts}\n");
    for (lost, what) in [
        (
            done.lost,
            "lease(s) have no room in the configuration: they ended",
        ),
        (
            done.lost_reservations,
            "reservation(s) have no room in the configuration: they are kept until they have",
        ),
    ] {
        if lost > 0 {
            text += &format!("{lost} {what}\n");
        }
    }
    if !done.lost_bindings.is_empty() {
        text += &format!("{} binding(s) were left out:\n", done.lost_bindings.len());
    }
    for lost in &done.lost_bindings {
        text += &format!("  {}: {}\n", lost.private, lost.error);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use nix::sys::stat::{Mode, SFlag, makedev, mknod};

    use super::*;

    #[test]
    fn nothing_but_a_file_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("file"), "an older backup").unwrap();
        std::fs::create_dir(at("directory")).unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        std::os::unix::fs::symlink(at("nothing"), at("dangling")).unwrap();
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        nix::unistd::mkfifo(&at("pipe"), mode).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        let mut others = vec![
            ("directory", "is a directory"),
            ("link", "is a symbolic link"),
            ("dangling", "is a symbolic link"),
            ("pipe", "is a named pipe"),
            ("socket", "is a socket"),
        ];
        // Only root makes devices: the number is /dev/null's.
        if mknod(&at("device"), SFlag::S_IFCHR, mode, makedev(1, 3)).is_ok() {
            others.push(("device", "is a device"));
        }
        for force in [false, true] {
            let may = |name: &str| {
                let export = Export {
                    file: Some(at(name)),
                    force,
                };
                let answer = export.may_write(&at(name));
                answer.map_err(|error| error.to_string())
            };
            assert_eq!(may("new"), Ok(()));
            assert_eq!(may("file").is_ok(), force);
            for (name, why) in &others {
                let error = may(name).unwrap_err();
                assert!(error.contains(why) && !error.contains("--force"), "{error}");
            }
        }
    }
}
