//! Where a phone stands: a network namespace, and what is done in it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{setsockopt, sockopt};

/// Room for what arrives while other phones are served, in bytes.
const RECEIVE_BUFFER: usize = 1 << 18;

/// A network namespace.
#[derive(Debug)]
pub(super) struct Place {
    /// None: that of the process.
    there: Option<File>,
    here: File,
}

impl Place {
    /// By name, as `ip netns` knows it, or by path.
    pub(super) fn new(netns: Option<&str>) -> Result<Self> {
        let path = |name: &str| match name.contains('/') {
            true => name.to_owned(),
            false => format!("/run/netns/{name}"),
        };
        let open = |name| {
            let path = path(name);
            File::open(&path).with_context(|| format!("network namespace {path}"))
        };
        Ok(Self {
            there: netns.map(open).transpose()?,
            here: File::open("/proc/thread-self/ns/net")?,
        })
    }

    /// Does something there. Programs that are started there stay there.
    fn visit<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(there) = &self.there else {
            return work();
        };
        setns(there, CloneFlags::CLONE_NEWNET).context("enter the phone's namespace")?;
        let done = work();
        setns(&self.here, CloneFlags::CLONE_NEWNET)
            .context("come back from the phone's namespace")?;
        done
    }

    /// A UDP socket that does not block.
    pub(super) fn udp(&self, address: SocketAddrV4) -> Result<UdpSocket> {
        let socket =
            self.visit(|| UdpSocket::bind(address).with_context(|| format!("UDP {address}")))?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER)?;
        Ok(socket)
    }

    /// A packet socket on an interface, and the interface's Ethernet address.
    pub(super) fn packets(&self, interface: &str) -> Result<(OwnedFd, [u8; 6])> {
        self.visit(|| {
            let index =
                if_nametoindex(interface).with_context(|| format!("interface {interface}"))?;
            let socket = crate::traffic::packet_socket(index, libc::ETH_P_IP)?;
            Ok((socket, mac_of(interface)?))
        })
    }

    /// Gives interfaces addresses, and their namespace a way out, in one run of `ip`.
    pub(super) fn set_addresses(&self, all: &[Address<'_>]) -> Result<()> {
        let mut lines = String::new();
        for Address {
            interface,
            address,
            prefix,
            router,
        } in all
        {
            lines += &format!("address replace {address}/{prefix} dev {interface}\n");
            if let Some(router) = router {
                lines += &format!("route replace default via {router} dev {interface}\n");
            }
        }
        for interface in all.iter().map(|one| one.interface).collect::<BTreeSet<_>>() {
            lines.insert_str(0, &format!("link set {interface} up\n"));
        }
        self.visit(|| ip(&lines))
    }
}

/// An address that an interface is to have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address<'a> {
    pub(super) interface: &'a str,
    pub(super) address: Ipv4Addr,
    /// Bits of its network.
    pub(super) prefix: u8,
    pub(super) router: Option<Ipv4Addr>,
}

fn mac_of(interface: &str) -> Result<[u8; 6]> {
    let all = getifaddrs().context("addresses of interfaces")?;
    let own = all.filter(|one| one.interface_name == interface);
    let mut macs = own.filter_map(|one| one.address?.as_link_addr()?.addr());
    macs.next()
        .with_context(|| format!("{interface} has no Ethernet address"))
}

/// `ip` with one command on each line.
fn ip(lines: &str) -> Result<()> {
    let mut child = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("start `ip`: install iproute2")?;
    if let Some(mut input) = child.stdin.take() {
        io::Write::write_all(&mut input, lines.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "`ip` with {lines:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
