//! Which file a name stands for, and for whom.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, Result, ensure};
use dhcp::MacAddr;
use provision::{Name, NameError, Phone, RenderError, Templates};

use super::files::{Content, Files, Refused, Upload};
use super::tree::Tree;
use super::uploads::Uploads;
use crate::config::Provision;

/// Who has an address.
pub(crate) trait Phones: Send + Sync {
    /// The phone whose lease has this address.
    fn by_address(&self, address: Ipv4Addr) -> Option<Phone>;
}

/// What the gateway serves: the operator's files first, then templates, then what the phone
/// has written itself.
pub(crate) struct Served {
    shared: RwLock<Arc<Shared>>,
    uploads: Uploads,
    phones: Arc<dyn Phones>,
}

/// What a reload replaces.
#[derive(Debug)]
struct Shared {
    tree: Tree,
    templates: Arc<Templates>,
}

impl Served {
    /// Takes the directories up.
    ///
    /// # Errors
    /// When the uploads' directory cannot be used, or lies in the tree: phones would read
    /// each other's files.
    pub(crate) fn start(provision: &Provision, phones: Arc<dyn Phones>) -> Result<Self> {
        let uploads = Uploads::start(&provision.uploads, provision.quota)?;
        separate(&provision.root, &provision.uploads)?;
        Ok(Self {
            shared: RwLock::new(Arc::new(Shared::of(provision))),
            uploads,
            phones,
        })
    }

    /// Goes on with another configuration; the uploads' directory stays that of the start.
    pub(crate) fn reload(&self, provision: &Provision) {
        let shared = Arc::new(Shared::of(provision));
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) = shared;
        self.uploads.set_quota(provision.quota);
    }

    fn find(&self, from: Ipv4Addr, name: &str) -> Result<Content, Refused> {
        let name = checked(name)?;
        let phone = self.phones.by_address(from);
        let shared = Arc::clone(&self.shared.read().unwrap_or_else(PoisonError::into_inner));
        let (templates, phone) = (&shared.templates, phone.as_ref());
        let unrendered = |error| unrendered(error, phone);
        templates.guard(&name, phone).map_err(unrendered)?;
        match shared.tree.open(&name) {
            Err(Refused::NotFound) => {}
            found => return found,
        }
        if let Some(rendered) = templates.render(&name, phone).map_err(unrendered)? {
            return Ok(Content::memory(rendered.bytes.into()));
        }
        match phone {
            Some(phone) => self.uploads.open(phone.mac, &name),
            None => Err(Refused::NotFound),
        }
    }

    fn begin(
        &self,
        from: Ipv4Addr,
        name: &str,
        size: Option<u64>,
    ) -> Result<Box<dyn Upload>, Refused> {
        let name = checked(name)?;
        let Some(phone) = self.phones.by_address(from) else {
            let why = "no phone has a lease of the address that writes";
            return Err(Refused::Denied(why.to_owned()));
        };
        self.uploads.create(phone.mac, &name, size)
    }
}

impl Shared {
    fn of(provision: &Provision) -> Self {
        Self {
            tree: Tree::new(&provision.root),
            templates: Arc::clone(&provision.templates),
        }
    }
}

impl Files for Served {
    fn open(&self, from: Ipv4Addr, name: &str) -> Result<Content, Refused> {
        let found = self.find(from, name);
        told(from, name, found, "phone gets no file")
    }

    fn create(
        &self,
        from: Ipv4Addr,
        name: &str,
        size: Option<u64>,
    ) -> Result<Box<dyn Upload>, Refused> {
        let begun = self.begin(from, name, size);
        told(from, name, begun, "phone may not write")
    }
}

/// Logs what is refused: addresses and names are for those who look for a phone's trouble.
fn told<T>(
    from: Ipv4Addr,
    name: &str,
    result: Result<T, Refused>,
    what: &str,
) -> Result<T, Refused> {
    if let Err(why) = &result {
        tracing::debug!(%from, name, %why, "{what}");
    }
    result
}

fn checked(name: &str) -> Result<Name, Refused> {
    Name::new(name).map_err(|error| match error {
        // Of no file at all.
        NameError::Empty | NameError::TooLong { .. } => Refused::NotFound,
        error => Refused::Denied(error.to_string()),
    })
}

fn unrendered(error: RenderError, phone: Option<&Phone>) -> Refused {
    match error {
        // The operator can only help the phone that is named.
        RenderError::Template(error) => {
            let phone = phone.map(|phone| MacAddr(phone.mac));
            let phone = phone.map(|mac| mac.to_string()).unwrap_or_default();
            tracing::warn!(phone, "{error}; {}", error.fix);
            Refused::Template(error.to_string())
        }
        error => Refused::Anothers(error.to_string()),
    }
}

/// Refuses directories of which one lies in the other, links followed.
fn separate(root: &Path, uploads: &Path) -> Result<()> {
    let uploads = uploads.canonicalize().context("provision.uploads")?;
    let Ok(root) = root.canonicalize() else {
        return Ok(());
    };
    ensure!(
        !root.starts_with(&uploads) && !uploads.starts_with(&root),
        "provision.uploads ({}) and provision.root ({}) lie in each other: phones would read \
         each other's files; choose directories side by side",
        uploads.display(),
        root.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests;
