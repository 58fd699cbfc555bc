//! Sysctls and routes that make a router work or fail.

use crate::api::types::Warning;
use crate::run::Gateway;

use super::{critical, warning};

/// Neighbour entries that are not phones: routers, servers, the kernel's own slack.
const OTHER_NEIGHBOURS: usize = 256;

pub(super) fn check(gateway: &Gateway, found: &mut Vec<Warning>) {
    if gateway.plan.config.inside.is_empty() {
        // A switch that stands alone forwards nothing.
        return;
    }
    if read("net/ipv4/ip_forward").as_deref() == Some("0") {
        found.push(critical(
            "the kernel does not forward (net.ipv4.ip_forward is 0)",
            "sysctl -w net.ipv4.ip_forward=1, and write it to /etc/sysctl.d/gateway.conf",
        ));
    }
    if std::fs::read_to_string("/proc/net/route").is_ok_and(|table| !has_default_route(&table)) {
        found.push(warning(
            "no IPv4 default route: outbound packets without another route count as router_local",
            "ip route add default via ADDRESS dev UPLINK",
        ));
    }
    neighbours(gateway, found);
    local_ports(gateway, found);
}

/// Whether the kernel's table of routes (proc(5)) has one that is up, refuses nothing and
/// starts at 0.0.0.0: the default, or the half of one that replaces it.
fn has_default_route(table: &str) -> bool {
    const UP: u32 = 0x1;
    const REJECT: u32 = 0x200;
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let destination = fields.next();
        let flags = fields
            .nth(1)
            .and_then(|flags| u32::from_str_radix(flags, 16).ok());
        destination == Some("00000000") && flags.is_some_and(|set| set & (UP | REJECT) == UP)
    })
}

fn neighbours(gateway: &Gateway, found: &mut Vec<Warning>) {
    let Some(room) =
        read("net/ipv4/neigh/default/gc_thresh3").and_then(|text| text.parse::<usize>().ok())
    else {
        // Another network namespace than the first does not show it.
        return;
    };
    let wanted = gateway.plan.ledger.len() + OTHER_NEIGHBOURS;
    if wanted > room {
        let better = wanted.next_power_of_two();
        found.push(warning(
            format!(
                "the neighbour table has room for {room} entries, {} bindings may need more",
                gateway.plan.ledger.len()
            ),
            format!("sysctl -w net.ipv4.neigh.default.gc_thresh3={better}"),
        ));
    }
}

/// On a shared address the router's own connections must not use phones' ports.
fn local_ports(gateway: &Gateway, found: &mut Vec<Warning>) {
    let Some((first, last)) = read("net/ipv4/ip_local_port_range").and_then(|text| span(&text))
    else {
        return;
    };
    let reserved = read("net/ipv4/ip_local_reserved_ports").unwrap_or_default();
    let reserved: Vec<(u16, u16)> = reserved.split(',').filter_map(span).collect();
    let free = |port: u16| {
        !reserved
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&port))
    };
    let pool = &gateway.plan.config.pool;
    let collision = gateway.plan.ledger.iter().find(|entry| {
        let ports = entry.spec.ports;
        let overlap = ports.first().max(first)..=ports.last().min(last);
        pool.get(entry.spec.public)
            .is_some_and(|public| public.shared)
            && overlap.into_iter().any(free)
    });
    if let Some(entry) = collision {
        found.push(warning(
            format!(
                "the router's own connections may use phones' ports: net.ipv4.ip_local_port_range is \
                 {first} {last}, ports {} of {} are {}'s",
                entry.spec.ports, entry.spec.public, entry.spec.private
            ),
            "move net.ipv4.ip_local_port_range away from the phones' ranges, or list those in \
             net.ipv4.ip_local_reserved_ports",
        ));
    }
}

fn read(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/sys/{name}")).ok()?;
    Some(text.trim().to_owned())
}

/// `32768 60999`, `4500-4500` or `4500`.
fn span(text: &str) -> Option<(u16, u16)> {
    let mut numbers = text.split(['-', ' ', '\t']).filter(|part| !part.is_empty());
    let first = numbers.next()?.parse().ok()?;
    let last = numbers
        .next()
        .map_or(Some(first), |text| text.parse().ok())?;
    Some((first, last))
}

#[cfg(test)]
mod tests {
    use super::{has_default_route, span};

    #[test]
    fn finds_the_default_route() {
        let head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n";
        let default = "eth0\t00000000\t016433C6\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
        let network = "eth1\t00000A0A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
        let refused = "*\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0\n";
        assert!(has_default_route(&format!("{head}{network}{default}")));
        assert!(!has_default_route(&format!("{head}{network}{refused}")));
        assert!(!has_default_route(head));
    }

    #[test]
    fn reads_what_the_kernel_writes() {
        assert_eq!(span("32768\t60999"), Some((32768, 60999)));
        assert_eq!(span("40000-40063"), Some((40000, 40063)));
        assert_eq!(span("4500"), Some((4500, 4500)));
        assert_eq!(span(""), None);
    }
}
