//! The BPF programs beside the gateway (gateway-ebpf/src/lab), loaded.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use aya::maps::{Array, HashMap, Map, MapData, PerCpuArray, ProgramArray};
use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::xdp::XdpLink;
use aya::programs::{
    Program, ProgramFd, TestRun, TestRunAttrs, TestRunOptions, Xdp, XdpMode, loaded_programs,
};
use aya::{Ebpf, EbpfLoader, Pod};
use gateway_common::abi::map;
use gateway_tests::link::Interface;
use gateway_tests::wait::eventually;

use super::abi::{COUNTS, LEAD, Traffic};
use super::path::FRAME;

/// Live frames taken from the page pool at once: the kernel's maximum.
const BATCH: u32 = 256;
/// What `lab_craft` and `lab_turn` call: the program that is measured,
pub(crate) const GATEWAY: u32 = 0;
/// nothing,
pub(crate) const NOTHING: u32 = 1;
/// or the bare forwarder.
pub(crate) const FORWARDER: u32 = 2;
/// The programs of the object.
const PROGRAMS: [&str; 12] = [
    "lab_generate",
    "lab_turn",
    "lab_craft",
    "lab_end",
    "lab_forward",
    "lab_count",
    "lab_pass",
    "lab_keys",
    "lab_hash_out",
    "lab_tree_out",
    "lab_hash_in",
    "lab_tree_in",
];

/// [`Traffic`] as aya's maps take it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Value(Traffic);

// SAFETY: 14 words and 6 halves, 68 bytes without padding; any bytes are such a value.
unsafe impl Pod for Value {}
const _: () = assert!(size_of::<Traffic>() == 14 * 4 + 6 * 2);

/// The loaded object.
pub(crate) struct Lab {
    ebpf: Ebpf,
    traffic: Mutex<Array<MapData, Value>>,
    counts: PerCpuArray<MapData, u64>,
}

impl Lab {
    /// Loads it for a path without look-ups of its own.
    pub(crate) fn load() -> Result<Self> {
        Self::load_with(&mut EbpfLoader::new())
    }

    /// Loads it over the gateway's pinned maps, with hash maps for so many phones.
    pub(crate) fn load_over(maps: &Path, phones: u32) -> Result<Self> {
        let mut loader = EbpfLoader::new();
        for name in [map::NODES, map::LEAVES, map::BLOCKS] {
            loader.map_pin_path(name, maps.join(name));
        }
        loader.map_max_entries("LAB_BY_PRIVATE", phones);
        loader.map_max_entries("LAB_BY_PUBLIC", phones);
        Self::load_with(&mut loader)
    }

    fn load_with(loader: &mut EbpfLoader<'_>) -> Result<Self> {
        let mut ebpf = loader.load(dataplane::LAB_OBJECT)?;
        for name in PROGRAMS {
            xdp_mut(&mut ebpf, name)?
                .load()
                .with_context(|| format!("load {name}"))?;
        }
        let traffic = Array::try_from(take(&mut ebpf, "LAB_TRAFFIC")?)?;
        let counts = PerCpuArray::try_from(take(&mut ebpf, "LAB_COUNTS")?)?;
        Ok(Self {
            ebpf,
            traffic: Mutex::new(traffic),
            counts,
        })
    }

    /// Says which packets are to be made.
    pub(crate) fn set_traffic(&self, traffic: Traffic) -> Result<()> {
        let mut map = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(map.set(0, Value(traffic), 0)?)
    }

    /// All counts, each summed over the cores.
    pub(crate) fn counts(&self) -> Result<[u64; COUNTS as usize]> {
        let mut sums = [0; COUNTS as usize];
        for (index, sum) in (0..COUNTS).zip(&mut sums) {
            *sum = self.counts.get(&index, 0)?.iter().sum();
        }
        Ok(sums)
    }

    /// Attaches a program natively; dropping the link takes it off. The kernel frees a
    /// device a moment after the last pin of a former link is gone.
    pub(crate) fn attach(&mut self, name: &str, device: &Interface) -> Result<XdpLink> {
        let index = device.index()?;
        let xdp = xdp_mut(&mut self.ebpf, name)?;
        device.ns.enter(|| {
            let id = eventually(Duration::from_secs(5), || {
                xdp.attach_to_if_index(index, XdpMode::Driver)
                    .map_err(|error| format!("attach {name}: {error}"))
            });
            Ok(xdp.take_link(id.map_err(|why| anyhow!(why))?)?)
        })
    }

    /// Puts a program where the one of a pinned link is, without a packet lost.
    pub(crate) fn take_over(&mut self, name: &str, link: &Path) -> Result<()> {
        let link = FdLink::from(PinnedLink::from_pin(link)?);
        let xdp = xdp_mut(&mut self.ebpf, name)?;
        let id = xdp.attach_to_link(XdpLink::try_from(link)?)?;
        // The pin holds the link.
        drop(xdp.take_link(id)?);
        Ok(())
    }

    /// Lets `lab_forward` send by this device.
    pub(crate) fn forward_to(&mut self, device: &Interface) -> Result<()> {
        let index = device.index()?;
        let map = self.ebpf.map_mut("LAB_PORTS").context("no map LAB_PORTS")?;
        let mut ports = aya::maps::DevMapHash::try_from(map)?;
        // Indices of devices are those of the caller's namespace.
        device.ns.enter(|| ports.insert(index, index, None, 0))?;
        Ok(())
    }

    /// Gives `lab_craft` and `lab_turn` what they call; the gateway's program is the one
    /// pinned by `link`.
    pub(crate) fn set_targets(&mut self, link: &Path) -> Result<()> {
        let link = FdLink::from(PinnedLink::from_pin(link)?);
        let id = link.info()?.program_id();
        let measured = loaded_programs()
            .filter_map(Result::ok)
            .find(|program| program.id() == id)
            .context("the linked program is gone")?
            .fd()?;
        let end: ProgramFd = xdp(&self.ebpf, "lab_end")?.fd()?.try_clone()?;
        let forward = xdp(&self.ebpf, "lab_forward")?.fd()?.try_clone()?;
        let map = self.ebpf.map_mut("LAB_TARGETS");
        let mut targets = ProgramArray::try_from(map.context("no map LAB_TARGETS")?)?;
        targets.set(GATEWAY, &measured, 0)?;
        targets.set(NOTHING, &end, 0)?;
        targets.set(FORWARDER, &forward, 0)?;
        Ok(())
    }

    /// Fills the two hash maps: private address, public address and number of the range.
    pub(crate) fn fill_hashes(
        &mut self,
        entries: impl Iterator<Item = (u32, [u32; 2])>,
    ) -> Result<()> {
        let mut by_private: HashMap<_, u32, [u64; 4]> =
            HashMap::try_from(take(&mut self.ebpf, "LAB_BY_PRIVATE")?)?;
        let mut by_public: HashMap<_, [u32; 2], [u64; 4]> =
            HashMap::try_from(take(&mut self.ebpf, "LAB_BY_PUBLIC")?)?;
        for (private, public) in entries {
            let record = [private.into(), 0, 0, 0];
            by_private.insert(private, record, 0)?;
            by_public.insert(public, record, 0)?;
        }
        Ok(())
    }

    /// Runs a program so often on one frame, as if received on a device of the caller's
    /// namespace; its last verdict, the mean time of a run, the frame as it was left.
    pub(crate) fn run(
        &self,
        name: &str,
        ifindex: u32,
        repeat: u32,
    ) -> Result<(u32, Duration, Vec<u8>)> {
        let mut frame = vec![0; FRAME];
        // data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex
        let context = [0, FRAME as u32, 0, ifindex, 0, 0].map(u32::to_ne_bytes);
        let options = TestRunOptions {
            data_in: Some(&[0; FRAME]),
            data_out: Some(&mut frame),
            ctx_in: Some(context.as_flattened()),
            repeat,
            ..TestRunOptions::default()
        };
        let result = xdp(&self.ebpf, name)?.test_run(options)?;
        ensure!(
            result.data_size_out as usize == FRAME,
            "the frame became {} bytes",
            result.data_size_out
        );
        Ok((result.return_value, result.duration, frame))
    }

    /// Sends so many packets from the caller's namespace, as fast as it can.
    pub(crate) fn send(&self, packets: u32) -> Result<()> {
        let options = TestRunOptions {
            data_in: Some(&[0; LEAD + FRAME]),
            repeat: packets,
            attrs: TestRunAttrs::new().xdp_live_frames(BATCH),
            ..TestRunOptions::default()
        };
        xdp(&self.ebpf, "lab_generate")?.test_run(options)?;
        Ok(())
    }
}

fn take(ebpf: &mut Ebpf, name: &str) -> Result<Map> {
    ebpf.take_map(name)
        .with_context(|| format!("no map {name}"))
}

fn xdp<'e>(ebpf: &'e Ebpf, name: &str) -> Result<&'e Xdp> {
    match ebpf.program(name) {
        Some(Program::Xdp(xdp)) => Ok(xdp),
        _ => anyhow::bail!("no program {name}"),
    }
}

fn xdp_mut<'e>(ebpf: &'e mut Ebpf, name: &str) -> Result<&'e mut Xdp> {
    match ebpf.program_mut(name) {
        Some(Program::Xdp(xdp)) => Ok(xdp),
        _ => anyhow::bail!("no program {name}"),
    }
}
