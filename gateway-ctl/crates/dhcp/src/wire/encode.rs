//! Values of options, from what people write.

use std::net::Ipv4Addr;

use gateway_common::Prefix;

/// Addresses, one after the other (options 3, 6, 42, 150 and others).
#[must_use]
pub fn addresses(addresses: &[Ipv4Addr]) -> Vec<u8> {
    addresses.iter().flat_map(Ipv4Addr::octets).collect()
}

/// Networks with their routers (option 121, RFC 3442): the length of a network, as many bytes of
/// it as count, the router. `0.0.0.0/0` is `None`.
///
/// A client that takes this option ignores option 3: name the default route here too.
#[must_use]
pub fn classless_routes(routes: &[(Option<Prefix>, Ipv4Addr)]) -> Vec<u8> {
    let mut value = Vec::new();
    for (network, router) in routes {
        let length = network.map_or(0, Prefix::length);
        value.push(length);
        if let Some(network) = network {
            let bytes = usize::from(length.div_ceil(8));
            value.extend_from_slice(&network.address().octets()[..bytes]);
        }
        value.extend_from_slice(&router.octets());
    }
    value
}

/// Names of domains (option 119, RFC 3397), uncompressed; `None` when one is no name: labels have
/// 1 to 63 bytes, a name at most 255.
#[must_use]
pub fn domain_search(names: &[&str]) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    for name in names {
        let begin = value.len();
        for label in name.strip_suffix('.').unwrap_or(name).split('.') {
            let length = u8::try_from(label.len()).ok()?;
            if !(1..=63).contains(&length) {
                return None;
            }
            value.push(length);
            value.extend_from_slice(label.as_bytes());
        }
        value.push(0);
        if value.len() - begin > 255 {
            return None;
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_as_short_as_their_networks() {
        let router = Ipv4Addr::new(10, 0, 0, 1);
        let network = |last, length| Prefix::new(Ipv4Addr::new(10, 17, 0, last), length);
        let value = classless_routes(&[
            (None, router),
            (network(0, 16), router),
            (network(128, 25), router),
        ]);
        let expected = [
            &[0, 10, 0, 0, 1][..],
            &[16, 10, 17, 10, 0, 0, 1],
            &[25, 10, 17, 0, 128, 10, 0, 0, 1],
        ];
        assert_eq!(value, expected.concat());
        assert_eq!(addresses(&[router, router]), [10, 0, 0, 1, 10, 0, 0, 1]);
    }

    #[test]
    fn names_are_labels() {
        let value = domain_search(&["voice.example", "example."]).expect("both are names");
        assert_eq!(value, b"\x05voice\x07example\0\x07example\0");
        assert_eq!(domain_search(&["a..b"]), None);
        assert_eq!(domain_search(&[&"x".repeat(64)]), None);
        assert_eq!(domain_search(&[&"abcdefg.".repeat(33)]), None);
    }
}
