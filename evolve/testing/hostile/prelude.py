"""What attacks import as `prelude`: raw system calls by name on two processors, and a way to try several steps."""

NAME = "prelude.py"

TEXT = '''
import ctypes, errno, fcntl, mmap, os, platform, resource, select, signal, socket, struct, sys, threading, time

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
IS_X86 = platform.machine() == "x86_64"
COMMON = dict(
    pidfd_send_signal=424, io_uring_setup=425, io_uring_enter=426, io_uring_register=427, open_tree=428,
    move_mount=429, fsopen=430, fsconfig=431, fsmount=432, pidfd_open=434, clone3=435, close_range=436, openat2=437,
    pidfd_getfd=438, faccessat2=439, process_madvise=440, mount_setattr=442, landlock_create_ruleset=444,
    landlock_add_rule=445, landlock_restrict_self=446, memfd_secret=447, process_mrelease=448,
)
X86 = dict(
    read=0, write=1, open=2, close=3, stat=4, mmap=9, mprotect=10, munmap=11, ioctl=16, shmget=29, shmat=30, shmctl=31,
    dup=32, getpid=39, socket=41, connect=42, sendto=44, recvfrom=45, sendmsg=46, recvmsg=47, shutdown=48, bind=49,
    listen=50, socketpair=53, clone=56, fork=57, vfork=58, execve=59, exit=60, kill=62, semget=64, semop=65, msgget=68,
    msgsnd=69, msgrcv=70, fcntl=72, flock=73, truncate=76, ftruncate=77, rename=82, mkdir=83, creat=85, link=86,
    unlink=87, symlink=88, readlink=89, chmod=90, chown=92, ptrace=101, syslog=103, setuid=105, setgid=106, setpgid=109,
    setsid=112, capset=126, mknod=133, personality=135, setpriority=141, sched_setscheduler=144, mlock=149,
    mlockall=151, pivot_root=155, prctl=157, arch_prctl=158, setrlimit=160, chroot=161, sync=162, acct=163,
    settimeofday=164, mount=165, umount2=166, swapon=167, reboot=169, sethostname=170, init_module=175, gettid=186,
    setxattr=188, tkill=200, sched_setaffinity=203, epoll_create=213, remap_file_pages=216, tgkill=234, mbind=237,
    mq_open=240, mq_unlink=241, mq_timedsend=242, mq_timedreceive=243, kexec_load=246, waitid=247, add_key=248,
    request_key=249, keyctl=250, ioprio_set=251, inotify_init=253, inotify_add_watch=254, migrate_pages=256,
    openat=257, mkdirat=258, mknodat=259, fchownat=260, unlinkat=263, renameat=264, linkat=265, symlinkat=266,
    fchmodat=268, faccessat=269, unshare=272, splice=275, tee=276, vmsplice=278, move_pages=279, utimensat=280,
    signalfd=282, timerfd_create=283, eventfd=284, fallocate=285, signalfd4=289, eventfd2=290, epoll_create1=291,
    pipe2=293, inotify_init1=294, perf_event_open=298, fanotify_init=300, fanotify_mark=301, prlimit64=302,
    name_to_handle_at=303, open_by_handle_at=304, clock_adjtime=305, syncfs=306, setns=308, process_vm_readv=310,
    process_vm_writev=311, kcmp=312, finit_module=313, sched_setattr=314, renameat2=316, seccomp=317, memfd_create=319,
    kexec_file_load=320, bpf=321, execveat=322, userfaultfd=323, membarrier=324, copy_file_range=326, pkey_alloc=330,
    statx=332, rseq=334, io_setup=206, io_submit=209, lookup_dcookie=212, quotactl=179, iopl=172, ioperm=173,
    modify_ldt=154, clock_settime=227, vhangup=153, getdents64=217, setresuid=117, setgroups=116,
)
ARM = dict(
    io_setup=0, io_submit=2, setxattr=5, lookup_dcookie=18, eventfd2=19, epoll_create1=20, dup=23, fcntl=25,
    inotify_init1=26, inotify_add_watch=27, ioctl=29, ioprio_set=30, flock=32, mknodat=33, mkdirat=34, unlinkat=35,
    symlinkat=36, linkat=37, renameat=38, umount2=39, mount=40, pivot_root=41, truncate=45, ftruncate=46, fallocate=47,
    faccessat=48, chroot=51, fchmodat=53, fchownat=54, openat=56, close=57, vhangup=58, pipe2=59, quotactl=60,
    getdents64=61, read=63, write=64, signalfd4=74, vmsplice=75, splice=76, tee=77, sync=81, timerfd_create=85,
    utimensat=88, acct=89, capset=91, personality=92, exit=93, waitid=95, unshare=97, kexec_load=104, init_module=105,
    clock_settime=112, syslog=116, ptrace=117, sched_setscheduler=119, sched_setaffinity=122, kill=129, tkill=130,
    tgkill=131, setpriority=140, reboot=142, setgid=144, setuid=146, setresuid=147, setpgid=154, setsid=157,
    setgroups=159, sethostname=161, setrlimit=164, prctl=167, settimeofday=170, getpid=172, gettid=178, mq_open=180,
    mq_unlink=181, mq_timedsend=182, mq_timedreceive=183, msgget=186, msgrcv=188, msgsnd=189, semget=190, semop=193,
    shmget=194, shmctl=195, shmat=196, socket=198, socketpair=199, bind=200, listen=201, connect=203, sendto=206,
    recvfrom=207, shutdown=210, sendmsg=211, recvmsg=212, munmap=215, add_key=217, request_key=218, keyctl=219,
    clone=220, execve=221, mmap=222, swapon=224, mprotect=226, mlock=228, mlockall=230, remap_file_pages=234, mbind=235,
    migrate_pages=238, move_pages=239, perf_event_open=241, prlimit64=261, fanotify_init=262, fanotify_mark=263,
    name_to_handle_at=264, open_by_handle_at=265, clock_adjtime=266, syncfs=267, setns=268, process_vm_readv=270,
    process_vm_writev=271, kcmp=272, finit_module=273, sched_setattr=274, renameat2=276, seccomp=277,
    memfd_create=279, bpf=280, execveat=281, userfaultfd=282, membarrier=283, copy_file_range=285, pkey_alloc=289,
    statx=291, rseq=293, kexec_file_load=294,
)
NUMBERS = COMMON | (X86 if IS_X86 else ARM)
AT_FDCWD = -100

def syscall(which, *arguments):
    """A raw system call, by name or number; raises OSError."""
    number = NUMBERS[which] if isinstance(which, str) else which
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *words)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(which))
    return result

def tries(*steps):
    """Run the steps one after another; what they return (unless None or False) was got, what they raise was not."""
    got, failed = [], []
    for step in steps:
        try:
            value = step()
        except BaseException as error:
            failed.append(f"{type(error).__name__}: {error}"[:200])
            continue
        if value is None or value is False:
            failed.append("nothing")
        else:
            got.append(value if isinstance(value, (int, float, str, list)) else str(value))
    return {"got": got, "failed": failed}

def read(path, size=65536):
    """What a file holds."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, size).decode("utf-8", "replace")
    finally:
        os.close(descriptor)

def write(path, text, flags=os.O_WRONLY | os.O_CREAT):
    """Write to a file, made if need be; says where."""
    descriptor = os.open(path, flags, 0o666)
    try:
        return os.write(descriptor, text.encode()) and path
    finally:
        os.close(descriptor)

def pages(path="/proc/self/maps"):
    """The readable parts of a process's memory, without those that the kernel lends."""
    with open(path) as file:
        lines = file.read().splitlines()
    for line in lines:
        words = line.split()
        if "r" in words[1] and not words[-1].startswith("[v"):
            low, high = (int(word, 16) for word in words[0].split("-"))
            yield low, high
'''
