//! The phone's own file: JSON as `deploy/templates/simulated-phone.json` makes it. What is null or
//! missing is not known.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use serde::Deserialize;

/// What is in the file. Fields that are not looked at here may be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PhoneFile {
    /// Whose it is.
    pub mac: Option<String>,
    /// Its address.
    pub address: Option<Ipv4Addr>,
    /// The public one.
    pub public_address: Option<Ipv4Addr>,
    /// First port of its range.
    pub first_port: Option<u16>,
    /// Last port of its range.
    pub last_port: Option<u16>,
    /// The soft switch.
    pub switch: Option<Ipv4Addr>,
    /// Its port.
    pub switch_port: Option<u16>,
    /// The one to ask when that does not answer.
    pub backup_switch: Option<Ipv4Addr>,
    /// Its port.
    pub backup_switch_port: Option<u16>,
    /// Where its accounts are.
    pub sip_server: Option<Ipv4Addr>,
    /// The port there.
    pub sip_port: Option<u16>,
    /// Its accounts, the first before the others.
    pub accounts: Vec<Account>,
    /// What the operator adds: `account`, `password`, `protocol`, `image`.
    pub variables: BTreeMap<String, String>,
}

/// Who it registers as, by SIP.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// Its name there.
    pub user: String,
    /// For digest authentication.
    pub password: String,
}

impl PhoneFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is no JSON, or a field is not what it should be.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// Where its accounts are, and the soft switch to ask when that does not answer.
    #[must_use]
    pub fn registrars(&self) -> Vec<SocketAddrV4> {
        let first = self.sip_server.zip(self.sip_port);
        let second = self.backup_switch.zip(self.backup_switch_port);
        let known = [first, second].into_iter().flatten();
        known
            .map(|(address, port)| SocketAddrV4::new(address, port))
            .collect()
    }

    /// The soft switches, the primary first; `port` for those that have none.
    #[must_use]
    pub fn switches(&self, port: u16) -> Vec<SocketAddrV4> {
        let both = [
            (self.switch, self.switch_port),
            (self.backup_switch, self.backup_switch_port),
        ];
        let known = both
            .into_iter()
            .filter_map(|(address, own)| Some(SocketAddrV4::new(address?, own.unwrap_or(port))));
        known.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_template() {
        let file = PhoneFile::parse(
            br#"{"mac": "02000a0a0101", "address": "10.10.2.0", "public_address": "192.0.2.1",
                "first_port": 1024, "last_port": 1087, "signalling_port": 1024, "rtp_first": 1026,
                "rtp_last": 1087, "class": "phone", "host_name": null, "switch": "198.51.100.200",
                "switch_port": 2944, "backup_switch": null, "backup_switch_port": null,
                "server": "10.10.0.1", "sip_server": "198.51.100.200", "sip_port": 5060,
                "accounts": [{"number": "5001", "user": "21", "password": "x", "display": "y",
                "port": 1024}], "variables": {"account": "21"}}"#,
        )
        .unwrap();
        assert_eq!((file.first_port, file.last_port), (Some(1024), Some(1087)));
        let switch = "198.51.100.200:2944".parse().unwrap();
        assert_eq!(file.switches(5060), [switch]);
        assert_eq!(file.variables["account"], "21");
        let account = &file.accounts[0];
        assert_eq!(
            (account.user.as_str(), account.password.as_str()),
            ("21", "x")
        );
        assert_eq!(file.registrars(), ["198.51.100.200:5060".parse().unwrap()]);
        assert!(PhoneFile::parse(br#"{"first_port": 70000}"#).is_err());
    }
}
