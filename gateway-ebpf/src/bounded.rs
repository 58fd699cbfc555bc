//! Bounds that survive the compiler, and loads and stores at any alignment.

/// `value & MASK` where the verifier sees it: the compiler drops a mask that it has
/// found out to change nothing, and the verifier then does not find it out.
#[inline(always)]
pub fn bounded<const MASK: u32>(value: u32) -> u32 {
    let mut value = u64::from(value);
    // SAFETY: arithmetic on a register.
    unsafe {
        core::arch::asm!("{0} &= {1}", inout(reg) value, const MASK);
    }
    value as u32
}

/// `value + N` where the verifier sees it: the compiler turns `start + 1 > end` into
/// `start >= end`, which proves nothing to the verifier.
#[inline(always)]
pub fn plus<const N: usize>(value: usize) -> usize {
    let mut value = value;
    // SAFETY: arithmetic on a register.
    unsafe {
        core::arch::asm!("{0} += {1}", inout(reg) value, const N);
    }
    value
}

/// Loads two bytes as they stand.
///
/// # Safety
/// They are there.
#[inline(always)]
pub unsafe fn load_half(at: *const u8) -> u16 {
    let value: u64;
    // SAFETY: as the caller promises.
    unsafe {
        core::arch::asm!("{0} = *(u16 *)({1} + 0)", out(reg) value, in(reg) at, options(readonly, nostack));
    }
    value as u16
}

/// Stores two bytes as they are.
///
/// # Safety
/// There is room for them.
#[inline(always)]
pub unsafe fn store_half(at: *mut u8, value: u16) {
    // SAFETY: as the caller promises.
    unsafe {
        core::arch::asm!("*(u16 *)({0} + 0) = {1}", in(reg) at, in(reg) u64::from(value), options(nostack));
    }
}

/// Loads four bytes as they stand.
///
/// # Safety
/// They are there.
#[inline(always)]
pub unsafe fn load_word(at: *const u8) -> u32 {
    let value: u64;
    // SAFETY: as the caller promises.
    unsafe {
        core::arch::asm!("{0} = *(u32 *)({1} + 0)", out(reg) value, in(reg) at, options(readonly, nostack));
    }
    value as u32
}

/// Stores four bytes as they are.
///
/// # Safety
/// There is room for them.
#[inline(always)]
pub unsafe fn store_word(at: *mut u8, value: u32) {
    // SAFETY: as the caller promises.
    unsafe {
        core::arch::asm!("*(u32 *)({0} + 0) = {1}", in(reg) at, in(reg) u64::from(value), options(nostack));
    }
}
