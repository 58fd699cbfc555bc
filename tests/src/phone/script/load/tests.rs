use serde_json::Value;

use super::*;

#[test]
fn settings() {
    let found = Settings::parse(&["rate=2.5", "hold=1s", "for=1m", "failures=1%"]).unwrap();
    assert_eq!((found.rate, found.failures), (2.5, 1.0));
    assert_eq!(
        (found.hold, found.time),
        (Duration::from_secs(1), Duration::from_secs(60))
    );
    for wrong in ["rate=0", "rate=x", "hold=1", "speed=9", "rate"] {
        assert!(Settings::parse(&[wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn percentiles() {
    let mut times = Times((1..=100).rev().map(f64::from).collect());
    let json = times.json();
    assert_eq!(
        (&json["p50"], &json["p99"], &json["max"]),
        (&json!(51.0), &json!(100.0), &json!(100.0))
    );
    assert_eq!(Times::default().json()["p50"], Value::Null);
}
