//! How clients are told apart, as it is written: hardware addresses, vendor classes,
//! client identifiers.

use dhcp::{MacAddr, MacRange, Pattern, ReservedClient};

use super::super::values::Wrong;

/// `00:15:65:12:34:56`.
pub(in crate::config) fn mac(text: &str) -> Result<MacAddr, Wrong> {
    text.parse().map_err(|_| {
        Wrong::new(
            format!("\"{text}\" is no hardware address"),
            "write six bytes, like 00:15:65:12:34:56",
        )
    })
}

/// `00:15:65:*`, `00:15:65:00:00:00-00:15:65:7f:ff:ff`, or one address.
pub(super) fn mac_range(text: &str) -> Result<MacRange, Wrong> {
    text.parse().map_err(|_| {
        Wrong::new(
            format!("\"{text}\" is no range of hardware addresses"),
            "write 00:15:65:*, or first-last, or one address like 00:15:65:12:34:56",
        )
    })
}

/// `MyPhone`, `MyPhone*` for whatever begins so, or bytes: `0x0102ff`.
pub(super) fn pattern(text: &str) -> Result<Pattern, Wrong> {
    if text.is_empty() {
        return Err(Wrong::new(
            "\"\" matches no client",
            "write what the clients send, or * for whatever they send",
        ));
    }
    Ok(Pattern::new(text))
}

/// `phone-21` (sent as text behind the type 0, RFC 2132 section 9.14), or the identifier
/// as it is sent: `0x01001565123456`.
pub(super) fn client_id(text: &str) -> Result<ReservedClient, Wrong> {
    let malformed = || {
        Wrong::new(
            format!("\"{text}\" is no client identifier"),
            "write text, or at least two bytes like 0x01001565123456",
        )
    };
    match text.strip_prefix("0x") {
        Some(digits) => format!("id:{digits}").parse().map_err(|_| malformed()),
        None if text.is_empty() => Err(malformed()),
        None => Ok(ReservedClient::Id([&[0], text.as_bytes()].concat())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_identifiers_are_text_or_bytes() {
        assert_eq!(client_id("a"), Ok(ReservedClient::Id(vec![0, b'a'])));
        assert_eq!(client_id("0x0102"), Ok(ReservedClient::Id(vec![1, 2])));
        for text in ["", "0x", "0x01", "0x1g"] {
            assert!(client_id(text).is_err(), "{text}");
        }
    }
}
