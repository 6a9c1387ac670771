"""What Triton needs before candidates come; the driver of a card is played by a library of the test's own."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.triton_inside import ScratchCache
from tests.extent import ALL_TESTS

no_triton = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="there is no triton")
no_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no C compiler")
everything = pytest.mark.skipif(not ALL_TESTS, reason="seconds of compiling: only with EVOLVE_ALL_TESTS=1")

DRIVER = """
#include <stdio.h>
#include <string.h>
int cuDriverGetVersion(int *version) { *version = 12040; return 0; }
int cuModuleLoadData(void **module, const char *text) {
  FILE *file = fopen("loaded", "w");
  fwrite(text, 1, strlen(text), file);
  fclose(file);
  *module = (void *)1;
  return 0;
}
"""
PROGRAM = """
import json, subprocess
from sandbox.triton_inside import set_up
set_up(has_card=True)
import triton
import triton.language as tl

def refused(*args, **named):
    raise PermissionError("a program was started")
subprocess.Popen = refused
from triton.backends.compiler import GPUTarget
from triton.backends.nvidia.driver import CudaUtils
from triton.compiler import ASTSource

@triton.jit
def double(x, n, BLOCK: tl.constexpr):
    places = tl.arange(0, BLOCK)
    tl.store(x + places, tl.load(x + places, mask=places < n) * 2, mask=places < n)

source = ASTSource(double, {"x": "*fp32", "n": "i32", "BLOCK": "constexpr"}, {"BLOCK": 32})
kernel = triton.compile(source, target=GPUTarget("cuda", 90, 32))
CudaUtils().load_binary(kernel.name, kernel.kernel, kernel.metadata.shared, 0)
print(json.dumps({"interpret": triton.knobs.runtime.interpret, "ptx": kernel.kernel.decode()}))
"""


@everything
@no_triton
@no_compiler
def test_the_driver_is_given_text_that_it_can_read_and_nothing_is_started_once_all_is_set_up(tmp_path: Path) -> None:
    # given: a driver that knows PTX up to that of CUDA 12.4, and takes whatever it is given
    spec = importlib.util.find_spec("triton.backends.nvidia")
    assert spec is not None
    assert spec.submodule_search_locations
    text = Path(next(iter(spec.submodule_search_locations)), "driver.c").read_text()
    names = set(re.findall(r"\b(cu[A-Z]\w+)", text)) - {"cuDriverGetVersion", "cuModuleLoadData"}
    (tmp_path / "driver.c").write_text(DRIVER + "".join(f"int {name}() {{ return 0; }}\n" for name in sorted(names)))
    library = tmp_path / "libcuda.so.1"
    subprocess.run(["gcc", "-w", "-shared", "-fPIC", "-o", library, tmp_path / "driver.c"], check=True, timeout=120)
    (tmp_path / "program.py").write_text(PROGRAM)
    # when
    done = subprocess.run(
        [sys.executable, tmp_path / "program.py"],
        env={"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    # then
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["interpret"] is False
    assert told["ptx"] == (tmp_path / "loaded").read_text() + "\0"
    assert ".version 8.4\n" in told["ptx"]


def test_files_of_a_kernel_are_found_again_and_those_of_another_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cache = ScratchCache("A" * 52)
    # when
    path = cache.put("text", "kernel.ptx")
    cache.put_group("kernel.json", {"kernel.ptx": path})
    # then
    assert Path(path).read_text() == "text"
    assert cache.get_file("kernel.ptx") == path
    assert ScratchCache("A" * 52).get_group("kernel.json") == {"kernel.ptx": path}
    assert ScratchCache("B" * 52).get_group("kernel.json") is None


def test_a_full_scratch_folder_is_told_as_such_and_one_that_is_missing_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    # when / then
    with pytest.raises(FileNotFoundError):
        ScratchCache("A").put("text", "kernel.ptx")
