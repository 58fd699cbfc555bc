//! What bindings cost: memory, and time to load them.

use anyhow::Result;

use super::Options;
use super::gateway::{Gateway, LIMITS};
use super::path::Path;
use super::phones::Phones;
use super::report::{Figure, Report, Target};
use super::statistics::median;

/// Bytes that a binding may take, everything counted.
const TARGET: Target = Target::AtMost(512.0);

/// Measures both.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let path = Path::new()?;
    load_times(options, &path, report)?;
    report.progress("memory of 1000000 bindings and 4096 public addresses");
    let maps = path.router().enter(|| {
        let (gateway, _) = Gateway::load(&path, Phones::many(LIMITS.0), LIMITS.1)?;
        let maps = gateway.dataplane.memory();
        gateway.stop()?;
        anyhow::Ok(maps)
    })?;
    let bindings = f64::from(LIMITS.0);
    for map in &maps {
        let title = format!("memory of {} ({} entries)", map.map, map.entries);
        report.add(Figure::new(
            title,
            map.bytes as f64 / f64::from(1 << 20),
            "MiB",
        ));
    }
    let bytes: u64 = maps.iter().map(|map| map.bytes).sum();
    let figure = Figure::new(
        format!(
            "memory of a binding, {} and {} addresses",
            LIMITS.0, LIMITS.1
        ),
        bytes as f64 / bindings,
        "bytes",
    );
    report.add(figure.target(TARGET));
    Ok(())
}

fn load_times(options: &Options, path: &Path, report: &mut Report) -> Result<()> {
    for bindings in [100_000, 1_000_000] {
        report.progress(&format!("time to load {bindings} bindings"));
        let phones = Phones::many(bindings);
        let (mut empty, mut again) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds() {
            let [load, reload] = path.router().enter(|| {
                let (mut gateway, load) = Gateway::load(path, phones, phones.addresses())?;
                let reload = gateway.reload()?;
                gateway.stop()?;
                anyhow::Ok([load, reload])
            })?;
            empty.push(load.as_secs_f64() * 1e3);
            again.push(reload.as_secs_f64() * 1e3);
        }
        let title = |how| format!("{bindings} bindings {how}");
        report.add(Figure::new(title("loaded"), median(&empty), "ms"));
        report.add(Figure::new(
            title("reloaded unchanged"),
            median(&again),
            "ms",
        ));
    }
    Ok(())
}
