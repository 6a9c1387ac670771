"""What an attack is, where it runs, and what is found out about it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

from sandbox.layers import Layer, Level
from sandbox.limits import MEBIBYTE, Limits


class Family(StrEnum):
    """What an attack is after."""

    NETWORK = "network"
    SECRETS = "secrets"
    OTHERS = "other candidates"
    FILES = "files"
    PROCESSES = "processes"
    RESOURCES = "resources"
    FORGING = "forging"


class Need(StrEnum):
    """What the machine must offer for an attack to succeed anywhere; without it, its success cannot be shown."""

    ROOT = "root"
    TRACING = "tracing of processes of the same user"
    X86_64 = "an x86-64 processor"
    INT80 = "32-bit system calls"
    IO_URING = "io_uring"
    VSOCK = "vsock"
    KEYRING = "kernel keyrings"
    KERNEL_LOG = "a readable kernel log"
    USER_NAMESPACES = "user namespaces"
    SYSV = "System V shared memory"
    MESSAGE_QUEUES = "POSIX message queues"
    ATTRIBUTES = "extended attributes"
    FILE_HANDLES = "file handles of the temporary folder"
    HARD_LINKS = "hard links to files of others"
    FILE_FLAGS = "flags of files"
    KERNEL_MEMORY = "the kernel's memory as a file"
    RAW_DISKS = "raw disks that root may open"
    MPTCP = "multipath TCP"
    KERNEL_CRYPTO = "sockets of the kernel's crypto"
    SYSRQ = "a writable SysRq trigger"
    BPF = "programs in the kernel"
    PERF = "performance counters"
    PAGE_FAULTS = "page faults handled by programs"
    SECRET_MEMORY = "secret memory"  # noqa: S105 a kind of memory
    LANDLOCK = "Landlock"
    KERNEL_SETTINGS = "writable settings of the kernel"
    CGROUPS = "writable cgroups"
    TWO_CPUS = "two processors"


class Visit(StrEnum):
    """Whether a second candidate comes; it has the same files, and its function `later(world)` is called."""

    NONE = "none"
    AFTER = "after"  # the first is gone
    BESIDE = "beside"  # the first still runs


@dataclass(frozen=True, slots=True)
class Configuration:
    """How candidates are run: by our sandbox without some layers, or the way peers do it."""

    name: str
    without: frozenset[Layer] = frozenset()
    is_peer: bool = False

    def __str__(self) -> str:
        """Its name."""
        return self.name


_NAMESPACES = frozenset(layer for layer in Layer if layer.endswith("-namespace"))
CURRENT = Configuration("CURRENT")
STRONG = Configuration("STRONG", _NAMESPACES)
NOOPEN = Configuration("NOOPEN", _NAMESPACES | {Layer.LANDLOCK})
BARE = Configuration(
    "BARE",
    _NAMESPACES
    | {
        Layer.LANDLOCK,
        Layer.SECCOMP,
        Layer.OWN_UID,
        Layer.MEMORY_CGROUP,
        Layer.MEMORY_WATCH,
        Layer.RESOURCE_LIMITS,
        Layer.NO_NEW_PRIVILEGES,
    },
)
PEER = Configuration("PEER", is_peer=True)


def alone(layer: Layer) -> Configuration:
    """Our sandbox with one layer, those that are always on, and what the layer itself stands on."""
    return Configuration(f"{layer} alone", BARE.without - {layer} - _STANDS_ON.get(layer, frozenset()))


_STANDS_ON = {
    Layer.SECCOMP: frozenset({Layer.NO_NEW_PRIVILEGES}),
    Layer.LANDLOCK: frozenset({Layer.NO_NEW_PRIVILEGES}),
    Layer.MOUNT_NAMESPACE: frozenset({Layer.PID_NAMESPACE}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an attack achieved. Only `answers`, `output` and `detail` are its own words; the rest was found outside.

    `answers` holds one value per call, then the second visitor's. `error` is the kind of failure that ended it, empty
    when it answered. `leaked` names the secrets found in anything it said. `damage` says what changed that must not:
    the engine, files, servers that were reached, processes left behind. `score` is what the evaluator gave it (no
    attack knows the right answer), `seconds` what it believes the last call took, `wall` what all of it took.
    """

    answers: tuple[Any, ...] = ()
    error: str = ""
    detail: str = ""
    output: str = ""
    leaked: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()
    score: float = 0.0
    seconds: float = 0.0
    wall: float = 0.0

    @property
    def got(self) -> list[Any]:
        """What the steps of the attack say they got; see `tries` in the prelude."""
        return [item for answer in self.answers if isinstance(answer, dict) for item in answer.get("got", [])]


def steps(*expressions: str, definitions: str = "") -> str:
    """The text of an attack that tries expressions one after another; they may use `world`."""
    tried = "".join(f"        lambda: {expression},\n" for expression in expressions)
    return f"from prelude import *\n{definitions}\ndef attack(world):\n    return tries(\n{tried}    )\n"


Judge: TypeAlias = Callable[[Outcome], bool]


def is_evident(outcome: Outcome) -> bool:
    """Outside evidence: a secret in its words, something changed, or a score. Always a breach, whatever else is."""
    return bool(outcome.leaked or outcome.damage or outcome.score > 0)


def is_claimed(outcome: Outcome) -> bool:
    """The attack says that a step worked; only for what leaves no trace outside."""
    return is_evident(outcome) or bool(outcome.got)


SMALL = Limits(
    wall_seconds=3.0,
    cpu_seconds=5.0,
    memory_bytes=128 * MEBIBYTE,
    output_bytes=16 * 1024,
    result_bytes=1 * MEBIBYTE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One hostile candidate.

    `text` is its entry file; it may start with `from prelude import *`. Its function `attack(world)` (or each of
    `calls`) is called with everything an attacker could know: see `world.World.knowledge`. `shown_in` is the weaker
    configuration in which it succeeds, so that the suite can fail; without one, `limit_only` says which limit or check
    stops it everywhere. `stopped_by` names the layers and mechanisms of which each alone is enough, as far as known.
    `not_promised` are the levels at which the attack may succeed; docs/security.md says why.
    """

    name: str
    family: Family
    text: str
    stopped_by: tuple[str, ...]
    breached: Judge = is_evident
    shown_in: Configuration | None = PEER
    limit_only: str = ""
    needs: tuple[Need, ...] = ()
    calls: tuple[str, ...] = ("attack",)
    visit: Visit = Visit.NONE
    limits: Limits = SMALL
    not_promised: frozenset[Level] = frozenset()

    def __str__(self) -> str:
        """Its name."""
        return self.name

    def patient(self) -> "Attack":
        """The same with a minute for each call, for a machine that stands still now and then."""
        return replace(self, limits=replace(self.limits, wall_seconds=max(self.limits.wall_seconds, 60.0)))

    def __post_init__(self) -> None:
        """Every attack is shown to succeed somewhere, or says why it cannot."""
        if (self.shown_in is None) != bool(self.limit_only):
            raise ValueError(f"{self.name}: give either shown_in or limit_only")
