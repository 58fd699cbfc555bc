//! `leases [list|show|release|reserve|unreserve|reservations]`.

use std::net::Ipv4Addr;

use anyhow::Result;
use clap::Subcommand;

use super::output::{Format, Output, Table, print};
use crate::api::client::Client;
use crate::api::types::{Lease, LeasePage, Reservation};

/// An Ethernet address as text.
const MAC_LENGTH: usize = 17;

/// Leases of phones: list, show, release; reservations.
#[derive(Debug, clap::Args)]
pub(super) struct Leases {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List leases, by private address.
    List {
        /// Those too that have ended, and addresses that were declined.
        #[arg(long)]
        all: bool,
    },
    /// Show all that is known of a phone.
    Show {
        /// Its private address, hardware address or client identifier.
        #[arg(value_name = "ADDRESS|MAC|CLIENT")]
        phone: String,
    },
    /// Take a lease back: its ports are nobody's from now on. The phone asks for another one
    /// when it renews.
    Release {
        /// Its private address, hardware address or client identifier.
        #[arg(value_name = "ADDRESS|MAC|CLIENT")]
        phone: String,
    },
    /// Reserve an address, and ports, for a phone; it stays over restarts.
    Reserve {
        /// The private address.
        address: Ipv4Addr,
        /// For whom: hardware addresses with commas, or id: and a client identifier in
        /// hexadecimal. Without it, for the phone that has the address now, with its ports.
        #[arg(long, value_name = "MAC[,MAC]|id:HEX")]
        client: Option<String>,
        /// Its public address.
        #[arg(long, requires = "ports")]
        public: Option<Ipv4Addr>,
        /// Its ports, first-last.
        #[arg(long, requires = "public")]
        ports: Option<String>,
        /// Its class.
        #[arg(long)]
        class: Option<String>,
    },
    /// Remove a reservation that was added with `reserve`.
    Unreserve {
        /// The phone's address, hardware address or client identifier.
        #[arg(value_name = "ADDRESS|MAC|CLIENT")]
        phone: String,
    },
    /// List reservations, the configuration's too.
    Reservations,
}

impl Leases {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let output = self.output;
        match self.action {
            None => list(client, output, false).await,
            Some(Action::List { all }) => list(client, output, all).await,
            Some(Action::Show { phone }) => {
                let found: Vec<Lease> = client.get(&format!("/v1/leases/{phone}")).await?;
                output.print(&found, |found| found.iter().map(details).collect())
            }
            Some(Action::Release { phone }) => {
                let released: Lease = client.delete(&format!("/v1/leases/{phone}")).await?;
                output.print(&released, |lease| {
                    let mut text = format!("released: {}", lease.address);
                    if let Some((public, ports)) = range(lease) {
                        text += &format!("; {public} ports {ports} rest and are nobody's");
                    }
                    text + "\n"
                })
            }
            Some(Action::Reserve {
                address,
                client: whom,
                public,
                ports,
                class,
            }) => {
                let wanted = match whom {
                    Some(client) => Reservation {
                        client,
                        address: Some(address),
                        public,
                        ports,
                        class,
                        origin: None,
                    },
                    None => holder(client, address, class).await?,
                };
                let made: Reservation = client.post("/v1/reservations", &wanted).await?;
                output.print(&made, |made| format!("reserved: {}\n", line(made)))
            }
            Some(Action::Unreserve { phone }) => {
                let removed: Reservation =
                    client.delete(&format!("/v1/reservations/{phone}")).await?;
                output.print(&removed, |removed| {
                    format!("no longer reserved: {}\n", line(removed))
                })
            }
            Some(Action::Reservations) => {
                let all: Vec<Reservation> = client.get("/v1/reservations").await?;
                output.print(&all, |all| reservations(all))
            }
        }
    }
}

/// What the phone that has the address now has.
async fn holder(client: &Client, address: Ipv4Addr, class: Option<String>) -> Result<Reservation> {
    let found: Vec<Lease> = client.get(&format!("/v1/leases/{address}")).await?;
    let active = found.into_iter().find(|lease| lease.state == "active");
    let Some(lease) = active else {
        anyhow::bail!("nobody has {address} now: say for whom with --client");
    };
    Ok(Reservation {
        // A hardware address stays the same whatever stage of its boot asks.
        client: match lease.mac.len() {
            MAC_LENGTH => lease.mac,
            _ => format!("id:{}", lease.client_id),
        },
        address: Some(address),
        public: lease.public,
        ports: lease.ports,
        class,
        origin: None,
    })
}

async fn list(client: &Client, output: Output, ended: bool) -> Result<()> {
    let mut all: Vec<Lease> = Vec::new();
    let mut path = "/v1/leases?limit=10000".to_owned();
    loop {
        let page: LeasePage = client.get(&path).await?;
        let wanted = |lease: &Lease| ended || lease.state == "active";
        all.extend(page.leases.into_iter().filter(wanted));
        let Some(next) = page.next else {
            break;
        };
        path = format!("/v1/leases?limit=10000&after={next}");
    }
    if output.format == Format::Text && all.is_empty() {
        return print("no leases: see `gateway-ctl status` if phones should have some\n");
    }
    output.print(&all, |all| table(all))
}

fn table(leases: &[Lease]) -> String {
    let mut table = Table::new(&[
        "address", "public", "ports", "mac", "class", "state", "until", "name",
    ]);
    let dash = || "-".to_owned();
    for lease in leases {
        table.row([
            lease.address.to_string(),
            lease.public.map_or_else(dash, |public| public.to_string()),
            lease.ports.clone().unwrap_or_else(dash),
            lease.mac.clone(),
            lease.class.clone().unwrap_or_else(dash),
            lease.state.clone(),
            until(lease),
            lease.host_name.clone().unwrap_or_default(),
        ]);
    }
    table.to_string()
}

/// When it ends, or has ended; when a declined address is given out again.
fn until(lease: &Lease) -> String {
    let end = match lease.state.as_str() {
        "active" => &lease.expires,
        _ => &lease.ended,
    };
    end.clone().unwrap_or_else(|| "ever".to_owned())
}

fn details(lease: &Lease) -> String {
    let mut text = format!("{} ({})", lease.address, lease.state);
    if let Some((public, ports)) = range(lease) {
        let verb = if lease.state == "active" { "is" } else { "was" };
        text += &format!(" {verb} {public} ports {ports}");
    }
    text += "\n";
    let mut add = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            text += &format!("  {what:<13} {value}\n");
        }
    };
    add("mac", Some(lease.mac.clone()));
    add("client", Some(lease.client_id.clone()));
    add("host name", lease.host_name.clone());
    add("vendor class", lease.vendor_class.clone());
    add("class", lease.class.clone());
    add("scope", Some(lease.scope.clone()));
    add("pool", lease.pool.clone());
    add("relay", lease.relay.map(|relay| relay.to_string()));
    add("granted", Some(lease.granted.clone()));
    add("renewed", Some(lease.renewed.clone()));
    match lease.state.as_str() {
        "active" => {
            let never = || "never".to_owned();
            add("expires", Some(lease.expires.clone().unwrap_or_else(never)));
        }
        "declined" => add("rests until", lease.ended.clone()),
        _ => add("ended", lease.ended.clone()),
    }
    text
}

fn range(lease: &Lease) -> Option<(Ipv4Addr, &str)> {
    Some((lease.public?, lease.ports.as_deref()?))
}

fn line(reservation: &Reservation) -> String {
    let mut text = reservation.client.clone();
    if let Some(address) = reservation.address {
        text += &format!(" gets {address}");
    }
    if let (Some(public), Some(ports)) = (reservation.public, &reservation.ports) {
        text += &format!(", {public} ports {ports}");
    }
    if let Some(class) = &reservation.class {
        text += &format!(", class {class}");
    }
    text
}

fn reservations(all: &[Reservation]) -> String {
    if all.is_empty() {
        return "no reservations: add some with `gateway-ctl leases reserve`\n".to_owned();
    }
    let mut table = Table::new(&["client", "address", "public", "ports", "class", "from"]);
    let dash = || "-".to_owned();
    for one in all {
        table.row([
            one.client.clone(),
            one.address.map_or_else(dash, |address| address.to_string()),
            one.public.map_or_else(dash, |public| public.to_string()),
            one.ports.clone().unwrap_or_else(dash),
            one.class.clone().unwrap_or_else(dash),
            one.origin.clone().unwrap_or_else(dash),
        ]);
    }
    table.to_string()
}
