//! Maps that cannot be taken over are made anew beside the old ones: calls lose nothing, what is
//! lost (counters) is said.

use gateway_tests::site::Site;
use serde_json::Value;

use crate::bed::{Bed, SOON};
use crate::call::Call;
use crate::config::Config;

/// `gateway_common::abi::Settings`: four words, the version first.
const SETTINGS_BYTES: usize = 24;

/// Writes another ABI version into the pinned maps, as an older gateway would have.
fn make_older(bed: &Bed) {
    let router = &bed.site.router;
    let found = router
        .run(&["find", "/sys/fs/bpf/gateway", "-name", "SETTINGS"])
        .unwrap();
    let path = found.trim();
    let dump = router
        .run(&["bpftool", "-j", "map", "dump", "pinned", path])
        .unwrap();
    let dump: Value = serde_json::from_str(&dump).unwrap();
    let value = dump[0]["value"].as_array().unwrap();
    assert_eq!(value.len(), SETTINGS_BYTES, "{dump}");
    let mut words = vec!["bpftool", "map", "update", "pinned", path];
    words.extend(["key", "0", "0", "0", "0", "value", "0xe7", "0x03", "0", "0"]);
    words.extend(value[4..].iter().map(|byte| byte.as_str().unwrap()));
    router.run(&words).unwrap();
}

#[test]
fn maps_of_another_abi_are_replaced() {
    let mut bed = Bed::new();
    let call = Call::start(&bed, 1);
    call.go_on(300);
    bed.gateway.kill9().unwrap();
    make_older(&bed);
    call.go_on(300);
    bed.gateway.restart(SOON).unwrap();
    call.go_on(300);
    let status = bed.json(&["status"]);
    assert_eq!(status["dataplane"], "rebuilt");
    let note = status["dataplane_note"].as_str().unwrap();
    assert!(note.contains("ABI version 999"), "{note}");
    let said = status["warnings"].to_string();
    assert!(said.contains("counters began at zero"), "{said}");
    assert!(
        bed.gateway.log().contains("counters start at zero"),
        "{}",
        bed.gateway.log()
    );
    call.expect_no_loss("rebuilt for another ABI");
    let left = bed
        .site
        .router
        .run(&["find", "/sys/fs/bpf/gateway", "-name", "SETTINGS"])
        .unwrap();
    assert_eq!(left.lines().count(), 1, "the old maps are gone: {left}");
    // The next start finds its own.
    bed.gateway.restart(SOON).unwrap();
    assert_eq!(bed.json(&["status"])["dataplane"], "adopted");
    bed.finish();
}

#[test]
fn killed_while_it_rebuilds_it_rebuilds_again() {
    let mut bed = Bed::new();
    let call = Call::start(&bed, 1);
    call.go_on(100);
    for round in 0..4_u64 {
        bed.gateway.kill9().unwrap();
        if round % 2 == 0 {
            let config = Config::default().limits(&format!("pool_addresses = {}", 300 + round));
            bed.gateway.write_config(&config.to_string()).unwrap();
        }
        let _ = bed
            .gateway
            .restart(std::time::Duration::from_millis(round * 40));
        call.go_on(50);
    }
    bed.gateway.kill9().unwrap();
    let config = Config::default().limits("pool_addresses = 310");
    bed.gateway.write_config(&config.to_string()).unwrap();
    bed.gateway.restart(SOON).unwrap();
    assert_eq!(bed.json(&["status"])["dataplane"], "rebuilt");
    call.go_on(100);
    call.expect_no_loss("killed while it rebuilt");
    bed.finish();
}

#[test]
fn other_limits_make_other_maps_without_loss() {
    let bed = Bed::with(&Site::builder(), &Config::default());
    let call = Call::start(&bed, 1);
    call.go_on(300);
    let before = bed.counters().total("outbound");
    let larger = Config::default().limits("bindings = 5000\npool_addresses = 20");
    let done = bed.reload(&larger);
    assert_eq!(done["rebuilt"], true, "{done}");
    // Each packet is counted in the old maps or in the new ones, not in both.
    let after = bed.counters().total("outbound");
    assert!(before + after <= call.sent(), "they did not say so in vain");
    call.go_on(300);
    let status = bed.json(&["status"]);
    assert_eq!(
        (&status["dataplane"], &status["bindings_limit"]),
        (&"rebuilt".into(), &5000.into())
    );
    assert!(
        status["warnings"]
            .to_string()
            .contains("counters began at zero"),
        "{status}"
    );
    call.expect_no_loss("larger maps");
    bed.finish();
}
