//! tc at ingress: the same way over an skb. It takes devices without Ethernet
//! header (tunnels), and what XDP handed over: next hops to be resolved, ways out
//! that take no XDP frames.

use core::ffi::c_void;

use aya_ebpf::{
    EbpfContext as _,
    bindings::{
        BPF_F_MARK_MANGLED_0, BPF_F_PSEUDO_HDR, TC_ACT_SHOT, bpf_adj_room_mode::BPF_ADJ_ROOM_MAC,
        bpf_hdr_start_off::BPF_HDR_START_MAC, bpf_redir_neigh, bpf_redir_neigh__bindgen_ty_1,
    },
    helpers::generated::{
        bpf_l4_csum_replace, bpf_redirect, bpf_redirect_neigh, bpf_skb_adjust_room,
        bpf_skb_change_head, bpf_skb_change_tail, bpf_skb_load_bytes, bpf_skb_load_bytes_relative,
        bpf_skb_store_bytes, bpf_skb_vlan_pop,
    },
    programs::TcContext,
};
use gateway_common::abi::{Hook, Interface, STACK_MARK, interface_flags};
use gateway_common::headers::{ethernet, protocol, tcp, udp};
use gateway_common::icmp_answer::{self, Answer};
use gateway_common::nat::{self, Stage, Step, Translation, TtlChange};
use gateway_common::parse::{self, Frame, Packet};
use gateway_common::tables::Hop;
use gateway_common::view::{AddressChange, PacketView};
use gateway_common::{Outcome, Reason};

use crate::look_up::{self, KernelTables};
use crate::trace::{self, Capture};
use crate::{answer, count, early_fragment};

const AF_INET: u32 = 2;
/// No word: what comes next decides (as `TCX_NEXT`).
pub const TC_ACT_UNSPEC: i32 = -1;

/// How one packet ended.
struct End {
    reason: Reason,
    slot: u16,
    ip_offset: u16,
    action: i32,
}

/// The program: every packet ends in exactly one counted verdict.
#[inline(always)]
pub fn run(ctx: &TcContext) -> i32 {
    let mut view = TcView { ctx };
    let mut end = End {
        reason: Reason::UnknownInterface,
        slot: 0,
        ip_offset: u16::MAX,
        action: TC_ACT_UNSPEC,
    };
    match forward(&mut view, &mut end) {
        Ok(action) => end.action = action,
        Err(reason) => {
            end.reason = reason;
            end.action = action(reason);
        }
    }
    count::verdict(Hook::TcIngress, end.slot, end.reason);
    if end.action == TC_ACT_SHOT {
        let ifindex = view.ifindex();
        trace::dropped(&view, Hook::TcIngress, ifindex, end.ip_offset, end.reason);
    }
    end.action
}

/// What tc is told for a packet that is not sent from here. A pass leaves the word
/// to other programs and filters on the device.
#[inline(always)]
pub const fn action(reason: Reason) -> i32 {
    match reason.outcome() {
        Outcome::Passed => TC_ACT_UNSPEC,
        _ => TC_ACT_SHOT,
    }
}

/// The packet's way. `Ok`: sent from here, `end` says why; `Err`: it ends.
#[inline(always)]
fn forward(view: &mut TcView<'_>, end: &mut End) -> Result<i32, Reason> {
    let (frame, arrival) = arrive(view)?;
    end.slot = arrival.slot;
    let has_ethernet = !arrival.has(interface_flags::NO_ETHERNET);
    if has_ethernet {
        parse::addressed_to(view, arrival.mac)?;
    }
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
    if let Some(reason @ (Reason::FragmentHeld | Reason::EarlyFragmentShared)) = refused {
        return Err(early_fragment::hold(view, &packet, arrival.slot, reason));
    }
    let query = nat::query(&packet, &translation, arrival, view.wire_length(&packet));
    let decided = refused.map_or(Ok(&translation), Err);
    let mut hop = Hop::default();
    let step = nat::route(&packet, decided, &query, &tables, Stage::Tc, &mut hop);
    match step.map_err(|reason| view.for_the_kernel(reason))? {
        Step::Send(egress) => {
            nat::rewrite(view, &packet, &translation, TtlChange::Decrement)?;
            count::bindings(&tables, &translation, packet.total_length);
            end.reason = translation.reason;
            view.send(packet.ip, has_ethernet, &hop, egress)
        }
        Step::Stack => {
            nat::rewrite(view, &packet, &translation, TtlChange::Keep)?;
            count::bindings(&tables, &translation, packet.total_length);
            Err(view.for_the_kernel(Reason::InboundToStack))
        }
        step => {
            let (reason, answer) = answer::to(&step, &packet, arrival, Hook::TcIngress);
            end.reason = reason;
            match answer {
                Some(answer) => {
                    let ifindex = view.ifindex();
                    trace::dropped(view, Hook::TcIngress, ifindex, packet.ip, reason);
                    view.reply(has_ethernet, &packet, &answer)
                }
                None => Err(reason),
            }
        }
    }
}

/// The frame and the interface it came in on.
#[inline(always)]
fn arrive(view: &mut TcView<'_>) -> Result<(Frame, &'static Interface), Reason> {
    let found = look_up::arrival(view.ifindex(), 0);
    if let Some(arrival) = found {
        if arrival.has(interface_flags::NO_ETHERNET) {
            return Ok((parse::no_frame(view)?, arrival));
        }
        view.restore_ethernet()?;
    }
    let frame = parse::frame(view)?;
    if view.is_tagged(&frame) {
        return Err(Reason::Tagged);
    }
    Ok((frame, found.ok_or(Reason::UnknownInterface)?))
}

/// An skb. Bytes are read and written by helpers: they find them wherever the
/// kernel keeps them, and keep its own notes of checksums true.
pub struct TcView<'a> {
    pub ctx: &'a TcContext,
}

impl TcView<'_> {
    #[inline(always)]
    pub fn ifindex(&self) -> u32 {
        // SAFETY: the program's own context, here and below.
        unsafe { (*self.ctx.skb.skb).ifindex }
    }

    /// The device the packet came in on before it was routed; 0: none.
    #[inline(always)]
    pub fn ingress_ifindex(&self) -> u32 {
        unsafe { (*self.ctx.skb.skb).ingress_ifindex }
    }

    /// Whether the frame is one of a VLAN, its tag in the frame or kept beside it.
    /// A priority tag (VLAN 0) is none.
    #[inline(always)]
    pub fn is_tagged(&self, frame: &Frame) -> bool {
        let beside = unsafe {
            (*self.ctx.skb.skb).vlan_present != 0
                && (*self.ctx.skb.skb).vlan_tci as u16 & ethernet::VID != 0
        };
        beside || frame.vids != 0
    }

    /// The largest packet that leaves: merged ones are cut again on the way out.
    #[inline(always)]
    pub fn wire_length(&self, packet: &Packet) -> u16 {
        let gso_size = unsafe { (*self.ctx.skb.skb).gso_size };
        if gso_size == 0 {
            return packet.total_length;
        }
        // Without TCP options: an underestimate by at most 40 bytes.
        let transport = match packet.protocol {
            protocol::TCP => tcp::HEADER,
            _ => udp::HEADER,
        };
        let headers = packet.transport_at - packet.ip + transport as u16;
        (gso_size as u16).saturating_add(headers)
    }

    /// Puts the Ethernet header back in front.
    ///
    /// Since 6.9 generic XDP may hand on a copy of the skb that has forgotten how long
    /// its link-layer header is (`skb_pp_cow_data` does not copy `mac_len`): tc then
    /// sees the packet from its IP header on, the header is still before it.
    #[inline(always)]
    fn restore_ethernet(&mut self) -> Result<(), Reason> {
        let skb = self.ctx.skb.skb;
        let mut header = [0u16; 7];
        let size = size_of_val(&header) as u32;
        // SAFETY: plain helper calls, with room for what is read.
        let read = unsafe {
            let to = (&raw mut header).cast();
            bpf_skb_load_bytes_relative(skb.cast(), 0, to, size, BPF_HDR_START_MAC)
        };
        let [d0, d1, d2, ..] = header.map(u16::from_be);
        if read != 0 || self.halves(0)? == [d0, d1, d2] {
            return Ok(());
        }
        // SAFETY: as above.
        if unsafe { bpf_skb_change_head(skb, ethernet::HEADER as u32, 0) } != 0 {
            return Err(Reason::RewriteFailed);
        }
        self.store(0, header)
    }

    /// Marks what the kernel is to forward in our stead, for the router's firewall.
    #[inline(always)]
    fn for_the_kernel(&self, reason: Reason) -> Reason {
        if matches!(reason, Reason::NeedsFragmentation | Reason::InboundToStack) {
            self.ctx.set_mark(STACK_MARK);
        }
        reason
    }

    /// Sends the rewritten packet; the kernel finds the neighbour.
    #[inline(always)]
    fn send(
        &mut self,
        ip: u16,
        has_ethernet: bool,
        hop: &Hop,
        egress: &Interface,
    ) -> Result<i32, Reason> {
        let skb = self.ctx.skb.skb;
        if has_ethernet && usize::from(ip) > ethernet::HEADER {
            // A priority tag: the way out may be another device.
            // SAFETY: plain helper call.
            if unsafe { bpf_skb_vlan_pop(skb) } != 0 {
                return Err(Reason::RewriteFailed);
            }
        }
        if egress.has(interface_flags::NO_ETHERNET) {
            // SAFETY: plain helper call; the Ethernet header is dropped by it.
            return Ok(unsafe { bpf_redirect(hop.ifindex, 0) } as i32);
        }
        if !has_ethernet {
            // The kernel fills the header in, but wants to find one.
            // SAFETY: as above.
            if unsafe { bpf_skb_change_head(skb, ethernet::HEADER as u32, 0) } != 0 {
                return Err(Reason::RewriteFailed);
            }
            self.put_halves(0, [0, 0, 0, 0, 0, 0, ethernet::IPV4])?;
        }
        let mut next = bpf_redir_neigh {
            nh_family: AF_INET,
            __bindgen_anon_1: bpf_redir_neigh__bindgen_ty_1 { ipv6_nh: [0; 4] },
        };
        next.__bindgen_anon_1.ipv4_nh = hop.next_hop.to_be();
        let size = size_of::<bpf_redir_neigh>() as i32;
        // SAFETY: params of the size we say.
        Ok(unsafe { bpf_redirect_neigh(hop.ifindex, &raw mut next, size, 0) } as i32)
    }

    /// Turns the packet into an ICMP error and sends it back where it came from.
    #[cold]
    #[inline(never)]
    fn reply(
        &mut self,
        has_ethernet: bool,
        packet: &Packet,
        answer: &Answer,
    ) -> Result<i32, Reason> {
        let skb = self.ctx.skb.skb;
        let quote = icmp_answer::quote_length(packet);
        let room = icmp_answer::HEADERS as i32;
        // SAFETY: plain helper calls.
        unsafe {
            if bpf_skb_change_tail(skb, u32::from(packet.ip) + quote as u32, 0) != 0
                || bpf_skb_adjust_room(skb, room, BPF_ADJ_ROOM_MAC, 0) != 0
            {
                return Err(Reason::RewriteFailed);
            }
        }
        if has_ethernet {
            let [d0, d1, d2, s0, s1, s2] = self.halves(0)?;
            self.put_halves(0, [s0, s1, s2, d0, d1, d2])?;
        }
        icmp_answer::write(self, packet, answer, quote)?;
        // SAFETY: as above.
        Ok(unsafe { bpf_redirect(self.ifindex(), 0) } as i32)
    }
}

impl TcView<'_> {
    /// Reads a value of plain integers.
    #[inline(always)]
    fn load<T: Copy>(&self, offset: usize, mut value: T) -> Result<T, Reason> {
        let to = (&raw mut value).cast();
        // SAFETY: room for the value; the helper checks the packet.
        match unsafe {
            bpf_skb_load_bytes(
                self.ctx.skb.skb.cast(),
                offset as u32,
                to,
                size_of::<T>() as u32,
            )
        } {
            0 => Ok(value),
            _ => Err(Reason::Truncated),
        }
    }

    /// Writes a value of plain integers. No flag to recompute: every rewrite changes
    /// a checksum and what it covers together, so the kernel's sum over the packet
    /// stays; transport checksums over the pseudo header are the exception, below.
    #[inline(always)]
    fn store<T: Copy>(&mut self, offset: usize, value: T) -> Result<(), Reason> {
        let from = (&raw const value).cast();
        // SAFETY: the value to read; the helper checks the packet.
        match unsafe {
            bpf_skb_store_bytes(
                self.ctx.skb.skb,
                offset as u32,
                from,
                size_of::<T>() as u32,
                0,
            )
        } {
            0 => Ok(()),
            _ => Err(Reason::Truncated),
        }
    }
}

impl PacketView for TcView<'_> {
    #[inline(always)]
    fn u8(&self, offset: usize) -> Result<u8, Reason> {
        self.load(offset, 0)
    }

    #[inline(always)]
    fn halves<const N: usize>(&self, offset: usize) -> Result<[u16; N], Reason> {
        self.load(offset, [0; N])
            .map(|halves| halves.map(u16::from_be))
    }

    #[inline(always)]
    fn words<const N: usize>(&self, offset: usize) -> Result<[u32; N], Reason> {
        self.load(offset, [0; N])
            .map(|words| words.map(u32::from_be))
    }

    #[inline(always)]
    fn put_u8(&mut self, offset: usize, value: u8) -> Result<(), Reason> {
        self.store(offset, value)
    }

    #[inline(always)]
    fn put_halves<const N: usize>(
        &mut self,
        offset: usize,
        values: [u16; N],
    ) -> Result<(), Reason> {
        self.store(offset, values.map(u16::to_be))
    }

    #[inline(always)]
    fn put_words<const N: usize>(&mut self, offset: usize, values: [u32; N]) -> Result<(), Reason> {
        self.store(offset, values.map(u32::to_be))
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.ctx.len() as usize
    }

    #[inline(always)]
    fn update_pseudo_checksum(
        &mut self,
        offset: usize,
        change: AddressChange,
        zero_means_none: bool,
    ) -> Result<(), Reason> {
        let mut flags = u64::from(BPF_F_PSEUDO_HDR) | 4;
        if zero_means_none {
            flags |= u64::from(BPF_F_MARK_MANGLED_0);
        }
        for (old, new) in [
            (change.old_source, change.source),
            (change.old_destination, change.destination),
        ] {
            // The helper knows of checksums that a device is still to fill in.
            // SAFETY: plain helper call.
            let failed = old != new
                && unsafe {
                    bpf_l4_csum_replace(
                        self.ctx.skb.skb,
                        offset as u32,
                        u64::from(old.to_be()),
                        u64::from(new.to_be()),
                        flags,
                    )
                } != 0;
            if failed {
                return Err(Reason::Truncated);
            }
        }
        Ok(())
    }
}

impl Capture for TcView<'_> {
    #[inline(always)]
    fn frame_length(&self) -> u32 {
        self.ctx.len()
    }

    #[inline(always)]
    unsafe fn copy(&self, offset: u32, to: *mut u8, length: u32) -> bool {
        // SAFETY: the caller promises the room; the helper checks the packet.
        unsafe {
            bpf_skb_load_bytes(self.ctx.skb.skb.cast(), offset, to.cast::<c_void>(), length) == 0
        }
    }
}
