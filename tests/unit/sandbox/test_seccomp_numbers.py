"""The tables of system calls against the C headers, where this machine has them."""

import re
from pathlib import Path

import pytest

from sandbox.seccomp.syscalls import NUMBERS

FIRST_SHARED = 424
INTEL_HEADERS = (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h"))
GENERIC_HEADER = Path("/usr/include/asm-generic/unistd.h")
OTHER_NAMES = {"fstatat": "newfstatat"}
DEFINITION = re.compile(r"^#define\s+__NR(?:3264)?_(\w+)\s+(\d+)$", re.MULTILINE)


def read_header(path: Path) -> dict[str, int]:
    return {OTHER_NAMES.get(name, name): int(number) for name, number in DEFINITION.findall(path.read_text())}


def test_the_intel_table_is_the_headers() -> None:
    header = next((path for path in INTEL_HEADERS if path.exists()), None)
    if header is None:
        pytest.skip("no C headers for x86_64")
    theirs, ours = read_header(header), NUMBERS["x86_64"]

    assert {name: number for name, number in ours.items() if name in theirs and theirs[name] != number} == {}
    assert {name for name, number in theirs.items() if number < FIRST_SHARED} <= ours.keys()


def test_the_arm_table_is_the_generic_headers() -> None:
    if not GENERIC_HEADER.exists():
        pytest.skip("no generic C headers")
    theirs, ours = read_header(GENERIC_HEADER), NUMBERS["aarch64"]

    assert {name: number for name, number in ours.items() if name in theirs and theirs[name] != number} == {}
    assert {name for name, number in ours.items() if number < FIRST_SHARED} <= theirs.keys()


@pytest.mark.parametrize("machine", NUMBERS)
def test_no_number_has_two_names(machine: str) -> None:
    numbers = list(NUMBERS[machine].values())

    assert len(numbers) == len(set(numbers))


def test_new_calls_have_the_same_number_everywhere() -> None:
    new = [{name: number for name, number in numbers.items() if number >= FIRST_SHARED} for numbers in NUMBERS.values()]

    assert new[0]
    assert all(table == new[0] for table in new)
