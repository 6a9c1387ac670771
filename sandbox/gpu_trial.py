"""Sees, in a confined process that runs no candidate, whether CUDA starts there: else every candidate would fail."""

import ctypes
import os
import threading
from collections.abc import Iterator

from sandbox.gpu import Gpu

SECONDS = 90.0  # a driver that is not kept awake wakes the cards first


def obstacles(gpu: Gpu) -> Iterator[str]:
    """What keeps CUDA from its cards in this process, or lets it see others. Starts CUDA."""
    os.environ |= gpu.environment(0)
    try:
        with open(f"/proc/self/task/{threading.get_native_id()}/comm", "wb") as name:
            name.write(b"cuda")
    except OSError as error:
        yield f"threads cannot be named, which CUDA insists on: {error}"
    for node in gpu.nodes:
        try:
            os.close(os.open(node, os.O_RDWR))
        except OSError as error:
            yield f"the device cannot be opened by the user that candidates are: {error}"
    if gpu.library is not None:
        yield from _start(gpu.library, n_cards=gpu.visible.count(",") + 1)


def _start(library: str, *, n_cards: int) -> Iterator[str]:
    try:
        cuda = ctypes.CDLL(library)
        status = cuda.cuInit(0)
        count = ctypes.c_int()
        status = status or cuda.cuDeviceGetCount(ctypes.byref(count))
    except (OSError, AttributeError) as error:
        yield f"the driver's library cannot be used: {error}"
        return
    if status != 0:
        yield f"CUDA does not start behind these walls, its error is {status}"
    elif not 1 <= count.value <= n_cards:
        yield f"CUDA sees {count.value} cards, expected {n_cards}"
