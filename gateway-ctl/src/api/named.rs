//! How an operator names a phone: by whatever the lists show of it.

use std::net::Ipv4Addr;

use dhcp::{ClientKey, Hardware, MacAddr, ReservedClient};

use super::server::Failure;

/// A phone, as it is named in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// By its private address.
    Address(Ipv4Addr),
    /// By its hardware address, or by a client identifier that is written alike.
    Mac(MacAddr),
    /// By its client identifier.
    Client(ClientKey),
    /// As several hardware addresses that a reservation is for.
    Macs(Vec<MacAddr>),
}

impl Named {
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        if let Some(id) = text.strip_prefix("id:") {
            return id.parse().map(Self::Client).map_err(|_| wrong(text));
        }
        if let Ok(mac) = text.parse() {
            return Ok(Self::Mac(mac));
        }
        match text.parse() {
            Ok(ReservedClient::Macs(macs)) => Ok(Self::Macs(macs)),
            _ => text.parse().map(Self::Client).map_err(|_| wrong(text)),
        }
    }

    /// Whether a lease is this phone's.
    pub(super) fn has_lease(&self, lease: &dhcp::Lease) -> bool {
        match self {
            Self::Address(address) => lease.address == *address,
            Self::Mac(mac) => {
                lease.hardware.mac() == Some(*mac) || lease.client.as_bytes() == mac.0
            }
            Self::Client(client) => lease.client == *client,
            Self::Macs(macs) => lease.hardware.mac().is_some_and(|mac| macs.contains(&mac)),
        }
    }

    /// Whether a reservation is for this phone.
    pub(super) fn has_reservation(&self, reservation: &dhcp::Reservation) -> bool {
        match (self, &reservation.client) {
            (Self::Address(address), _) => reservation.address == Some(*address),
            (Self::Mac(mac), ReservedClient::Macs(macs)) => macs.contains(mac),
            (Self::Mac(mac), ReservedClient::Id(id)) => *id == mac.0 || is_key_of(*mac, id),
            (Self::Macs(named), ReservedClient::Macs(macs)) => {
                named.iter().all(|mac| macs.contains(mac))
            }
            (Self::Macs(_), ReservedClient::Id(_)) => false,
            (Self::Client(client), ReservedClient::Id(id)) => client.as_bytes() == id,
            (Self::Client(client), ReservedClient::Macs(macs)) => {
                macs.iter().any(|mac| is_key_of(*mac, client.as_bytes()))
            }
        }
    }
}

/// Whether a client identifier is but a hardware address.
fn is_key_of(mac: MacAddr, id: &[u8]) -> bool {
    let key = ClientKey::from_hardware(&Hardware::from(mac));
    key.is_some_and(|key| key.as_bytes() == id)
}

fn wrong(text: &str) -> Failure {
    Failure::bad_request(
        format!("\"{text}\" names no phone"),
        "give its private address (10.10.1.5), its hardware address (00:15:65:12:34:56) or its \
         client identifier (id:01001565123456)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_lists_show_names_a_phone() {
        let read = |text| Named::read(text).map_err(|_| ());
        let mac = MacAddr([0, 0x15, 0x65, 0x12, 0x34, 0x56]);
        for text in ["00:15:65:12:34:56", "00-15-65-12-34-56", "001565123456"] {
            assert_eq!(read(text), Ok(Named::Mac(mac)), "{text}");
        }
        let address = Ipv4Addr::new(10, 10, 1, 5);
        assert_eq!(read("10.10.1.5"), Ok(Named::Address(address)));
        let client = "id:01001565123456";
        assert!(matches!(read(client), Ok(Named::Client(_))));
        assert_eq!(read("01:00:15:65:12:34:56"), read(client));
        assert!(matches!(
            read("00:15:65:12:34:56,00:15:65:12:34:57"),
            Ok(Named::Macs(macs)) if macs.len() == 2
        ));
        for text in ["", "id:", "id:0", "phone 1", "10.10.1", "id:xy"] {
            assert_eq!(read(text), Err(()), "{text}");
        }
    }

    #[test]
    fn a_reservation_is_found_by_any_name_of_its_phone() {
        let reservation = |client: &str| dhcp::Reservation {
            client: client.parse().expect("a client"),
            address: Some(Ipv4Addr::new(10, 10, 1, 5)),
            grant: None,
            class: None,
            options: Vec::new(),
        };
        let finds = |name: &str, client: &str| {
            let named = Named::read(name).unwrap_or_else(|_| panic!("{name}"));
            named.has_reservation(&reservation(client))
        };
        let (mac, other) = ("00:15:65:12:34:56", "00:15:65:12:34:57");
        let (both, turned) = (format!("{mac},{other}"), format!("{other},{mac}"));
        for name in ["10.10.1.5", mac, other, &both, &turned, "id:01001565123457"] {
            assert!(finds(name, &both), "{name}");
        }
        for name in [mac, "id:01001565123456", "01001565123456", "10.10.1.5"] {
            assert!(finds(name, "id:01001565123456"), "{name}");
        }
        for name in [other, "10.10.1.6", "id:0102"] {
            assert!(!finds(name, mac), "{name}");
        }
    }
}
