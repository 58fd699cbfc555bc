//! What the operator wants of SIP.

use std::collections::BTreeMap;
use std::time::Duration;

use ::sip::auth::Algorithm;

/// SIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The realm of passwords, and the domain of addresses of record.
    pub realm: String,
    /// Other names by which phones may know the switch. Its addresses need not be named.
    pub names: Vec<String>,
    /// Port of UDP and TCP.
    pub port: u16,
    /// Port of TLS, when it is spoken.
    pub tls_port: Option<u16>,
    /// How passwords are asked for, the preferred way first; at least one.
    pub digest: Vec<Algorithm>,
    /// Who may register, by name.
    pub users: BTreeMap<String, User>,
    /// Shorter registrations are told 423.
    pub shortest: Duration,
    /// Longer ones are given this time.
    pub longest: Duration,
}

/// Somebody who may register.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// For digest authentication.
    pub password: String,
}

/// Without the password: it may end in a log.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("User")
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            realm: "switch".to_owned(),
            names: Vec::new(),
            port: 5060,
            tls_port: None,
            // What every phone knows. Many look at the first challenge alone, and give up if they do
            // not know its algorithm.
            digest: vec![Algorithm::Md5],
            users: BTreeMap::new(),
            shortest: Duration::from_secs(60),
            longest: Duration::from_secs(3600),
        }
    }
}
