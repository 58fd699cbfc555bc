//! `export`, `import`: all that must survive, as JSON lines.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::output::Output;
use crate::api::client::Client;
use crate::api::types::Imported;

/// Write leases, reservations, their history and the API's bindings as JSON lines.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// Where to; standard output if left out.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(&self, client: &Client) -> Result<()> {
        let mut lines = client.lines("/v1/export").await?;
        let Some(path) = &self.file else {
            let mut out = std::io::stdout().lock();
            while let Some(line) = lines.next().await? {
                out.write_all(&line)?;
            }
            return Ok(());
        };
        // Whole or not at all: a backup that is cut off is none.
        let part = path.with_extension("part");
        let context = || format!("cannot write {}", path.display());
        let mut out = std::io::BufWriter::new(File::create(&part).with_context(context)?);
        while let Some(line) = lines.next().await? {
            out.write_all(&line).with_context(context)?;
        }
        let file = out
            .into_inner()
            .map_err(|error| error.into_error())
            .with_context(context)?;
        file.sync_all().with_context(context)?;
        std::fs::rename(&part, path).with_context(context)
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
        let mut bytes = Vec::new();
        if self.file.as_os_str() == "-" {
            std::io::stdin().read_to_end(&mut bytes)?;
        } else {
            bytes = std::fs::read(&self.file)
                .with_context(|| format!("cannot read {}", self.file.display()))?;
        }
        if bytes.is_empty() {
            bail!(
                "{} is empty: give what `gateway-ctl export` has written",
                self.file.display()
            );
        }
        let path = format!("/v1/import?replace={}", self.replace);
        let done: Imported = client.post_bytes(&path, bytes).await?;
        self.output.print(&done, |done| {
            format!(
                "imported: {} leases, {} reservations, {} lines of history, {} bindings\n{}",
                done.leases,
                done.reservations,
                done.history,
                done.bindings,
                match done.lost {
                    0 => String::new(),
                    lost =>
                        format!("{lost} leases have no room in the configuration: they ended\n"),
                }
            )
        })
    }
}
