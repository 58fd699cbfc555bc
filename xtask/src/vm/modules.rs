//! Which kernel modules must be loaded before which: `modules.dep` as depmod(8) writes it.
//!
//! ```text
//! kernel/net/8021q/8021q.ko: kernel/net/802/mrp.ko kernel/net/802/garp.ko
//! ```

use std::collections::BTreeMap;

use anyhow::{Result, bail};

/// The modules of one kernel, by name, and those that are part of the kernel itself.
#[derive(Debug, Default)]
pub(super) struct Modules<'a> {
    loadable: BTreeMap<String, Module<'a>>,
    builtin: Vec<String>,
}

#[derive(Debug)]
struct Module<'a> {
    path: &'a str,
    needs: Vec<String>,
}

impl<'a> Modules<'a> {
    /// From the texts of `modules.dep` and `modules.builtin`.
    pub(super) fn parse(dependencies: &'a str, builtin: &str) -> Self {
        let line = |line: &'a str| {
            let (path, needs) = line.split_once(':')?;
            let needs = needs.split_whitespace().map(name_of).collect();
            Some((name_of(path), Module { path, needs }))
        };
        Self {
            loadable: dependencies.lines().filter_map(line).collect(),
            builtin: builtin.lines().map(name_of).collect(),
        }
    }

    /// Paths of the modules to load for `wanted`, each after those that it needs, none twice.
    pub(super) fn load_order(&self, wanted: &[&str]) -> Result<Vec<&'a str>> {
        let mut order = Vec::new();
        for name in wanted {
            self.visit(&name_of(name), &mut Vec::new(), &mut order)?;
        }
        Ok(order)
    }

    fn visit(&self, name: &str, above: &mut Vec<String>, order: &mut Vec<&'a str>) -> Result<()> {
        if self.builtin.iter().any(|known| known == name) {
            return Ok(());
        }
        let Some(module) = self.loadable.get(name) else {
            bail!("this kernel has no module `{name}`");
        };
        if order.contains(&module.path) {
            return Ok(());
        }
        if above.iter().any(|one| one == name) {
            bail!(
                "module `{name}` needs itself, by way of {}",
                above.join(", ")
            );
        }
        above.push(name.to_owned());
        for needed in &module.needs {
            self.visit(needed, above, order)?;
        }
        above.pop();
        order.push(module.path);
        Ok(())
    }
}

/// The name that `lsmod` shows: the file's, without folder and endings, dashes as underscores.
fn name_of(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split_once(".ko").map_or(file, |(stem, _)| stem);
    stem.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPENDENCIES: &str = "\
kernel/lib/libcrc32c.ko:
kernel/net/802/stp.ko: kernel/net/llc/llc.ko
kernel/net/llc/llc.ko:
kernel/net/802/garp.ko: kernel/net/802/stp.ko kernel/net/llc/llc.ko
kernel/net/8021q/8021q.ko: kernel/net/802/garp.ko kernel/net/802/stp.ko kernel/net/llc/llc.ko
kernel/a/one-two.ko: kernel/a/three.ko
kernel/a/three.ko: kernel/a/one-two.ko
";

    fn order(wanted: &[&str]) -> Result<Vec<&'static str>> {
        Modules::parse(DEPENDENCIES, "kernel/drivers/net/veth.ko\n").load_order(wanted)
    }

    #[test]
    fn what_is_needed_comes_first_and_once() {
        let expected = [
            "kernel/net/llc/llc.ko",
            "kernel/net/802/stp.ko",
            "kernel/net/802/garp.ko",
            "kernel/net/8021q/8021q.ko",
        ];
        assert_eq!(
            order(&["8021q", "garp", "8021q"]).ok().as_deref(),
            Some(&expected[..])
        );
    }

    #[test]
    fn what_the_kernel_contains_is_not_loaded() {
        assert_eq!(order(&["veth"]).ok(), Some(vec![]));
    }

    #[test]
    fn an_unknown_module_is_named() {
        let error = order(&["nope"]).expect_err("unknown");
        assert_eq!(error.to_string(), "this kernel has no module `nope`");
    }

    #[test]
    fn a_circle_ends_with_an_error() {
        let error = order(&["one_two"]).expect_err("a circle");
        assert_eq!(
            error.to_string(),
            "module `one_two` needs itself, by way of one_two, three"
        );
    }
}
