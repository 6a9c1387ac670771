"""Memory of a card between two processes; the card's driver is played by a library of the test's own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sandbox.card_memory import LIBRARY, CardArray, CardMemory
from sandbox.errors import SandboxError
from sandbox.wire import HEADER, PlainDataError, decode, encode
from tests.extent import ALL_TESTS

no_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no C compiler")
everything = pytest.mark.skipif(not ALL_TESTS, reason="it compiles, and starts a sandbox: only with EVOLVE_ALL_TESTS=1")

DRIVER = """
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>
typedef unsigned long long word;
int cuInit(unsigned flags) { return 0; }
int cuDeviceGet(int *card, int number) { *card = number; return 0; }
int cuDevicePrimaryCtxRetain(void **context, int card) { *context = (void *)1; return 0; }
int cuCtxSetCurrent(void *context) { return context == (void *)1 ? 0 : 201; }
int cuMemGetAllocationGranularity(size_t *step, const int *wanted, int option) {
  *step = 2 << 20;
  return wanted[0] == 1 && wanted[1] == 1 && wanted[2] == 1 && wanted[3] == 0 ? 0 : 1;
}
int cuMemCreate(word *handle, size_t size, const int *wanted, word flags) {
  int file = memfd_create("card", 0);
  *handle = file;
  return size % (2 << 20) || flags || ftruncate(file, size) ? 2 : 0;
}
int cuMemExportToShareableHandle(int *descriptor, word handle, int kind, word flags) {
  *descriptor = dup((int)handle);
  return kind == 1 && flags == 0 ? 0 : 1;
}
int cuMemImportFromShareableHandle(word *handle, void *descriptor, int kind) {
  *handle = dup((int)(word)descriptor);
  return kind == 1 && (int)*handle >= 0 ? 0 : 1;
}
int cuMemAddressReserve(word *place, size_t size, size_t alignment, word address, word flags) {
  *place = (word)mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return 0;
}
int cuMemMap(word place, size_t size, size_t offset, word handle, word flags) {
  return mmap((void *)place, size, PROT_NONE, MAP_SHARED | MAP_FIXED, (int)handle, offset) == MAP_FAILED;
}
int cuMemSetAccess(word place, size_t size, const int *access, size_t count) {
  return count == 1 && access[0] == 1 && access[2] == 3 ? mprotect((void *)place, size, 3) : 1;
}
int cuMemUnmap(word place, size_t size) { return munmap((void *)place, size); }
int cuMemAddressFree(word place, size_t size) { return 0; }
int cuMemRelease(word handle) { return close((int)handle); }
"""
PROGRAM = '''
import ctypes, json
import numpy as np
from sandbox.layers import Layer
from sandbox.limits import MEBIBYTE, Limits
from sandbox.process import ProcessSandbox

CANDIDATE = """
import ctypes, sys
import numpy as np

class Torch:  # a real one would want a real card
    @staticmethod
    def as_tensor(exposed, device):
        told = exposed.__cuda_array_interface__
        address, is_read_only = told["data"]
        n = int(np.prod(told["shape"]))
        kind = np.dtype(told["typestr"])
        memory = (ctypes.c_char * (n * kind.itemsize)).from_address(address)
        return np.frombuffer(memory, kind).reshape(told["shape"])

sys.modules["torch"] = Torch

def double(x, out):
    out[...] = 2 * x
"""

def values(array):
    memory = (ctypes.c_float * int(np.prod(array.shape))).from_address(array.address)
    return np.frombuffer(memory, np.float32).reshape(array.shape)

limits = Limits(shared_bytes=MEBIBYTE, gpu_shared_bytes=MEBIBYTE, n_processes=4)
outside = {Layer.SECCOMP}  # which lets memory be shared only for a real card
with ProcessSandbox(limits=limits, without=outside, unsafe=True, n_parked=0) as sandbox:
    session = sandbox.start({"seed.py": CANDIDATE})
    x, out = session.card.array((3, 4)), session.card.array((3, 4))
    values(x)[...] = np.arange(12).reshape(3, 4)
    session.pause()
    taken = session.timed("double", x, out)
    after = values(out).tolist()
    session.close()
print(json.dumps({"after": after, "is_longer_than_nothing": taken.wall_seconds > 0, "offsets": [x.offset, out.offset]}))
'''


@everything
@no_compiler
def test_what_the_judge_writes_into_a_card_the_candidate_finds_there_and_the_other_way_round(tmp_path: Path) -> None:
    # given
    (tmp_path / "driver.c").write_text(DRIVER)
    command: list[str | Path] = ["gcc", "-shared", "-fPIC", "-o", tmp_path / LIBRARY, tmp_path / "driver.c"]
    subprocess.run(command, check=True, timeout=120)
    (tmp_path / "program.py").write_text(PROGRAM)
    tmp_path.chmod(0o755)  # the candidate is another user
    # when
    done = subprocess.run(
        [sys.executable, tmp_path / "program.py"],
        env={"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    # then
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["after"] == (2.0 * np.arange(12)).reshape(3, 4).tolist()
    assert told["offsets"] == [0, 4096]
    assert told["is_longer_than_nothing"]


def test_without_a_driver_it_is_said_that_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr("sandbox.card_memory.LIBRARY", "libcuda-that-is-not-there.so")
    # when / then
    with pytest.raises(SandboxError, match="memory of a card cannot be shared: libcuda-that-is-not-there"):
        CardMemory(1)


def test_an_array_on_a_card_travels_by_its_place_and_only_where_there_is_a_card() -> None:
    # given
    message = bytearray(encode(["call", "f", [CardArray((2, 3), np.dtype("<f4"), 4096, 7 << 30)]]))
    tag, body = message[HEADER.size - 1], message[HEADER.size :]
    # when
    value = decode(tag, body, card=lambda dtype, shape, offset: [dtype.str, shape, offset])
    # then
    assert value == ["call", "f", [["<f4", [2, 3], 4096]]]
    with pytest.raises(PlainDataError):
        decode(tag, body)
