"""The warm fork server: imports once, forks a confined child for each session, kills and buries them.

It is a process of its own, started with a clean environment. No candidate text, argument or answer ever passes through
its memory: it receives the ends of three pipes and hands them to the child. It is the only parent of candidates and
adopts whatever they leave behind, so every process in its care is either a session's leader or a runaway to be killed.

Messages are JSON over a sequenced-packet socket: `start` (with three to five descriptors), `stop` and `blame`, each
with a number. Each gets one reply with its number, in any order: nobody waits for the slow death of another's child.
"""

import gc
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from sandbox import child, namespaces, triton_inside
from sandbox.cgroups import CgroupSlots, CgroupUnavailable
from sandbox.children import Children
from sandbox.filetree import SCRATCH, library_paths, stand_in_private_tree
from sandbox.gpu import Gpu
from sandbox.jail import be_killed_first
from sandbox.kernel import PR_SET_CHILD_SUBREAPER, prctl
from sandbox.layers import Layer, Level, level_of
from sandbox.orphans import kill_orphans
from sandbox.place import Place, make_folder
from sandbox.plan import ACTIVE, FORCED_OFF, choose_layers, measured_jail, refusal, tried_jail
from sandbox.selftest import SelfTestError, test_jail
from sandbox.watch import POLL_SECONDS, Birth, birth_of

N_DESCRIPTORS = 3
MOST_DESCRIPTORS = N_DESCRIPTORS + 2  # shared memory of the machine, and of a card
MESSAGE_BYTES = 65536
CHECK_SECONDS = 1.0

# Where no file can be opened, a candidate finds just these and what they import.
PRELOADED_WITHOUT_FILES = (
    "array", "bisect", "cmath", "collections", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions",
    "functools", "hashlib", "heapq", "itertools", "json", "math", "operator", "random", "re", "statistics", "string",
    "struct", "textwrap", "threading", "time", "traceback", "typing", "unicodedata", "zlib",
    "concurrent.futures.thread", "ctypes", "linecache", "tokenize",
    "numpy.fft", "numpy.linalg", "numpy.ma", "numpy.polynomial", "numpy.random",
)  # fmt: skip


def main(control_descriptor: int) -> None:
    """Serve until the controller is gone or closes its end of the socket."""
    control = socket.socket(fileno=control_descriptor)
    _, most = resource.getrlimit(resource.RLIMIT_DATA)  # an evaluator's own limit is not its candidates'
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    config = json.loads(control.recv(MESSAGE_BYTES))
    controller_pid = os.getppid()
    try:
        gpu = Gpu.from_plain(config["gpu"]) if config["gpu"] else None
        reasons = choose_layers({Layer(name) for name in config["without"]}, for_gpu=gpu is not None)
        layers = frozenset(layer for layer, reason in reasons.items() if reason == ACTIVE)
        if gpu is not None and (why := refusal(layers, reasons)) is not None:
            control.send(json.dumps({"error": why}).encode())
            return
        if level_of(layers) is Level.WEAK and not config["unsafe"]:
            control.send(json.dumps({"weak": reasons}).encode())
            return
        own_pids = namespaces.enter(layers - {Layer(name) for name in config["sabotage"]}, controller_pid)
        children = _prepare(config, reasons, layers, own_pids, gpu)
        control.send(json.dumps(_ready(children, reasons)).encode())
    except ModuleNotFoundError as error:
        control.send(json.dumps({"missing": error.name}).encode())
        return
    except (ImportError, OSError, SelfTestError) as error:
        control.send(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        return
    _leave_streams()
    try:
        _serve(control, children, os.getppid())
    finally:
        children.end()


def _prepare(
    config: dict[str, Any],
    reasons: dict[Layer, str],
    layers: frozenset[Layer],
    own_pids: int | None,
    gpu: Gpu | None,
) -> Children:
    """Import what children will need, fix the random state they inherit, build the jail and test it."""
    outside = config["namespaces"]
    if "triton" in config["preload"]:
        triton_inside.set_up(has_card=gpu is not None)
    _preload(config["preload"])
    if level_of(layers) is Level.NOOPEN:
        _preload(PRELOADED_WITHOUT_FILES)
    np.random.seed(0)  # noqa: NPY002 each candidate starts from the same state, so that runs replay
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # children inherit it
    _refuse_threads()
    _refuse_shared_memory()
    if gpu is not None:
        _refuse_cards_in_use(gpu)
    place = Place(proc=os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), own_pids=own_pids)
    be_killed_first(place.proc)
    skipped = frozenset(Layer(name) for name in config["sabotage"])
    groups = _open_groups(config, reasons)
    layers |= {Layer.MEMORY_CGROUP} if groups is not None else frozenset()
    jail = measured_jail(layers, skipped=skipped, token=config["token"], gpu=gpu)
    paths = tuple(dict.fromkeys((*library_paths(), *(gpu.folders if gpu is not None else ()))))
    if jail.does(Layer.MOUNT_NAMESPACE):
        stand_in_private_tree(paths, jail.devices, shows_processes=gpu is not None)
    else:
        place.folder = make_folder(for_others=jail.does(Layer.OWN_UID))
    jail = tried_jail(jail, paths)
    reasons |= dict.fromkeys(layers - jail.layers, "the interpreter's files cannot be read with another uid")
    child.look_like_a_fresh_interpreter(is_clean=jail.does(Layer.CLEAN_ENVIRONMENT))
    if place.folder is None:
        child.live_in(SCRATCH)
    gc.collect()
    gc.freeze()
    gc.disable()
    children = Children(jail=jail, place=place, birth=_birth(place), groups=groups)
    try:
        test_jail(children, outside=outside)
    except (OSError, SelfTestError):
        children.end()
        raise
    return children


def _ready(children: Children, reasons: dict[Layer, str]) -> dict[str, Any]:
    """What the controller is told."""
    jail, place = children.jail, children.place
    return {
        "layers": {layer: reasons[layer] for layer in Layer},
        "pid": int(os.readlink("self", dir_fd=place.proc)),
        "folder": None if place.folder is None else str(place.folder),
        "first_uid": jail.first_uid,
        "reads_all_files": jail.reads_all_files,
    }


def _open_groups(config: dict[str, Any], reasons: dict[Layer, str]) -> CgroupSlots | None:
    """The control groups of sessions, unless they cannot be had or are not wanted."""
    if Layer.MEMORY_CGROUP in config["without"]:
        reasons[Layer.MEMORY_CGROUP] = FORCED_OFF
        return None
    try:
        groups = CgroupSlots.open(config["token"])
    except CgroupUnavailable as error:
        reasons[Layer.MEMORY_CGROUP] = str(error)
        return None
    reasons[Layer.MEMORY_CGROUP] = ACTIVE
    return groups


def _preload(names: Sequence[str]) -> None:
    """Import by name; torch with the part of it that every optimizer imports late, which takes a second."""
    for name in names:
        importlib.import_module(name)
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = "/"  # else it makes a folder at once
        importlib.import_module("torch._dynamo")
        torch.backends.cpu.get_cpu_capability()  # read from /proc, which children do not have


def _birth(place: Place) -> Birth:
    """What children hold when they are born, told by one that does nothing."""
    gate, open_gate = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(open_gate)
        os.read(gate, 1)
        os._exit(0)
    try:
        return birth_of(place.proc, pid)
    finally:
        os.close(gate)
        os.close(open_gate)
        os.waitpid(pid, 0)


def _refuse_threads() -> None:
    """A process with threads cannot be forked safely: locks that they hold stay locked in every child."""
    names = os.listdir("/proc/self/task")
    if len(names) > 1:
        raise ImportError(f"a preloaded module started {len(names) - 1} threads; it cannot be preloaded")


def _refuse_cards_in_use(gpu: Gpu) -> None:
    """CUDA that was started before a fork does not work behind it."""
    nodes = {os.path.realpath(node) for node in gpu.nodes}
    opened = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the one that lists them is gone
            opened.add(os.readlink(f"/proc/self/fd/{name}"))
    if opened & nodes:
        raise ImportError("a preloaded module uses the graphics card when it is imported; it cannot be preloaded")


def _refuse_shared_memory() -> None:
    """Memory that is shared and can be written would be one for all candidates."""
    shared = [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if " rw-s " in line]
    if shared:
        raise ImportError(f"a preloaded module shares memory ({shared[0]}); it cannot be preloaded")


def _leave_streams() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _serve(control: socket.socket, children: Children, controller_pid: int) -> None:
    """Answer the controller; look after children; return when the controller is gone."""
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        next_look = 0.0
        while os.getppid() == controller_pid:
            events = selector.select(POLL_SECONDS if children.has_watched else CHECK_SECONDS)
            if time.monotonic() >= next_look:
                children.look()
                next_look = time.monotonic() + POLL_SECONDS
            if not events and not children.are_alone:
                kill_orphans(children.leaders)
            for key, _ in events:
                if key.fd == wake_read:
                    with suppress(BlockingIOError):
                        os.read(wake_read, MESSAGE_BYTES)
                    for request, ending in children.bury():
                        _reply(control, request, ending)
                elif not _answer(control, children):
                    return


def _answer(control: socket.socket, children: Children) -> bool:
    """Read one message, do what it asks, reply unless that takes time; False when the controller closed."""
    try:
        data, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, MOST_DESCRIPTORS)
    except ConnectionError:
        return False
    if not data:
        return False
    message = json.loads(data)
    reply: dict[str, Any] | None
    try:
        if message["op"] == "start" and len(descriptors) != (n_sent := _n_descriptors(message["limits"])):
            reply = {"error": f"{len(descriptors)} of {n_sent} descriptors arrived: too many files are open"}
        elif message["op"] == "start":
            reply = children.start(message["limits"], descriptors)
        elif message["op"] == "blame":
            reply = children.blame(message["session"], message["limit"], message["used"])
        else:
            reply = children.stop(message["session"], message["number"])
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    return reply is None or _reply(control, message["number"], reply)


def _n_descriptors(limits: dict[str, Any]) -> int:
    return N_DESCRIPTORS + bool(limits["shared_bytes"]) + bool(limits["gpu_shared_bytes"])


def _reply(control: socket.socket, number: int, reply: dict[str, Any]) -> bool:
    """Answer a request; False when the controller closed."""
    try:
        control.send(json.dumps([number, reply]).encode())
    except ConnectionError:
        return False
    return True
