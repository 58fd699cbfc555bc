//! Hosted telephony for both sites: a gateway at each, the operator's switch at the provider, phones
//! that boot behind the gateways, and a carrier's trunk gateway.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::files::{self, IMAGE, SUBSCRIBERS, Side, Subscriber, TRUNK_PORTS};
use super::{CARRIER, SWITCH, TwoSites, Uplinks};
use crate::link::mac_text;
use crate::phone::Phones;
use crate::site::{Gateway, Phone as Host, Site};
use crate::wait::eventually;

/// For what takes a moment.
const SOON: Duration = Duration::from_secs(20);
/// Size of the phones' image, in bytes.
const IMAGE_BYTES: u32 = 200_000;

/// All of it, at work.
#[derive(Debug)]
pub struct Hosted {
    /// The phones, and the trunk gateway `carrier`. Gone first: what they say is still heard.
    pub phones: Phones,
    /// What is seen between the sites and the provider.
    pub uplinks: Uplinks,
    /// The gateways of sites A and B.
    pub gateways: [Gateway; 2],
    /// The operator's switch.
    pub switch: Gateway,
    /// Where all that is.
    pub sites: TwoSites,
    files: TempDir,
}

/// A phone that has booted, as it tells itself.
#[derive(Clone, Debug)]
pub struct Booted {
    /// Which.
    pub phone: Subscriber,
    /// Its lease.
    pub leased: Value,
    /// Its image.
    pub image: Value,
    /// Its registration.
    pub registered: Value,
}

impl Hosted {
    /// Starts the daemons; no phone is switched on.
    ///
    /// # Errors
    /// When the network cannot be built, or a daemon does not serve.
    pub fn start() -> Result<Self> {
        let sites = TwoSites::new(2, 1)?;
        let files = tempfile::tempdir()?;
        std::fs::write(files.path().join(IMAGE), image())?;
        let uplinks = Uplinks::start(&sites)?;
        let mut switch = Gateway::start(&sites.switch.ns, &files::switch())?;
        let mut gateways = [
            gateway(&sites, Side::A, files.path())?,
            gateway(&sites, Side::B, files.path())?,
        ];
        for one in gateways.iter_mut().chain([&mut switch]) {
            one.wait_ready(SOON)?;
        }
        Ok(Self {
            phones: Phones::start(),
            uplinks,
            gateways,
            switch,
            sites,
            files,
        })
    }

    /// Switches all phones on, and waits until the switch has them; what each of them tells.
    ///
    /// # Errors
    /// When one does not come up, or has another image than the operator.
    pub fn boot(&mut self) -> Result<Vec<Booted>> {
        let mut script = String::from("default protocol=h248\n");
        for phone in &SUBSCRIBERS {
            let host = host(&self.sites, phone);
            // It has no address until one is leased.
            host.ns.ip("address flush dev eth0")?;
            script += &format!(
                "phone {} netns={} vendor_class=\"DemoPhone 1.0\" number={}\n",
                phone.name,
                host.ns.name(),
                phone.number
            );
        }
        script += &format!(
            "phone carrier netns={} address={CARRIER} ports={}-{} lines=trunk/1,trunk/2 switch={SWITCH}\n\
             all expect registered within 30s",
            self.sites.carrier.ns.name(),
            TRUNK_PORTS.start(),
            TRUNK_PORTS.end()
        );
        self.phones.tell(&script)?;
        let sha256: String = Sha256::digest(image())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let booted = SUBSCRIBERS.iter().map(|phone| {
            let told = |event| self.phones.last(phone.name, event).cloned();
            let image = told("fetched")?;
            ensure!(
                image["name"] == IMAGE && image["sha256"] == *sha256,
                "{} has fetched {image}, expected {IMAGE} with SHA-256 {sha256}",
                phone.name
            );
            Ok(Booted {
                phone: phone.clone(),
                leased: told("leased")?,
                image,
                registered: told("registered")?,
            })
        });
        booted.collect()
    }

    /// The gateway of a site.
    pub fn gateway(&mut self, side: Side) -> &mut Gateway {
        let [a, b] = &mut self.gateways;
        match side {
            Side::A => a,
            Side::B => b,
        }
    }

    /// A phone's host.
    #[must_use]
    pub fn host(&self, phone: &Subscriber) -> &Host {
        host(&self.sites, phone)
    }

    /// Where the phones' files are.
    #[must_use]
    pub fn files(&self) -> &Path {
        self.files.path()
    }

    /// Calls that are over, the oldest first, as the switch's log has them; waits until there are
    /// so many.
    ///
    /// # Errors
    /// When there are not.
    pub fn history(&self, calls: usize) -> Result<Vec<Value>> {
        let found = eventually(SOON, || {
            let output = self.switch.ctl(&["calls", "history", "-o", "json"]);
            let text = output.map_err(|why| format!("{why:#}"))?.stdout;
            let all: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
            match all {
                Ok(all) if all.len() >= calls => Ok(all),
                _ => Err(format!("not {calls} calls, but:\n{text}")),
            }
        });
        found
            .map_err(anyhow::Error::msg)
            .context("calls that are over")
    }
}

fn site(sites: &TwoSites, side: Side) -> &Site {
    match side {
        Side::A => &sites.a,
        Side::B => &sites.b,
    }
}

fn host<'a>(sites: &'a TwoSites, phone: &Subscriber) -> &'a Host {
    site(sites, phone.side).phone(phone.host.into())
}

fn gateway(sites: &TwoSites, side: Side, files: &Path) -> Result<Gateway> {
    let root = files.to_str().context("a path that is not UTF-8")?;
    let mac = |phone: &Subscriber| mac_text(host(sites, phone).interface.mac);
    let config = files::gateway(side, root, mac);
    Gateway::start(&site(sites, side).router, &config)
}

/// Any bytes.
fn image() -> Vec<u8> {
    (0..IMAGE_BYTES).map(|n| (n % 251) as u8).collect()
}
