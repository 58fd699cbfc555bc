//! What the programs counted, summed over CPUs.

use aya::Pod;
use aya::maps::{MapData, PerCpuArray};
use gateway_common::Reason;
use gateway_common::abi::{
    Counters, Hook, ICMP_ERRORS_LIMITED, ICMP_ERRORS_SENT, MAX_INTERFACES, RECEIVED,
    counters_index, map,
};

use crate::Error;

/// Counters of one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceCounters {
    /// Its name; "unknown" for what came in on none that is configured.
    pub interface: String,
    /// By hook; those that saw no packet are left out.
    pub hooks: Vec<HookCounters>,
}

/// Counters of one interface at one hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCounters {
    /// Where in the kernel.
    pub hook: Hook,
    /// Packets that came: the sum of all reasons.
    pub received: u64,
    /// How they ended; reasons without a packet are left out.
    pub reasons: Vec<(Reason, u64)>,
    /// ICMP errors sent.
    pub icmp_errors_sent: u64,
    /// ICMP errors not sent because of the rate limit.
    pub icmp_errors_limited: u64,
}

/// The kernel's array of counters as a value.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Values(Counters);

// SAFETY: an array of integers.
unsafe impl Pod for Values {}

/// Reads the counters of the interface with this slot.
pub(crate) fn read(
    map: &PerCpuArray<MapData, Values>,
    slot: u16,
) -> Result<Vec<HookCounters>, Error> {
    let mut hooks = Vec::new();
    for hook in Hook::ALL {
        let sums = sums(map, hook, slot)?;
        if sums[RECEIVED] == 0 {
            continue;
        }
        hooks.push(HookCounters {
            hook,
            received: sums[RECEIVED],
            reasons: Reason::ALL
                .iter()
                .map(|reason| (*reason, sums[reason.index()]))
                .filter(|(_, count)| *count > 0)
                .collect(),
            icmp_errors_sent: sums[ICMP_ERRORS_SENT],
            icmp_errors_limited: sums[ICMP_ERRORS_LIMITED],
        });
    }
    Ok(hooks)
}

/// Sets the counters of a slot to zero: it gets another interface.
pub(crate) fn clear(map: &mut PerCpuArray<MapData, Values>, slot: u16) -> Result<(), Error> {
    let cpus = aya::util::nr_cpus().map_or(1, |cpus| cpus);
    for hook in Hook::ALL {
        let zero = aya::maps::PerCpuValues::try_from(vec![Values([0; 64]); cpus])
            .map_err(|source| error(source.into()))?;
        map.set(counters_index(hook, slot), zero, 0)
            .map_err(error)?;
    }
    Ok(())
}

fn sums(map: &PerCpuArray<MapData, Values>, hook: Hook, slot: u16) -> Result<Counters, Error> {
    debug_assert!(u32::from(slot) < MAX_INTERFACES);
    let values = map.get(&counters_index(hook, slot), 0).map_err(error)?;
    let mut sums = [0; 64];
    for cpu in values.iter() {
        for (sum, value) in sums.iter_mut().zip(cpu.0) {
            *sum += value;
        }
    }
    Ok(sums)
}

fn error(source: aya::maps::MapError) -> Error {
    Error::Map {
        map: map::COUNTERS,
        source,
    }
}
