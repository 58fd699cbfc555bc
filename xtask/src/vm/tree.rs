//! The virtual machine's root file system, gathered in memory.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::cpio::{Entry, Writer};
use crate::command::{find_program, output};

/// Files by absolute path. A path sorts after its folder, which is the order an archive needs.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<PathBuf, Node>,
}

#[derive(Debug)]
enum Node {
    Folder,
    File { permissions: u32, content: Vec<u8> },
    Link(String),
}

impl Tree {
    /// A tree with the folders of a merged-usr Debian.
    pub(super) fn debian() -> Self {
        let mut tree = Self::default();
        for folder in [
            "/dev", "/proc", "/root", "/run", "/sys", "/tmp", "/var", "/etc",
        ] {
            tree.add_folder(Path::new(folder));
        }
        for folder in ["bin", "sbin", "lib", "lib64"] {
            tree.add_folder(&Path::new("/usr").join(folder));
            tree.add_link(&format!("/{folder}"), &format!("usr/{folder}"));
        }
        tree.add_link("/var/run", "/run");
        tree
    }

    pub(super) fn add_folder(&mut self, path: &Path) {
        for folder in path.ancestors().filter(|folder| folder.parent().is_some()) {
            self.nodes
                .entry(folder.to_path_buf())
                .or_insert(Node::Folder);
        }
    }

    pub(super) fn add_link(&mut self, path: &str, to: &str) {
        let path = PathBuf::from(path);
        self.add_parent(&path);
        self.nodes.insert(path, Node::Link(to.to_owned()));
    }

    pub(super) fn add_file(
        &mut self,
        path: impl Into<PathBuf>,
        permissions: u32,
        content: Vec<u8>,
    ) {
        let path = path.into();
        self.add_parent(&path);
        self.nodes.insert(
            path,
            Node::File {
                permissions,
                content,
            },
        );
    }

    /// Copies one of this machine's files to `to`.
    pub(super) fn copy(&mut self, from: &Path, to: impl Into<PathBuf>) -> Result<()> {
        let problem = || format!("cannot read {}", from.display());
        let content = fs::read(from).with_context(problem)?;
        let permissions = fs::metadata(from).with_context(problem)?.permissions();
        self.add_file(to, permissions.mode() & 0o777, content);
        Ok(())
    }

    /// Copies one of this machine's folders, with all below it, to the same path.
    pub(super) fn copy_folder(&mut self, folder: &Path) -> Result<()> {
        self.add_folder(folder);
        let entries =
            fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                self.copy_folder(&path)?;
            } else {
                self.copy(&path, &path)?;
            }
        }
        Ok(())
    }

    /// Copies a program, by name or path, with its shared libraries to where they are here.
    pub(super) fn add_program(&mut self, name: &str) -> Result<()> {
        let path = if name.contains('/') {
            Some(PathBuf::from(name)).filter(|path| path.is_file())
        } else {
            find_program(name)
        };
        let path = path.with_context(|| format!("this machine has no program `{name}`"))?;
        let path = std::path::absolute(&path)?;
        self.copy_in_place(&path)?;
        self.add_libraries(&path)
    }

    /// Copies the shared libraries of a program.
    pub(super) fn add_libraries(&mut self, program: &Path) -> Result<()> {
        // ldd refuses a static program: it has no libraries.
        let listing = output(Command::new("ldd").arg(program)).unwrap_or_default();
        for library in libraries_in(&listing) {
            self.copy_in_place(Path::new(library))?;
        }
        Ok(())
    }

    /// Copies a file to the same path, less the links on the way to its folder (`/lib`), since the
    /// tree has the same ones.
    fn copy_in_place(&mut self, path: &Path) -> Result<()> {
        let parts = path.parent().zip(path.file_name());
        let (folder, file) = parts.with_context(|| format!("{} is no file", path.display()))?;
        let to = fs::canonicalize(folder)?.join(file);
        if self.nodes.contains_key(&to) {
            return Ok(());
        }
        self.copy(path, to)
    }

    /// Writes the tree as the archive that the kernel unpacks.
    pub(super) fn write(&self, out: impl Write) -> Result<()> {
        let mut archive = Writer::new(out);
        for (path, node) in &self.nodes {
            let name = path.to_str().context("a path is not UTF-8")?;
            let entry = match node {
                Node::Folder => Entry::Directory,
                Node::File {
                    permissions,
                    content,
                } => Entry::File(*permissions, content),
                Node::Link(to) => Entry::Symlink(to),
            };
            archive.append(name.trim_start_matches('/'), entry)?;
        }
        archive.finish()?;
        Ok(())
    }

    fn add_parent(&mut self, path: &Path) {
        if let Some(parent) = path.parent() {
            self.add_folder(parent);
        }
    }
}

/// The paths in lines such as `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f…)` and
/// `/lib64/ld-linux-x86-64.so.2 (0x00007f…)`.
fn libraries_in(listing: &str) -> impl Iterator<Item = &str> {
    listing
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_from_ldd() {
        let listing = "\tlinux-vdso.so.1 (0x00007ffd)\n\
            \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2e)\n\
            \tlibgone.so => not found\n\
            \t/lib64/ld-linux-x86-64.so.2 (0x00007f2e)\n";
        let expected = [
            "/lib/x86_64-linux-gnu/libc.so.6",
            "/lib64/ld-linux-x86-64.so.2",
        ];
        assert_eq!(libraries_in(listing).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn folders_come_before_what_they_hold() {
        let mut tree = Tree::default();
        tree.add_file("/a/b/c", 0o644, b"x".to_vec());
        tree.add_link("/a/d", "b");
        let names: Vec<_> = tree
            .nodes
            .keys()
            .map(|path| path.display().to_string())
            .collect();
        assert_eq!(names, ["/a", "/a/b", "/a/b/c", "/a/d"]);
    }

    #[test]
    fn a_program_brings_its_libraries_and_an_unknown_one_is_named() {
        let mut tree = Tree::debian();
        tree.add_program("sh").expect("every machine has a shell");
        assert!(tree.nodes.keys().any(|path| path.ends_with("libc.so.6")));
        let error = tree.add_program("no-such-program").expect_err("unknown");
        assert_eq!(
            error.to_string(),
            "this machine has no program `no-such-program`"
        );
    }
}
