//! The bare forwarder and the gateway in turns of a few hundredths of a second, under
//! one load.
//!
//! How fast a path is changes within a second on a machine that others share (here by a
//! factor of two), more than the two differ. Turns that follow each other at once have
//! that in common, and their ratio does not show it. A program at the device calls one or
//! the other, for a few nanoseconds more that both pay: to exchange programs at a device
//! takes the kernel a tenth of a second and more under such a load.

use std::time::Duration;

use anyhow::Result;

use super::abi::Traffic;
use super::gateway::Gateway;
use super::lab::{FORWARDER, GATEWAY, Lab};
use super::path::Path;
use super::phones::Phones;
use super::systems::System;

/// How long each turn is measured.
pub(crate) const TURN: Duration = Duration::from_millis(40);
/// Packets under way when a turn begins are the other's.
pub(crate) const CHANGE: Duration = Duration::from_millis(5);

/// Both, loaded.
pub(crate) struct InTurns<'p> {
    path: &'p Path,
    gateway: Gateway,
}

impl<'p> InTurns<'p> {
    /// Loads both for a thousand phones.
    pub(crate) fn new(path: &'p Path, lab: &mut Lab) -> Result<Self> {
        let phones = Phones::thousand();
        let gateway = path.router().enter(|| {
            let gateway = Gateway::start(path, phones)?;
            let link = Gateway::link(&path.inside)?;
            lab.set_targets(&link)?;
            lab.take_over("lab_turn", &link)?;
            anyhow::Ok(gateway)
        })?;
        path.pin()?;
        Ok(Self { path, gateway })
    }

    /// Takes both off.
    pub(crate) fn remove(self) -> Result<()> {
        self.path.router().enter(|| self.gateway.stop())
    }
}

/// The same traffic, for one of the two.
pub(crate) fn turn(traffic: Traffic, system: System) -> Traffic {
    let target = match system {
        System::Forwarder => FORWARDER,
        _ => GATEWAY,
    };
    Traffic { target, ..traffic }
}
