//! Putting programs on devices, so that they stay when the daemon goes.
//!
//! XDP and tcx links are pinned and their program is replaced in place
//! (`bpf_link_update`): not one packet finds the device without a program. Kernels
//! before 6.6 have no tcx; there a clsact filter with a fixed priority and handle is
//! replaced, and a directory under `links/` remembers it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use aya::Ebpf;
use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::tc::{self, NlOptions, SchedClassifierLink, TcAttachOptions, TcHandle};
use aya::programs::xdp::XdpLink;
use aya::programs::{LinkOrder, ProgramError, SchedClassifier, TcAttachType, Xdp};
use gateway_common::abi::program;

use crate::Error;
use crate::desired::{InterfaceSpec, Role};
use crate::link;
use crate::open::{Dataplane, PROGRAMS};
use crate::pins::{Pins, make_directory};

/// Where XDP runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum XdpMode {
    /// In the driver.
    Native,
    /// In the kernel's stack, for drivers that cannot.
    Generic,
}

impl XdpMode {
    /// The word used in names, metrics and tables.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Generic => "generic",
        }
    }

    const fn kernel(self) -> aya::programs::XdpMode {
        match self {
            Self::Native => aya::programs::XdpMode::Driver,
            Self::Generic => aya::programs::XdpMode::Skb,
        }
    }
}

/// Which modes are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum XdpPreference {
    /// Native, else generic.
    #[default]
    Auto,
    /// Native or not at all.
    Native,
    /// Generic only.
    Generic,
}

impl XdpPreference {
    const fn modes(self) -> &'static [XdpMode] {
        match self {
            Self::Auto => &[XdpMode::Native, XdpMode::Generic],
            Self::Native => &[XdpMode::Native],
            Self::Generic => &[XdpMode::Generic],
        }
    }
}

/// How an interface is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The IP interface.
    pub interface: String,
    /// The device under it.
    pub device: String,
    /// XDP's mode; `None` for devices without Ethernet header.
    pub xdp: Option<XdpMode>,
    /// Why XDP does not run natively, in the kernel's words.
    pub note: Option<String>,
    /// `tcx` or `clsact`.
    pub tc: &'static str,
}

/// The fixed place of our clsact filters.
const CLSACT: NlOptions = NlOptions {
    priority: 0x6777,
    handle: TcHandle::new(0, 1),
    classid: None,
};

/// The programs of the object.
pub(crate) struct Programs;

impl Programs {
    /// Loads them: the verifier's word.
    pub(crate) fn load(ebpf: &mut Ebpf) -> Result<(), Error> {
        for name in PROGRAMS {
            let at = |source| Error::Program {
                program: name,
                source,
            };
            match ebpf.program_mut(name) {
                Some(aya::programs::Program::Xdp(xdp)) => xdp.load().map_err(at)?,
                Some(aya::programs::Program::SchedClassifier(tc)) => tc.load().map_err(at)?,
                _ => return Err(Error::Missing(name)),
            }
        }
        Ok(())
    }

    fn xdp(ebpf: &mut Ebpf) -> Result<&mut Xdp, Error> {
        match ebpf.program_mut(program::XDP) {
            Some(aya::programs::Program::Xdp(xdp)) => Ok(xdp),
            _ => Err(Error::Missing(program::XDP)),
        }
    }

    fn tc<'e>(ebpf: &'e mut Ebpf, name: &'static str) -> Result<&'e mut SchedClassifier, Error> {
        match ebpf.program_mut(name) {
            Some(aya::programs::Program::SchedClassifier(tc)) => Ok(tc),
            _ => Err(Error::Missing(name)),
        }
    }
}

impl Dataplane {
    /// Attaches to all interfaces, native where possible, and nowhere else; programs
    /// of a former daemon are replaced in place, and older generations of maps end.
    /// One interface that cannot be attached to does not stop the others.
    pub fn attach(
        &mut self,
        interfaces: &[InterfaceSpec],
        preference: XdpPreference,
    ) -> Vec<Result<Attachment, Error>> {
        let mut keep = BTreeSet::new();
        let mut ports = BTreeSet::new();
        let mut attached = Vec::new();
        for spec in interfaces {
            let done = self.attach_one(spec, preference, &mut keep);
            let native = match &done {
                Ok(attachment) => attachment.xdp == Some(XdpMode::Native),
                // What ran there before goes on, the guard at egress included.
                Err(_) => match self.keep_former(spec, &mut keep) {
                    Ok(native) => native,
                    Err(error) => {
                        attached.push(Err(error));
                        continue;
                    }
                },
            };
            if native {
                ports.insert(spec.port_ifindex);
            }
            attached.push(done);
        }
        for step in [self.retire(&keep), self.retire_ports(&ports)] {
            if let Err(error) = step {
                attached.push(Err(error));
            }
        }
        attached
    }

    /// Keeps the links that an interface has; whether XDP runs natively there.
    fn keep_former(
        &self,
        spec: &InterfaceSpec,
        keep: &mut BTreeSet<String>,
    ) -> Result<bool, Error> {
        let of = |index: u32| format!("-{index}");
        let native = format!("xdp-native-{}", spec.port_ifindex);
        let mut runs_natively = false;
        for name in self.pins.link_names()? {
            let xdp = name.starts_with("xdp-") && name.ends_with(&of(spec.port_ifindex));
            let tc = !name.starts_with("xdp-") && name.ends_with(&of(spec.ifindex));
            runs_natively |= name == native;
            if xdp || tc {
                keep.insert(name);
            }
        }
        Ok(runs_natively)
    }

    fn attach_one(
        &mut self,
        spec: &InterfaceSpec,
        preference: XdpPreference,
        keep: &mut BTreeSet<String>,
    ) -> Result<Attachment, Error> {
        // tc first: it must be there when XDP hands the first packet over.
        let mut tc = self.attach_tc(spec, program::TC_INGRESS, TcAttachType::Ingress, keep)?;
        if spec.role == Role::Outside {
            tc = self.attach_tc(spec, program::TC_EGRESS, TcAttachType::Egress, keep)?;
        }
        let (xdp, note) = if spec.ethernet {
            let (mode, note) = self.attach_xdp(spec, preference, keep)?;
            (Some(mode), note)
        } else {
            (None, None)
        };
        self.set_xdp_transmit(spec, xdp == Some(XdpMode::Native))?;
        Ok(Attachment {
            interface: spec.name.clone(),
            device: spec.port_name.clone(),
            xdp,
            note,
            tc,
        })
    }

    fn attach_xdp(
        &mut self,
        spec: &InterfaceSpec,
        preference: XdpPreference,
        keep: &mut BTreeSet<String>,
    ) -> Result<(XdpMode, Option<String>), Error> {
        let port = spec.port_ifindex;
        let name = |mode: XdpMode| format!("xdp-{}-{port}", mode.label());
        let links = self.pins.links();
        let program = Programs::xdp(&mut self.ebpf)?;
        for mode in [XdpMode::Native, XdpMode::Generic] {
            let path = links.join(name(mode));
            if !path.exists() {
                continue;
            }
            if preference.modes().contains(&mode) && replace_xdp(program, &path).is_ok() {
                keep.insert(name(mode));
                return Ok((mode, None));
            }
            // Of a device that is gone, or in a mode that is not wanted any more.
            link::end(&path)?;
        }
        let mut note = None;
        for mode in preference.modes() {
            match program.attach_to_if_index(port, mode.kernel()) {
                Ok(id) => {
                    let link = program.take_link(id).map_err(|source| Error::Program {
                        program: program::XDP,
                        source,
                    })?;
                    let path = links.join(name(*mode));
                    pin(link.try_into(), &path, spec, program::XDP)?;
                    keep.insert(name(*mode));
                    return Ok((*mode, note));
                }
                Err(error) if os_error(&error) == Some(libc::EBUSY) => {
                    return Err(Error::Occupied {
                        device: spec.port_name.clone(),
                    });
                }
                Err(error) => note = Some(root_cause(&error)),
            }
        }
        Err(refused(spec, program::XDP, note.unwrap_or_default()))
    }

    fn attach_tc(
        &mut self,
        spec: &InterfaceSpec,
        name: &'static str,
        hook: TcAttachType,
        keep: &mut BTreeSet<String>,
    ) -> Result<&'static str, Error> {
        let side = match hook {
            TcAttachType::Egress => "egress",
            _ => "ingress",
        };
        let links = self.pins.links();
        let program = Programs::tc(&mut self.ebpf, name)?;
        let pinned = format!("tc-{side}-{}", spec.ifindex);
        let path = links.join(&pinned);
        if path.exists() {
            if replace_tc(program, &path).is_ok() {
                keep.insert(pinned);
                return Ok("tcx");
            }
            link::end(&path)?;
        }
        let order = TcAttachOptions::TcxOrder(LinkOrder::default());
        match program.attach_with_options(&spec.name, hook, order) {
            Ok(id) => {
                let link = program
                    .take_link(id)
                    .map_err(|error| refused(spec, name, root_cause(&error)))?;
                pin(link.try_into(), &path, spec, name)?;
                keep.insert(pinned);
                Ok("tcx")
            }
            // A kernel without tcx.
            Err(error) if os_error(&error) == Some(libc::EINVAL) => {
                let marker = format!("clsact-{side}-{}", spec.ifindex);
                // The marker first: a filter without one would never be taken away.
                make_directory(&links.join(&marker))?;
                attach_clsact(program, spec, hook).map_err(|error| refused(spec, name, error))?;
                keep.insert(marker);
                Ok("clsact")
            }
            Err(error) => Err(refused(spec, name, root_cause(&error))),
        }
    }

    /// Ends links that are not to be kept, and older generations of maps.
    fn retire(&mut self, keep: &BTreeSet<String>) -> Result<(), Error> {
        for name in self.pins.link_names()? {
            if !keep.contains(&name) {
                retire_link(&self.pins, &name)?;
            }
        }
        for number in self.pins.generations()? {
            if number != self.generation {
                self.pins.remove_generation(number)?;
            }
        }
        Ok(())
    }

    /// Ends everything pinned under `pin_directory`: the traffic is the kernel's.
    ///
    /// # Errors
    /// When a pin cannot be removed.
    pub fn detach_all(pin_directory: &Path) -> Result<(), Error> {
        let Some(pins) = Pins::existing(pin_directory) else {
            return Ok(());
        };
        if pins.links().is_dir() {
            for name in pins.link_names()? {
                retire_link(&pins, &name)?;
            }
        }
        pins.remove_all()
    }
}

fn retire_link(pins: &Pins, name: &str) -> Result<(), Error> {
    let path = pins.links().join(name);
    let Some(filter) = name.strip_prefix("clsact-") else {
        return link::end(&path);
    };
    if let Some((side, ifindex)) = filter.split_once('-')
        && let Some(device) = ifindex.parse().ok().and_then(device_name)
    {
        let hook = match side {
            "egress" => TcAttachType::Egress,
            _ => TcAttachType::Ingress,
        };
        // Dropped at once: that is what detaches it.
        drop(SchedClassifierLink::attached(
            &device,
            hook,
            CLSACT.priority,
            CLSACT.handle,
            None,
        ));
    }
    std::fs::remove_dir(&path).map_err(|source| Error::Pin { path, source })
}

fn device_name(ifindex: u32) -> Option<String> {
    let mut name = [0u8; libc::IF_NAMESIZE];
    // SAFETY: room for a name, as the call wants.
    let found = unsafe { libc::if_indextoname(ifindex, name.as_mut_ptr().cast()) };
    if found.is_null() {
        return None;
    }
    let name = std::ffi::CStr::from_bytes_until_nul(&name).ok()?;
    name.to_str().ok().map(ToOwned::to_owned)
}

fn replace_xdp(program: &mut Xdp, path: &PathBuf) -> Result<(), Box<dyn std::error::Error>> {
    let link: XdpLink = FdLink::from(PinnedLink::from_pin(path)?).try_into()?;
    let id = program.attach_to_link(link)?;
    // The pin holds it from here.
    drop(program.take_link(id)?);
    Ok(())
}

fn replace_tc(
    program: &mut SchedClassifier,
    path: &PathBuf,
) -> Result<(), Box<dyn std::error::Error>> {
    let link: SchedClassifierLink = FdLink::from(PinnedLink::from_pin(path)?).try_into()?;
    let id = program.attach_to_link(link)?;
    drop(program.take_link(id)?);
    Ok(())
}

fn attach_clsact(
    program: &mut SchedClassifier,
    spec: &InterfaceSpec,
    hook: TcAttachType,
) -> Result<(), String> {
    // Fails where there is one already, which is as good.
    let _ = tc::qdisc_add_clsact(&spec.name);
    let text = |error: &ProgramError| root_cause(error);
    let there =
        SchedClassifierLink::attached(&spec.name, hook, CLSACT.priority, CLSACT.handle, None)
            .map_err(|error| error.to_string())?;
    let id = match program.attach_to_link(there) {
        Ok(id) => id,
        Err(_) => program
            .attach_with_options(&spec.name, hook, TcAttachOptions::Netlink(CLSACT))
            .map_err(|error| text(&error))?,
    };
    let link = program.take_link(id).map_err(|error| text(&error))?;
    // Its drop would take the filter away.
    std::mem::forget(link);
    Ok(())
}

fn pin<E: std::error::Error + Send + Sync + 'static>(
    link: Result<FdLink, E>,
    path: &Path,
    spec: &InterfaceSpec,
    program: &'static str,
) -> Result<(), Error> {
    let link = link.map_err(|error| refused(spec, program, error))?;
    link.pin(path)
        .map(drop)
        .map_err(|error| refused(spec, program, error))
}

fn refused(
    spec: &InterfaceSpec,
    program: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::Attach {
        device: spec.name.clone(),
        program,
        source: source.into(),
    }
}

fn os_error(error: &(dyn std::error::Error + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return io.raw_os_error();
        }
        next = error.source();
    }
    None
}

fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if cause.to_string() == error.to_string() {
        error.to_string()
    } else {
        format!("{error}: {cause}")
    }
}
