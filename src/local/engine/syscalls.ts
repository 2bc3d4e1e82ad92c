/** System call numbers that the seccomp filters name, from the kernel's own tables. */

export type Architecture = "x64" | "arm64";

/** Calls an agent never needs and whose kernel code is a frequent way out of a sandbox. */
const HOST_CALLS = {
  x64: {
    acct: 163,
    add_key: 248,
    adjtimex: 159,
    bpf: 321,
    clock_adjtime: 305,
    clock_settime: 227,
    delete_module: 176,
    fanotify_init: 300,
    finit_module: 313,
    init_module: 175,
    io_uring_enter: 426,
    io_uring_register: 427,
    io_uring_setup: 425,
    ioperm: 173,
    iopl: 172,
    kexec_file_load: 320,
    kexec_load: 246,
    keyctl: 250,
    lookup_dcookie: 212,
    nfsservctl: 180,
    open_by_handle_at: 304,
    perf_event_open: 298,
    quotactl: 179,
    quotactl_fd: 443,
    reboot: 169,
    request_key: 249,
    settimeofday: 164,
    swapoff: 168,
    swapon: 167,
    syslog: 103,
    userfaultfd: 323,
    uselib: 134,
    vhangup: 153,
  },
  arm64: {
    acct: 89,
    add_key: 217,
    adjtimex: 171,
    bpf: 280,
    clock_adjtime: 266,
    clock_settime: 112,
    delete_module: 106,
    fanotify_init: 262,
    finit_module: 273,
    init_module: 105,
    io_uring_enter: 426,
    io_uring_register: 427,
    io_uring_setup: 425,
    kexec_file_load: 294,
    kexec_load: 104,
    keyctl: 219,
    lookup_dcookie: 18,
    nfsservctl: 42,
    open_by_handle_at: 265,
    perf_event_open: 241,
    quotactl: 60,
    quotactl_fd: 443,
    reboot: 142,
    request_key: 218,
    settimeofday: 170,
    swapoff: 225,
    swapon: 224,
    syslog: 116,
    userfaultfd: 282,
    vhangup: 58,
  },
} satisfies Record<Architecture, Record<string, number>>;

/** Calls that build namespaces and mounts: the supervisor needs them once, the agent never. */
const NAMESPACE_CALLS = {
  x64: {
    chroot: 161,
    fsconfig: 431,
    fsmount: 432,
    fsopen: 430,
    fspick: 433,
    mount: 165,
    mount_setattr: 442,
    move_mount: 429,
    open_tree: 428,
    open_tree_attr: 467,
    pivot_root: 155,
    setns: 308,
    umount2: 166,
  },
  arm64: {
    chroot: 51,
    fsconfig: 431,
    fsmount: 432,
    fsopen: 430,
    fspick: 433,
    mount: 40,
    mount_setattr: 442,
    move_mount: 429,
    open_tree: 428,
    open_tree_attr: 467,
    pivot_root: 41,
    setns: 268,
    umount2: 39,
  },
} satisfies Record<Architecture, Record<string, number>>;

/** Calls whose arguments decide. */
const ARGUMENT_CALLS = {
  x64: { clone: 56, clone3: 435, ioctl: 16, unshare: 272 },
  arm64: { clone: 220, clone3: 435, ioctl: 29, unshare: 97 },
} satisfies Record<Architecture, Record<string, number>>;

/** `AUDIT_ARCH_*` of linux/audit.h. */
const AUDIT_ARCHITECTURE = {
  x64: 0xc000003e,
  arm64: 0xc00000b7,
} satisfies Record<Architecture, number>;

export type SyscallTable = {
  audit: number;
  host: number[];
  namespaces: number[];
  clone: number;
  clone3: number;
  ioctl: number;
  unshare: number;
};

export function syscallTable(architecture: Architecture): SyscallTable {
  return {
    audit: AUDIT_ARCHITECTURE[architecture],
    host: Object.values(HOST_CALLS[architecture]),
    namespaces: Object.values(NAMESPACE_CALLS[architecture]),
    ...ARGUMENT_CALLS[architecture],
  };
}
