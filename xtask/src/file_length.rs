//! Keeps source files short enough to read in one go.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// House style aims at 400 lines; past this it is no longer one idea.
const MAX_LINES: usize = 500;

/// Fails with every Rust file below `root` that is too long.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    files.sort();
    let mut too_long = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file:?}"))?;
        let lines = text.lines().count();
        if lines > MAX_LINES {
            let name = file.strip_prefix(root).unwrap_or(&file).display();
            too_long.push(format!("\n    {name}: {lines}"));
        }
    }
    if !too_long.is_empty() {
        bail!("files of more than {MAX_LINES} lines:{}", too_long.concat());
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))?;
    for entry in entries {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.');
        if kind.is_dir() && !hidden && name != "target" {
            collect(&path, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_named_and_builds_are_not_looked_at() {
        let root = std::env::temp_dir().join(format!("xtask-length-{}", std::process::id()));
        let lines = |count| "\n".repeat(count);
        for (name, count) in [
            ("src/short.rs", 500),
            ("src/long.rs", 501),
            ("target/out.rs", 900),
        ] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("has a folder")).expect("folder");
            fs::write(path, lines(count)).expect("file");
        }
        let error = check(&root).expect_err("one file is too long").to_string();
        fs::remove_dir_all(&root).expect("removed");
        assert_eq!(error, "files of more than 500 lines:\n    src/long.rs: 501");
    }
}
