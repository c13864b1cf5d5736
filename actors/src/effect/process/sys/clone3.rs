//! clone3(2) with a stack for the child: the C library has no function for it, and no other call bears a child into a control group.

use std::ffi::{c_int, c_void};
use std::io;

/// What the child runs. It must not return.
pub(super) type Body = extern "C" fn(*mut c_void) -> c_int;

/// `struct clone_args` of the kernel's include/uapi/linux/sched.h in its third version, which knows `cgroup`.
#[repr(C, align(8))]
#[derive(Debug, Default)]
pub(super) struct CloneArgs {
    pub(super) flags: u64,
    pub(super) pidfd: u64,
    pub(super) child_tid: u64,
    pub(super) parent_tid: u64,
    pub(super) exit_signal: u64,
    pub(super) stack: u64,
    pub(super) stack_size: u64,
    pub(super) tls: u64,
    pub(super) set_tid: u64,
    pub(super) set_tid_size: u64,
    pub(super) cgroup: u64,
}

/// Makes a child that runs `body(argument)` on the stack that the arguments name, and answers with its process id.
///
/// # Errors
/// What the kernel says; `Unsupported` on processors for which this is not written.
///
/// # Safety
/// The stack ends at a multiple of 16 and is big enough for the body, which must not return and must bear to run in a copy of this
/// process that has one thread; with `CLONE_VM` also beside the other threads, while this one waits (`CLONE_VFORK`).
pub(super) unsafe fn clone3(arguments: &CloneArgs, body: Body, argument: *mut c_void) -> io::Result<i32> {
    // SAFETY: as the caller promises.
    let answer = unsafe { call(arguments, body, argument) };
    match i32::try_from(answer) {
        Ok(pid) if pid >= 0 => Ok(pid),
        Ok(error) => Err(io::Error::from_raw_os_error(error.saturating_neg())),
        Err(_) => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// The system call: the child goes on at once with its body, so that it never returns into a frame of its parent.
#[cfg(target_arch = "x86_64")]
unsafe fn call(arguments: &CloneArgs, body: Body, argument: *mut c_void) -> isize {
    let answer;
    // SAFETY: the kernel keeps all registers but rax, rcx and r11. The child has a stack of its own, and ends in its body.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone3 as isize => answer,
            in("rdi") std::ptr::from_ref(arguments),
            in("rsi") size_of::<CloneArgs>(),
            in("r12") argument,
            in("r13") body,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    answer
}

/// The same.
#[cfg(target_arch = "aarch64")]
unsafe fn call(arguments: &CloneArgs, body: Body, argument: *mut c_void) -> isize {
    let answer;
    // SAFETY: the kernel keeps all registers but x0. The child has a stack of its own, and ends in its body.
    unsafe {
        std::arch::asm!(
            "svc #0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, {argument}",
            "blr {body}",
            "brk #1",
            "2:",
            inlateout("x0") std::ptr::from_ref(arguments) => answer,
            in("x1") size_of::<CloneArgs>(),
            in("x8") libc::SYS_clone3,
            argument = in(reg) argument,
            body = in(reg) body,
        );
    }
    answer
}

/// Not written for this processor: as if the kernel did not know the call.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
unsafe fn call(_: &CloneArgs, _: Body, _: *mut c_void) -> isize {
    -(libc::ENOSYS as isize)
}
