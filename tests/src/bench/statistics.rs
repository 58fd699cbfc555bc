//! Figures of several rounds.

/// The median: half of the rounds were better, half worse. 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The median of what each round's pair divides to: noise that hits a whole round
/// hits both of a pair.
pub(crate) fn median_ratio(values: &[f64], peers: &[f64]) -> f64 {
    let ratios: Vec<f64> = values
        .iter()
        .zip(peers)
        .map(|(value, peer)| value / peer)
        .collect();
    median(&ratios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_odd_and_an_even_number() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!((median_ratio(&[2.0, 9.0, 4.0], &[1.0, 3.0, 4.0]) - 2.0).abs() < 1e-9);
    }
}
