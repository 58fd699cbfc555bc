//! Configurations, put together from their sections.

use std::fmt;

/// A configuration: the site of [`gateway_tests::site`] with one binding for each phone.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    dataplane: String,
    limits: String,
    unbound_hosts: &'static str,
    second_inside: bool,
    pool: Vec<String>,
    bindings: Vec<String>,
    extra: String,
}

impl Default for Config {
    /// Phones 1 and 2 with 64 ports each of 192.0.2.1.
    fn default() -> Self {
        Self::empty()
            .pool("addresses = [\"192.0.2.1\"]")
            .binding("10.10.1.1", "192.0.2.1", "40000-40063")
            .binding("10.10.1.2", "192.0.2.1", "40064-40127")
    }
}

impl Config {
    /// No public address, no binding.
    pub(crate) fn empty() -> Self {
        Self {
            dataplane: String::new(),
            limits: "bindings = 1024\npool_addresses = 16".to_owned(),
            unbound_hosts: "drop",
            second_inside: false,
            pool: Vec::new(),
            bindings: Vec::new(),
            extra: String::new(),
        }
    }

    /// Adds keys of `[dataplane]`.
    pub(crate) fn dataplane(mut self, keys: &str) -> Self {
        self.dataplane += &format!("{keys}\n");
        self
    }

    /// Sets the keys of `[limits]`.
    pub(crate) fn limits(mut self, keys: &str) -> Self {
        self.limits = keys.to_owned();
        self
    }

    /// Leaves hosts without a binding to the kernel.
    pub(crate) fn unbound_to_kernel(mut self) -> Self {
        self.unbound_hosts = "kernel";
        self
    }

    /// Adds `inside1` with 10.20.0.0/16.
    pub(crate) fn second_inside(mut self) -> Self {
        self.second_inside = true;
        self
    }

    /// Adds a `[[pool]]` with these keys.
    pub(crate) fn pool(mut self, keys: &str) -> Self {
        self.pool.push(format!("[[pool]]\n{keys}\n"));
        self
    }

    /// Adds a binding.
    pub(crate) fn binding(mut self, private: &str, public: &str, ports: &str) -> Self {
        self.bindings.push(format!(
            "[[binding]]\nprivate = \"{private}\"\npublic = \"{public}\"\nports = \"{ports}\"\n"
        ));
        self
    }

    /// Leaves out the bindings of a private address.
    pub(crate) fn without(mut self, private: &str) -> Self {
        let line = format!("private = \"{private}\"");
        self.bindings.retain(|binding| !binding.contains(&line));
        self
    }

    /// Adds text at the end.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.extra += &format!("{text}\n");
        self
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[dataplane]\n{}", self.dataplane)?;
        writeln!(f, "[limits]\n{}", self.limits)?;
        writeln!(f, "[state]\ndirectory = \"{{dir}}/state\"")?;
        if !self.extra.contains("[metrics]") {
            writeln!(f, "[metrics]\nlisten = \"off\"")?;
        }
        let mut inside = |name: &str, network: &str| {
            writeln!(
                f,
                "[[inside]]\ninterface = \"{name}\"\nnetworks = [\"{network}\"]\n\
                 unbound_hosts = \"{}\"",
                self.unbound_hosts
            )
        };
        inside("inside0", "10.10.0.0/16")?;
        if self.second_inside {
            inside("inside1", "10.20.0.0/16")?;
        }
        writeln!(f, "[[outside]]\ninterface = \"uplink0\"")?;
        for section in self.pool.iter().chain(&self.bindings) {
            f.write_str(section)?;
        }
        f.write_str(&self.extra)
    }
}
