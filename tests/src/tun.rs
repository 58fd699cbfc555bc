//! TUN devices: links that carry IP packets without an Ethernet header, as a decrypting tunnel
//! does.
//!
//! ```text
//!   namespace A: kernel - tun device - Tun (this process) - tun device - kernel : namespace B
//!                                       `---- TunLink pumps both ways ----'
//! ```

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::link::Interface;
use crate::netns::Namespace;
use crate::traffic::socket::wait_readable;
use crate::wait::Deadline;

/// The largest packet a TUN device hands over, in bytes.
const LARGEST_PACKET: usize = 65_536;
/// How long a pump waits for a packet before it looks whether it should end.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// A TUN device and the test's end of it.
#[derive(Debug)]
pub struct Tun {
    file: File,
    /// The device as the kernel of its namespace sees it.
    pub interface: Interface,
}

impl Tun {
    /// Makes the TUN device `name` in `ns`, up, with an MTU in bytes; it goes when this is dropped.
    ///
    /// # Errors
    /// Without `/dev/net/tun`, or when the kernel refuses the name.
    pub fn new(ns: &Namespace, name: &str, mtu: u32) -> Result<Self> {
        let file = ns
            .enter(|| attach(name))
            .with_context(|| format!("[{}] tun device {name}", ns.name()))?;
        // The reader is a thread of the test: on a busy machine it comes late.
        ns.ip(&format!("link set {name} mtu {mtu} txqueuelen 10000 up"))?;
        let interface = Interface {
            ns: ns.clone(),
            name: name.to_owned(),
            mac: [0; 6],
        };
        Ok(Self { file, interface })
    }

    /// Lets the kernel receive an IP packet from this device.
    ///
    /// # Errors
    /// When the device is down or refuses the packet.
    pub fn send(&self, packet: &[u8]) -> Result<()> {
        (&self.file).write_all(packet).context("write to tun")
    }

    /// The next IP packet that the kernel sends out by this device.
    ///
    /// # Errors
    /// When none comes before the deadline.
    pub fn receive(&self, deadline: impl Into<Deadline>) -> Result<Vec<u8>> {
        let deadline = deadline.into();
        let Some(left) = deadline.remaining() else {
            bail!("no packet before the deadline")
        };
        if !wait_readable(&self.file, left)? {
            bail!("no packet from {} within {left:?}", self.interface.name);
        }
        let mut buffer = vec![0; LARGEST_PACKET];
        let length = (&self.file).read(&mut buffer).context("read from tun")?;
        buffer.truncate(length);
        Ok(buffer)
    }
}

/// Opens the TUN device `name` of the calling thread's namespace, making it.
fn attach(name: &str) -> Result<File> {
    let file = File::options()
        .read(true)
        .write(true)
        .open("/dev/net/tun")?;
    // SAFETY: ifreq is plain old data for which all bits zero is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        bail!(
            "an interface name has at most {} bytes, got {name}",
            request.ifr_name.len() - 1
        );
    }
    for (slot, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *slot = byte.cast_signed();
    }
    request.ifr_ifru.ifru_flags = i16::try_from(libc::IFF_TUN | libc::IFF_NO_PI)?;
    // SAFETY: TUNSETIFF reads and writes one `ifreq`, and the pointer is to one that outlives
    // the call; its name ends with a zero byte, by the check above.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    if result < 0 {
        return Err(std::io::Error::last_os_error()).context("TUNSETIFF");
    }
    Ok(file)
}

/// Two TUN devices in two namespaces with a wire between them.
#[derive(Debug)]
pub struct TunLink {
    stop: Arc<AtomicBool>,
    pumps: Vec<JoinHandle<()>>,
}

impl TunLink {
    /// Moves every packet that leaves one device into the other, until dropped.
    #[must_use]
    pub fn new(one: Tun, other: Tun) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (one, other) = (Arc::new(one), Arc::new(other));
        let pump = |from: Arc<Tun>, to: Arc<Tun>| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    // No packet yet, or a device that is down: like a wire, lose it and go on.
                    if let Ok(packet) = from.receive(STOP_INTERVAL) {
                        let _ = to.send(&packet);
                    }
                }
            })
        };
        let pumps = vec![pump(Arc::clone(&one), Arc::clone(&other)), pump(other, one)];
        Self { stop, pumps }
    }
}

impl Drop for TunLink {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for pump in self.pumps.drain(..) {
            let _ = pump.join();
        }
    }
}
