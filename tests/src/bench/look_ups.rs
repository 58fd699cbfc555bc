//! Hash maps, or a tree and arrays? The same random keys to a record of the same phone,
//! once each way: the numbers behind ARCHITECTURE.md, "The look-ups".

use anyhow::{Result, ensure};

use super::Options;
use super::abi::{self, Traffic};
use super::cpu::{Core, pin_this_thread};
use super::gateway::{Gateway, limits};
use super::lab::Lab;
use super::path::Path;
use super::phones::Phones;
use super::report::{Figure, Report};
use super::statistics::{median, median_ratio};

const BINDINGS: [u32; 3] = [1000, 100_000, 1_000_000];
/// Name, the gateway's way, the other way.
const DIRECTIONS: [(&str, &str, &str); 2] = [
    ("private address", "lab_tree_out", "lab_hash_out"),
    ("public address and port", "lab_tree_in", "lab_hash_in"),
];

/// Measures both ways over every size.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let repeat = if options.quick { 200_000 } else { 1_000_000 };
    let path = Path::new()?;
    for bindings in BINDINGS {
        report.progress(&format!("hash or tree over {bindings} bindings"));
        let phones = Phones::many(bindings);
        let times = path.router().enter(|| {
            pin_this_thread(Core::Router)?;
            let (gateway, _) = Gateway::load(&path, phones, phones.addresses())?;
            let mut lab = load(&gateway, phones)?;
            let times = rounds(&mut lab, &path, phones, options.rounds(), repeat);
            drop(lab);
            gateway.stop()?;
            times
        })?;
        for ((name, ..), [tree, hash]) in DIRECTIONS.into_iter().zip(&times) {
            let title = |way| format!("look-up by {name}: {way}, {bindings} bindings");
            report.add(Figure::new(title("hash"), median(hash), "ns/look-up"));
            report.add(
                Figure::new(title("tree and arrays"), median(tree), "ns/look-up")
                    .against(title("hash"), median_ratio(tree, hash)),
            );
        }
    }
    Ok(())
}

/// The lab's programs over the gateway's maps, and hash maps that say the same.
fn load(gateway: &Gateway, phones: Phones) -> Result<Lab> {
    let dataplane = &gateway.dataplane;
    let mut lab = Lab::load_over(&Gateway::maps()?, u32::try_from(dataplane.len())?)?;
    lab.fill_hashes(phones.bindings()?.into_iter().map(|binding| {
        let range = u32::from(binding.ports.first()) / phones.ports();
        let public = [u32::from(binding.public), range];
        (u32::from(binding.private), public)
    }))?;
    Ok(lab)
}

/// For each direction the rounds of tree and hash, nanoseconds.
fn rounds(
    lab: &mut Lab,
    path: &Path,
    phones: Phones,
    rounds: usize,
    repeat: u32,
) -> Result<[[Vec<f64>; 2]; 2]> {
    lab.set_traffic(Traffic {
        block_shift: limits().smallest_range.ilog2(),
        ..phones.traffic(abi::OUTBOUND, 1)
    })?;
    let device = path.inside.index()?;
    let mut times: [[Vec<f64>; 2]; 2] = Default::default();
    let time = |program: &str, repeat| {
        let (_, time, _) = lab.run(program, device, repeat)?;
        anyhow::Ok(time.as_nanos() as f64)
    };
    for _ in 0..rounds {
        let overhead = time("lab_keys", repeat)?;
        for (times, (_, tree, hash)) in times.iter_mut().zip(DIRECTIONS) {
            for (times, program) in times.iter_mut().zip([tree, hash]) {
                time(program, repeat / 10)?;
                times.push(time(program, repeat)? - overhead);
            }
        }
    }
    let missed = lab.counts()?[abi::MISSED as usize];
    ensure!(missed == 0, "{missed} look-ups did not find their binding");
    Ok(times)
}
