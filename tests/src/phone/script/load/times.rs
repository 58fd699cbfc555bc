//! How long things took.

use std::time::Duration;

use serde_json::{Value, json};

/// Times in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Times(pub(super) Vec<f64>);

impl Times {
    pub(super) fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1000.0);
    }

    pub(super) fn json(&mut self) -> Value {
        self.0.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let index = (self.0.len() as f64 * part) as usize;
            let value = self.0.get(index.min(self.0.len().saturating_sub(1)));
            value.map(|value| (value * 1000.0).round() / 1000.0)
        };
        json!({"count": self.0.len(), "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": at(1.0)})
    }
}
