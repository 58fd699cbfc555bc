//! The sockets at port 69.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result, anyhow};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind as bind_socket, setsockopt, socket, sockopt,
};
use std::os::fd::AsRawFd as _;

use super::ListenSpec;

/// One socket, and the interface it is bound to.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) udp: UdpSocket,
    pub(super) interface: Option<String>,
}

impl Socket {
    #[cfg(test)]
    pub(super) fn port(&self) -> io::Result<u16> {
        Ok(self.udp.local_addr()?.port())
    }
}

/// # Errors
/// When the kernel refuses: why, and what to do.
pub(super) fn bind(spec: &ListenSpec) -> Result<Socket> {
    let udp = open(spec.address, spec.port, spec.interface.as_deref())
        .map_err(|error| explain(spec, error))?;
    setsockopt(&udp, sockopt::Ipv4PacketInfo, &true)
        .context("tftp: cannot learn which address is asked")?;
    udp.set_nonblocking(true).context("tftp")?;
    Ok(Socket {
        udp,
        interface: spec.interface.clone(),
    })
}

/// A UDP socket at an address, of one interface if it is named.
///
/// # Errors
/// As the kernel says.
pub(super) fn open(address: Ipv4Addr, port: u16, interface: Option<&str>) -> io::Result<UdpSocket> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Inet, SockType::Datagram, flags, None)?;
    if let Some(interface) = interface {
        setsockopt(&socket, sockopt::BindToDevice, &interface.into())?;
    }
    let at = SockaddrIn::from(SocketAddrV4::new(address, port));
    bind_socket(socket.as_fd().as_raw_fd(), &at)?;
    Ok(socket.into())
}

fn explain(spec: &ListenSpec, error: io::Error) -> anyhow::Error {
    let ListenSpec { address, port, .. } = spec;
    let fix = match error.kind() {
        io::ErrorKind::AddrInUse => match holder(*port) {
            Some(holder) => format!("{holder} has it: stop that{}", unit(&holder)),
            None => "another program has it: `ss -lunp` says which; stop that".to_owned(),
        },
        io::ErrorKind::AddrNotAvailable => {
            "it is none of this machine's addresses: `ip address` shows those".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "run as root, or give CAP_NET_BIND_SERVICE and CAP_NET_RAW".to_owned()
        }
        _ if spec.interface.is_some() => "is the interface there?".to_owned(),
        _ => "see the system's log".to_owned(),
    };
    let on = spec.interface.as_deref();
    let on = on.map_or(String::new(), |name| format!(" on {name}"));
    anyhow!("cannot serve TFTP at {address} port {port}{on}: {error}; {fix}, or turn TFTP off")
}

/// How the usual ones are stopped.
fn unit(holder: &str) -> &'static str {
    match holder.split_whitespace().next() {
        Some("in.tftpd") => " (systemctl disable --now tftpd-hpa)",
        Some("atftpd") => " (systemctl disable --now atftpd)",
        Some("dnsmasq") => " (without enable-tftp it leaves the port alone)",
        _ => "",
    }
}

/// Who has a UDP port, as `in.tftpd (process 17)`.
fn holder(port: u16) -> Option<String> {
    let inode = inode(&fs::read_to_string("/proc/net/udp").ok()?, port)?;
    let wanted = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?;
    processes.flatten().find_map(|process| {
        let id: u32 = process.file_name().to_str()?.parse().ok()?;
        let has = |descriptor: fs::DirEntry| {
            fs::read_link(descriptor.path()).is_ok_and(|target| target.as_os_str() == &*wanted)
        };
        let mut descriptors = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        descriptors.any(has).then_some(())?;
        let name = fs::read_to_string(process.path().join("comm")).ok()?;
        Some(format!("{} (process {id})", name.trim()))
    })
}

/// The inode of the socket at a port, from `/proc/net/udp` (proc(5)): the second column is
/// the address in hexadecimal digits, the tenth the inode.
fn inode(table: &str, port: u16) -> Option<u64> {
    let end = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (local, inode) = (columns.get(1)?, columns.get(9)?);
        local.ends_with(&end).then(|| inode.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_who_has_the_port() {
        let there = open(Ipv4Addr::LOCALHOST, 0, None).unwrap();
        let port = there.local_addr().unwrap().port();
        let spec = ListenSpec {
            address: Ipv4Addr::LOCALHOST,
            port,
            interface: None,
        };
        let error = bind(&spec).unwrap_err().to_string();
        let process = format!("(process {})", std::process::id());
        assert!(error.contains(&process), "{error}");
        assert!(error.contains("stop that"), "{error}");

        let elsewhere = ListenSpec {
            address: Ipv4Addr::new(192, 0, 2, 1),
            ..spec
        };
        let error = bind(&elsewhere).unwrap_err().to_string();
        assert!(error.contains("none of this machine's"), "{error}");
    }

    #[test]
    fn knows_how_to_stop_the_usual_ones() {
        assert!(unit("in.tftpd (process 17)").contains("tftpd-hpa"));
        assert_eq!(unit("python3 (process 17)"), "");
    }
}
