//! Clients that get what somebody has set down for them.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use ports::Grant;
use serde::{Deserialize, Serialize};

use crate::mac::MacAddr;
use crate::text;

/// What a client gets. A reserved client is answered even if no class and no list names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Whose it is; the key of a reservation.
    pub client: ReservedClient,
    /// Its address; `None`: as for others.
    #[serde(default)]
    pub address: Option<Ipv4Addr>,
    /// Its range, within a pool; `None`: as for others of its class.
    #[serde(default, with = "text::some_grant")]
    pub grant: Option<Grant>,
    /// Its class; `None`: as for others.
    #[serde(default)]
    pub class: Option<String>,
    /// Options by number, as they are sent; they go before the class' and the scope's.
    #[serde(default, with = "text::options")]
    pub options: Vec<(u8, Vec<u8>)>,
}

/// How a reserved client is known. As text: `02:00:5e:10:00:01,02:00:5e:10:00:02` or `id:0102ff`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReservedClient {
    /// By one of these hardware addresses.
    Macs(Vec<MacAddr>),
    /// By its client identifier (option 61), as it is sent.
    Id(Vec<u8>),
}

impl fmt::Display for ReservedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Macs(macs) => {
                for (at, mac) in macs.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    write!(f, "{comma}{mac}")?;
                }
                Ok(())
            }
            Self::Id(id) => {
                f.write_str("id:")?;
                text::hex(f, id)
            }
        }
    }
}

/// Text that names no client to reserve for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" names no client, expected hardware addresses like \
     02:00:5e:10:00:01,02:00:5e:10:00:02 or a client identifier like id:0102ff"
)]
pub struct NoReservedClient {
    text: String,
}

impl FromStr for ReservedClient {
    type Err = NoReservedClient;

    fn from_str(text: &str) -> Result<Self, NoReservedClient> {
        let wrong = || NoReservedClient {
            text: text.to_owned(),
        };
        if let Some(id) = text.strip_prefix("id:") {
            let id = text::from_hex(id).filter(|id| id.len() >= 2);
            return id.map(Self::Id).ok_or_else(wrong);
        }
        let macs = text.split(',').map(|mac| mac.trim().parse());
        let macs: Result<Vec<MacAddr>, _> = macs.collect();
        macs.map(Self::Macs).map_err(|_| wrong())
    }
}

text::debug_as_display!(ReservedClient);
text::serde_as_text!(ReservedClient);
