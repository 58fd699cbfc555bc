//! XDP on Ethernet devices: the fast path.

use core::ffi::c_void;

use aya_ebpf::{
    EbpfContext as _,
    bindings::xdp_action,
    helpers::generated::{
        bpf_xdp_adjust_head, bpf_xdp_adjust_tail, bpf_xdp_get_buff_len, bpf_xdp_load_bytes,
    },
    programs::XdpContext,
};
use gateway_common::abi::{Hook, Interface};
use gateway_common::headers::ethernet;
use gateway_common::icmp_answer::{self, Answer};
use gateway_common::nat::{self, Stage, Step, Translation, TtlChange};
use gateway_common::parse::{self, Packet};
use gateway_common::tables::Hop;
use gateway_common::view::PacketView;
use gateway_common::{Outcome, Reason};

use crate::bounded::{load_half, load_word, plus, store_half, store_word};
use crate::look_up::{self, KernelTables};
use crate::trace::{self, Capture};
use crate::{answer, count, diagnose, early_fragment, maps};

/// Offsets into a frame stay below this: three headers with options, twice.
const OFFSET_MASK: usize = 0x3ff;

/// How one packet ended: its reason, where it came in, and what XDP is told.
struct End {
    reason: Reason,
    slot: u16,
    ip_offset: u16,
    action: u32,
}

/// The program: every packet ends in exactly one counted verdict.
#[inline(always)]
pub fn run(ctx: &XdpContext) -> u32 {
    let mut view = XdpView { ctx };
    let end = process(&mut view);
    count::verdict(Hook::Xdp, end.slot, end.reason);
    if end.reason.outcome() == Outcome::Dropped {
        let ifindex = ctx.ingress_ifindex() as u32;
        // An answered packet has become the answer.
        if end.action == xdp_action::XDP_DROP {
            trace::dropped(&view, Hook::Xdp, ifindex, end.ip_offset, end.reason);
        }
    }
    end.action
}

/// What XDP is told for a packet that is not sent from here.
#[inline(always)]
const fn action(reason: Reason) -> u32 {
    match reason.outcome() {
        Outcome::Passed => xdp_action::XDP_PASS,
        _ => xdp_action::XDP_DROP,
    }
}

#[inline(always)]
fn process(view: &mut XdpView<'_>) -> End {
    let mut end = End {
        reason: Reason::UnknownInterface,
        slot: 0,
        ip_offset: u16::MAX,
        action: xdp_action::XDP_PASS,
    };
    match forward(view, &mut end) {
        Ok(action) => end.action = action,
        Err(reason) => {
            end.reason = reason;
            end.action = action(reason);
        }
    }
    end
}

/// The packet's way. `Ok`: sent from here, `end` says why; `Err`: it ends.
#[inline(always)]
fn forward(view: &mut XdpView<'_>, end: &mut End) -> Result<u32, Reason> {
    let frame = parse::frame(view)?;
    let ifindex = view.ctx.ingress_ifindex() as u32;
    let arrival = look_up::arrival(ifindex, frame.vids).ok_or(Reason::UnknownInterface)?;
    end.slot = arrival.slot;
    parse::addressed_to(view, arrival.mac)?;
    if !frame.is_ipv4() {
        return Err(Reason::NotIpv4);
    }
    end.ip_offset = frame.ip;
    let packet = parse::ipv4(view, frame.ip)?;
    let tables = KernelTables {
        ctx: view.ctx.as_ptr(),
    };
    let mut translation = Translation::of(&packet);
    let refused = nat::decide(view, &packet, arrival, &tables, &mut translation).err();
    // On a shared address it goes on to tc, which sees to the copy.
    if let Some(reason @ Reason::FragmentHeld) = refused {
        return Err(early_fragment::hold(view, &packet, arrival.slot, reason));
    }
    let query = nat::query(&packet, &translation, arrival, packet.total_length);
    let decided = refused.map_or(Ok(&translation), Err);
    let mut hop = Hop::default();
    match nat::route(&packet, decided, &query, &tables, Stage::Xdp, &mut hop)? {
        Step::Send(egress) => {
            nat::rewrite(view, &packet, &translation, TtlChange::Decrement)?;
            let action = send(view, packet.ip, &hop, egress)?;
            count::bindings(&tables, &translation, packet.total_length);
            end.reason = translation.reason;
            Ok(action)
        }
        step => {
            let (reason, answer) = answer::to(&step, &packet, arrival, Hook::Xdp);
            end.reason = reason;
            match answer {
                Some(answer) => {
                    // Now: the packet is about to become the answer.
                    trace::dropped(view, Hook::Xdp, ifindex, packet.ip, reason);
                    reply(view, &packet, &answer, arrival.port_ifindex)
                }
                None => Err(reason),
            }
        }
    }
}

/// Puts the next hop's Ethernet header and tags in front and redirects the frame.
#[inline(always)]
fn send(view: &mut XdpView<'_>, ip: u16, hop: &Hop, egress: &Interface) -> Result<u32, Reason> {
    let new = ethernet::HEADER + (egress.tag_count as usize & 3) * ethernet::TAG;
    view.move_head(i32::from(ip) - new as i32)?;
    view.put_halves(0, hop.ethernet)?;
    let mut at = ethernet::ETHERTYPE;
    if egress.tag_count > 0 {
        view.put_halves(at, tag(egress, 0))?;
        at += ethernet::TAG;
    }
    if egress.tag_count > 1 {
        view.put_halves(at, tag(egress, 1))?;
        at += ethernet::TAG;
    }
    view.put_u16(at, ethernet::IPV4)?;
    maps::PORTS
        .redirect(egress.port_ifindex, 0)
        .map_err(|_| Reason::RewriteFailed)
}

#[inline(always)]
fn tag(egress: &Interface, index: usize) -> [u16; 2] {
    let tag = egress.tags[index & 1];
    [tag.tpid, tag.vid]
}

/// Turns the frame into an ICMP error to its sender.
///
/// It is redirected back, where the device takes frames: veth wakes its peer for a
/// redirected frame, but for one by `XDP_TX` only if the peer has an XDP program too.
#[cold]
#[inline(never)]
fn reply(
    view: &mut XdpView<'_>,
    packet: &Packet,
    answer: &Answer,
    port: u32,
) -> Result<u32, Reason> {
    let quote = icmp_answer::quote_length(packet);
    let ip = usize::from(packet.ip);
    view.cut((ip + quote) as u32)?;
    view.move_head(-(icmp_answer::HEADERS as i32))?;
    // What stood at the start stands so much further on: addresses, EtherType, tags.
    const MOVED: usize = icmp_answer::HEADERS;
    let [d0, d1, d2, s0, s1, s2, ethertype] = view.halves(MOVED)?;
    view.put_halves(0, [s0, s1, s2, d0, d1, d2, ethertype])?;
    if ip > ethernet::HEADER {
        let first = view.halves::<2>(MOVED + ethernet::HEADER)?;
        view.put_halves(ethernet::HEADER, first)?;
    }
    if ip > ethernet::HEADER + ethernet::TAG {
        let second = view.halves::<2>(MOVED + ethernet::HEADER + ethernet::TAG)?;
        view.put_halves(ethernet::HEADER + ethernet::TAG, second)?;
    }
    icmp_answer::write(view, packet, answer, quote)?;
    // A device that is no port: the flags say what is done instead.
    match maps::PORTS.redirect(port, u64::from(xdp_action::XDP_TX)) {
        Ok(action) | Err(action) => Ok(action),
    }
}

/// An XDP buffer. Every access compares against its end, as the verifier wants.
pub struct XdpView<'a> {
    ctx: &'a XdpContext,
}

impl XdpView<'_> {
    /// Where `N` bytes at `offset` are, if they are there.
    #[inline(always)]
    fn at<const N: usize>(&self, offset: usize) -> Result<*mut u8, Reason> {
        let start = self.ctx.data() + (offset & OFFSET_MASK);
        if plus::<N>(start) > self.ctx.data_end() {
            return Err(Reason::Truncated);
        }
        Ok(start as *mut u8)
    }

    /// Whether a buffer in several pieces reaches `end`: nearly all are in one, and no
    /// helper is called for them. A function of its own, to leave the caller its stack.
    #[cold]
    #[inline(never)]
    fn holds_in_pieces(&self, end: usize) -> bool {
        end <= self.frame_length() as usize
    }

    /// Moves the start of the frame: forward (cut) or back (more room).
    #[inline(always)]
    fn move_head(&mut self, bytes: i32) -> Result<(), Reason> {
        // SAFETY: the program's own context; pointers are taken anew afterwards.
        if bytes != 0 && unsafe { bpf_xdp_adjust_head(self.ctx.ctx, bytes) } != 0 {
            diagnose::size_refused(self.ctx, self.ctx.ingress_ifindex() as u32, -bytes);
            return Err(Reason::RewriteFailed);
        }
        Ok(())
    }

    /// Cuts the frame to `length` bytes.
    #[inline(always)]
    fn cut(&mut self, length: u32) -> Result<(), Reason> {
        let less = length as i32 - self.frame_length() as i32;
        // SAFETY: as above.
        if less != 0 && unsafe { bpf_xdp_adjust_tail(self.ctx.ctx, less) } != 0 {
            return Err(Reason::RewriteFailed);
        }
        Ok(())
    }
}

// SAFETY of all below: `at` has checked that the bytes are there. Loads and stores
// are instructions of their size: the kernel takes them at any address, where the
// compiler would go byte by byte.
impl PacketView for XdpView<'_> {
    #[inline(always)]
    fn u8(&self, offset: usize) -> Result<u8, Reason> {
        let at = self.at::<1>(offset)?;
        Ok(unsafe { at.read() })
    }

    #[inline(always)]
    fn halves<const N: usize>(&self, offset: usize) -> Result<[u16; N], Reason> {
        const { assert!(N <= 8) }
        let at = match N {
            1 => self.at::<2>(offset),
            2 => self.at::<4>(offset),
            3 => self.at::<6>(offset),
            _ => self.at::<16>(offset),
        }?;
        let mut halves = [0; N];
        for (index, half) in halves.iter_mut().enumerate() {
            *half = u16::from_be(unsafe { load_half(at.add(2 * index)) });
        }
        Ok(halves)
    }

    #[inline(always)]
    fn words<const N: usize>(&self, offset: usize) -> Result<[u32; N], Reason> {
        const { assert!(N == 1 || N == 5) }
        let at = match N {
            1 => self.at::<4>(offset),
            _ => self.at::<20>(offset),
        }?;
        let mut words = [0; N];
        for (index, word) in words.iter_mut().enumerate() {
            *word = u32::from_be(unsafe { load_word(at.add(4 * index)) });
        }
        Ok(words)
    }

    #[inline(always)]
    fn put_u8(&mut self, offset: usize, value: u8) -> Result<(), Reason> {
        let at = self.at::<1>(offset)?;
        unsafe { at.write(value) };
        Ok(())
    }

    #[inline(always)]
    fn put_halves<const N: usize>(
        &mut self,
        offset: usize,
        values: [u16; N],
    ) -> Result<(), Reason> {
        const { assert!(N <= 8) }
        let at = match N {
            1 => self.at::<2>(offset),
            2 => self.at::<4>(offset),
            4 => self.at::<8>(offset),
            6 => self.at::<12>(offset),
            _ => self.at::<16>(offset),
        }?;
        for (index, half) in values.into_iter().enumerate() {
            unsafe { store_half(at.add(2 * index), half.to_be()) };
        }
        Ok(())
    }

    #[inline(always)]
    fn put_words<const N: usize>(&mut self, offset: usize, values: [u32; N]) -> Result<(), Reason> {
        const { assert!(N == 2 || N == 5) }
        let at = match N {
            2 => self.at::<8>(offset),
            _ => self.at::<20>(offset),
        }?;
        for (index, word) in values.into_iter().enumerate() {
            unsafe { store_word(at.add(4 * index), word.to_be()) };
        }
        Ok(())
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.frame_length() as usize
    }

    #[inline(always)]
    fn holds(&self, end: usize) -> bool {
        end <= self.ctx.data_end() - self.ctx.data() || self.holds_in_pieces(end)
    }
}

impl Capture for XdpView<'_> {
    #[inline(always)]
    fn frame_length(&self) -> u32 {
        // Buffers in several pieces count whole.
        // SAFETY: the program's own context.
        unsafe { bpf_xdp_get_buff_len(self.ctx.ctx) as u32 }
    }

    #[inline(always)]
    unsafe fn copy(&self, offset: u32, to: *mut u8, length: u32) -> bool {
        // SAFETY: the caller promises the room; the helper checks the frame.
        unsafe { bpf_xdp_load_bytes(self.ctx.ctx, offset, to.cast::<c_void>(), length) == 0 }
    }
}
