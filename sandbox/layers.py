"""The layers of isolation, and the level that a set of them reaches."""

from collections.abc import Set
from enum import StrEnum


class Layer(StrEnum):
    """One thing that confines a candidate's process; the values are stable words for records and commands."""

    CLEAN_ENVIRONMENT = "clean-environment"
    CLOSED_DESCRIPTORS = "closed-descriptors"
    OWN_SESSION = "own-session"
    PARENT_DEATH_SIGNAL = "parent-death-signal"
    NO_NEW_PRIVILEGES = "no-new-privileges"
    RESOURCE_LIMITS = "resource-limits"
    MEMORY_WATCH = "memory-watch"
    MEMORY_CGROUP = "memory-cgroup"
    OWN_UID = "own-uid"
    USER_NAMESPACE = "user-namespace"
    MOUNT_NAMESPACE = "mount-namespace"
    PID_NAMESPACE = "pid-namespace"
    NETWORK_NAMESPACE = "network-namespace"
    IPC_NAMESPACE = "ipc-namespace"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"


class Level(StrEnum):
    """How much isolation there is, one word stored with every evaluation. See docs/security.md.

    `FULL` has namespaces, Landlock and a system-call filter. `STRONG` works in containers without privileges: the
    filter, and Landlock or an own file tree. `NOOPEN` has the filter alone, which then refuses to open any file. `WEAK`
    is processes and limits: nothing keeps a hostile program from the files and processes of the user.
    """

    FULL = "FULL"
    STRONG = "STRONG"
    NOOPEN = "NOOPEN"
    WEAK = "WEAK"


BASIC = frozenset(
    (
        Layer.CLEAN_ENVIRONMENT,
        Layer.CLOSED_DESCRIPTORS,
        Layer.OWN_SESSION,
        Layer.PARENT_DEATH_SIGNAL,
        Layer.NO_NEW_PRIVILEGES,
        Layer.RESOURCE_LIMITS,
        Layer.MEMORY_WATCH,
    )
)
"""What every level above `WEAK` has, on any Linux."""

NAMESPACES = frozenset((Layer.MOUNT_NAMESPACE, Layer.PID_NAMESPACE, Layer.NETWORK_NAMESPACE, Layer.IPC_NAMESPACE))


def level_of(layers: Set[Layer]) -> Level:
    """The level that these active layers reach."""
    if Layer.SECCOMP not in layers or not layers >= BASIC:
        return Level.WEAK
    if Layer.LANDLOCK in layers and layers >= NAMESPACES:
        return Level.FULL
    if Layer.LANDLOCK in layers or Layer.MOUNT_NAMESPACE in layers:
        return Level.STRONG
    return Level.NOOPEN
