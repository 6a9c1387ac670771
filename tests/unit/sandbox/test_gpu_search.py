"""What the controller finds out about graphics cards, on machines that are made up: this one need not have any."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.gpu import CONTEXT_BYTES, DriverPlaces, Gpu, GpuAccess, nodes_in, share_bytes
from sandbox.gpu_search import find_gpu
from sandbox.gpu_watch import used_bytes
from sandbox.limits import MEBIBYTE
from sandbox.nvidia_smi import ask
from tests.unit.sandbox.made_up_cards import CUT, CUT_LIST, CUT_REPORT, MadeUpCards

GIBIBYTE = 1024 * MEBIBYTE
TABLE = "0, GPU-zero, 81559, 00000000:18:00.0\n1, GPU-one, 40960, 00000001:AB:00.0\n"
STAND_INS = {"nvidia0": "full", "nvidia1": "random", "nvidiactl": "zero", "nvidia-uvm": "zero"}


class FakeMachine:
    """A folder with a driver's files, and a `nvidia-smi` that prints what two of its files say.

    Device files are links to the kernel's simplest devices, as only root can make others.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes = folder / "dev"
        self.proc = folder / "driver"
        self.pci = folder / "pci"
        for path in (self.nodes, self.proc, self.pci):
            path.mkdir()
        for name, device in STAND_INS.items():
            self.add_node(name, device)
        self.cards = folder / "cards.csv"
        self.cards.write_text(TABLE)
        self.processes = folder / "processes.csv"
        self.processes.write_text("")
        self.smi = folder / "nvidia-smi"
        self.script(
            f'case "$1" in --query-gpu=*) cat {self.cards};; --query-compute-apps=*) cat {self.processes};; esac'
        )

    def add_node(self, name: str, device: str) -> None:
        path = self.nodes / name
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(f"/dev/{device}")

    def add_minor(self, bus: str, minor: int) -> None:
        folder = self.proc / "nvidia" / "gpus" / bus
        folder.mkdir(parents=True)
        (folder / "information").write_text(f"Model: \t\t NVIDIA A\nBus Location: \t {bus}\nDevice Minor: \t {minor}\n")

    def script(self, text: str) -> None:
        other = self.folder / "next"  # a file that is being executed cannot be written
        other.write_text(f"#!/bin/sh\n{text}\n")
        other.chmod(0o755)
        other.rename(self.smi)

    def say_used(self, *rows: tuple[int, int | str]) -> None:
        """Let processes, by number, take so many MiB each."""
        other = self.folder / "next"
        other.write_text("".join(f"{pid}, {mebibytes}\n" for pid, mebibytes in rows))
        other.rename(self.processes)

    def access(self, *devices: int | str, library: str | None = None, same_pids: bool | None = True) -> GpuAccess:
        places = DriverPlaces(nodes=str(self.nodes), proc=str(self.proc), pci=str(self.pci), library=library)
        return GpuAccess(devices=devices or (0,), nvidia_smi=str(self.smi), same_pids=same_pids, places=places)


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


def names(nodes: tuple[str, ...]) -> list[str]:
    return [Path(node).name for node in nodes]


def test_cards_are_named_by_what_never_changes(machine: FakeMachine) -> None:
    gpu = find_gpu(machine.access(1, 0, 1))

    assert gpu.visible == "GPU-one,GPU-zero"
    assert gpu.memory_bytes == 40960 * MEBIBYTE


def test_only_the_files_of_the_cards_and_the_common_ones_are_used(machine: FakeMachine) -> None:
    gpu = find_gpu(machine.access(0))

    assert names(gpu.nodes) == ["nvidia0", "nvidiactl", "nvidia-uvm"]
    assert names(gpu.hidden_nodes) == ["nvidia1"]


def test_a_cards_file_may_have_another_number_than_the_card(machine: FakeMachine) -> None:
    machine.add_minor("0000:18:00.0", 1)
    machine.add_minor("0001:ab:00.0", 0)

    assert names(find_gpu(machine.access(0)).nodes)[0] == "nvidia1"
    assert names(find_gpu(machine.access(1)).nodes)[0] == "nvidia0"


def test_files_that_some_drivers_want_are_used_where_they_are(machine: FakeMachine) -> None:
    for name in ("nvidia-uvm-tools", "nvidia-modeset", *(f"nvidia-caps/nvidia-cap{n}" for n in (1, 2, 21, 30))):
        machine.add_node(name, "zero")

    gpu = find_gpu(machine.access(0))

    rights = {f"nvidia-cap{n}" for n in (1, 2, 21, 30)}  # of parts of cards, and this card is whole
    assert names(gpu.nodes)[3:] == ["nvidia-uvm-tools"]
    assert set(names(gpu.hidden_nodes)) == {"nvidia1", "nvidia-modeset", *rights}


@pytest.fixture
def cut(machine: FakeMachine) -> FakeMachine:
    """A machine whose first card is cut into two parts, each with two files that open it."""
    made_up = MadeUpCards(machine.folder, CUT, listed=CUT_LIST, report=CUT_REPORT)
    machine.smi = made_up.program
    rights = {"mig/gi2/access": 21, "mig/gi2/ci0/access": 22, "mig/gi9/access": 84, "mig/gi9/ci0/access": 85}
    for name, minor in rights.items():
        path = machine.proc / "nvidia" / "capabilities" / "gpu0" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"DeviceFileMinor: {minor}\nDeviceFileMode: 256\nDeviceFileModify: 1\n")
        machine.add_node(f"nvidia-caps/nvidia-cap{minor}", "zero")
    return machine


def test_a_part_of_a_card_comes_with_its_own_rights_and_no_others(cut: FakeMachine) -> None:
    gpu = find_gpu(cut.access("MIG-2222"))

    assert gpu.visible == "MIG-2222"
    assert names(gpu.nodes) == ["nvidia0", "nvidia-cap84", "nvidia-cap85", "nvidiactl", "nvidia-uvm"]
    assert names(gpu.hidden_nodes) == ["nvidia-cap21", "nvidia-cap22", "nvidia1"]
    assert gpu.memory_bytes == 18000 * MEBIBYTE


def test_the_number_of_a_card_that_is_cut_means_its_first_part(cut: FakeMachine) -> None:
    assert find_gpu(cut.access(0)).visible == "MIG-1111"
    assert find_gpu(cut.access(1)).visible == "GPU-bbbb"


def test_a_part_whose_rights_cannot_be_told_from_others_is_not_given(cut: FakeMachine) -> None:
    access = cut.proc / "nvidia" / "capabilities" / "gpu0" / "mig" / "gi9" / "ci0" / "access"
    access.write_text("DeviceFileMode: 256\n")
    with pytest.raises(SandboxError, match="the device files of the part MIG-2222 cannot be told from others"):
        find_gpu(cut.access("MIG-2222"))

    access.unlink()
    with pytest.raises(SandboxError, match="the device files of the part MIG-2222 cannot be told from others"):
        find_gpu(cut.access("MIG-2222"))


def test_a_card_without_the_parts_it_should_have_is_no_card(cut: FakeMachine) -> None:
    (cut.smi.parent / "list").write_text("GPU 0: NVIDIA H200 (UUID: GPU-aaaa)\n")

    with pytest.raises(SandboxError, match=r"GPU 0 is set to be cut \(MIG\) and has no parts"):
        find_gpu(cut.access(0))


@pytest.mark.parametrize(("share", "left"), [(0.25, 143771 * MEBIBYTE // 4 - CONTEXT_BYTES), (1.0, 0)])
def test_a_share_of_a_card_is_a_limit_of_memory(machine: FakeMachine, share: float, left: int) -> None:
    machine.cards.write_text("0, GPU-zero, 143771, 00000000:18:00.0\n")
    access = replace(machine.access(0), memory_share=share)

    assert share_bytes(find_gpu(access), access) == left


def test_memory_that_nobody_knows_has_no_shares(machine: FakeMachine) -> None:
    machine.cards.write_text("0, GPU-zero, [N/A], 00000000:18:00.0\n")
    access = replace(machine.access(0), memory_share=0.25)

    assert share_bytes(find_gpu(access), access) == 0


def test_a_share_too_small_for_cuda_itself_is_refused(machine: FakeMachine) -> None:
    machine.cards.write_text("0, GPU-zero, 4096, 00000000:18:00.0\n")
    access = replace(machine.access(0), memory_share=0.25)

    with pytest.raises(SandboxError, match=r"0\.25 of a card with 4096 MiB is less than CUDA itself may take"):
        share_bytes(find_gpu(access), access)


def test_a_card_is_looked_up_on_the_bus_under_the_kernels_name(machine: FakeMachine) -> None:
    real = machine.folder / "devices" / "0001:ab:00.0"
    real.mkdir(parents=True)
    (machine.pci / "0001:ab:00.0").symlink_to(real)

    folders = find_gpu(machine.access(1)).folders

    assert folders[:2] == (str(machine.pci), str(real))
    assert all(os.path.isdir(folder) for folder in folders)
    assert str(real) not in find_gpu(machine.access(0)).folders


def test_the_drivers_own_folders_of_proc_are_read_and_no_others(machine: FakeMachine) -> None:
    for name in ("nvidia", "nvidia-uvm", "rtc"):
        (machine.proc / name).mkdir()

    files = find_gpu(machine.access(0)).files

    assert [Path(name).name for name in files if name.startswith(str(machine.proc))] == ["nvidia", "nvidia-uvm"]
    assert not {"/", "/proc", "/proc/self", "/proc/kallsyms", "/proc/cmdline"} & set(files)


def test_what_a_server_is_told_survives_the_way_there(machine: FakeMachine) -> None:
    gpu = find_gpu(machine.access(0, 1))

    assert Gpu.from_plain(json.loads(json.dumps(asdict(gpu)))) == gpu


def test_without_a_driver_there_is_advice(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"there is no 'no-such-smi', so no NVIDIA driver: .* do without"):
        find_gpu(GpuAccess(nvidia_smi="no-such-smi"))
    with pytest.raises(SandboxError, match="does not answer"):
        find_gpu(GpuAccess(nvidia_smi=str(tmp_path)))


def test_a_driver_that_does_not_work_is_quoted(machine: FakeMachine) -> None:
    machine.script(
        "echo 'NVIDIA-SMI has failed because it could not communicate with the driver'; echo more >&2; exit 9"
    )

    with pytest.raises(SandboxError, match=r"found no working driver \(NVIDIA-SMI has failed .*driver\nmore\)"):
        find_gpu(machine.access(0))


def test_a_driver_that_hangs_is_given_up(machine: FakeMachine) -> None:
    machine.script("exec sleep 600")

    with pytest.raises(SandboxError, match="does not answer"):
        ask(str(machine.smi), "--query-gpu=index", seconds=0.1)


@pytest.mark.parametrize("row", ["nobody knows", "0, GPU-zero, 1", "zero, GPU-zero, 1, 00:00", "0, GPU-zero, 1, bus"])
def test_a_table_that_nobody_understands_is_shown(machine: FakeMachine, row: str) -> None:
    machine.cards.write_text(row)

    with pytest.raises(SandboxError, match="says what nobody understands"):
        find_gpu(machine.access(0))


def test_a_card_that_is_not_there_is_told_from_those_that_are(machine: FakeMachine) -> None:
    with pytest.raises(SandboxError, match=r"there is no GPU 7: nvidia-smi shows 0, 1; set GpuAccess.devices"):
        find_gpu(machine.access(0, 7))
    machine.cards.write_text("")
    with pytest.raises(SandboxError, match="there is no GPU 0: nvidia-smi shows none"):
        find_gpu(machine.access(0))


def test_at_least_one_card_has_to_be_named(machine: FakeMachine) -> None:
    access = GpuAccess(devices=(), nvidia_smi=str(machine.smi))

    with pytest.raises(SandboxError, match="there is no GPU named: nvidia-smi shows 0, 1"):
        find_gpu(access)


@pytest.mark.parametrize("name", ["nvidia0", "nvidiactl", "nvidia-uvm"])
def test_a_missing_device_file_is_named_with_those_that_are_there(machine: FakeMachine, name: str) -> None:
    (machine.nodes / name).unlink()

    with pytest.raises(SandboxError, match=rf"{name} is missing, there are .*nvidia1.*nvidia-modprobe"):
        find_gpu(machine.access(0))


def test_a_plain_file_is_no_device(machine: FakeMachine) -> None:
    (machine.nodes / "nvidia0").unlink()
    (machine.nodes / "nvidia0").write_text("")

    with pytest.raises(SandboxError, match="nvidia0 is missing"):
        find_gpu(machine.access(0))
    assert "nvidia0" not in names(nodes_in(str(machine.nodes)))


def test_a_machine_without_cards_has_no_device_files(tmp_path: Path) -> None:
    assert nodes_in(str(tmp_path)) == ()
    assert nodes_in(str(tmp_path / "missing")) == ()


# what candidates are told


def gpu_of(memory_bytes: int, *, limits_torch: bool = True) -> Gpu:
    return Gpu(
        visible="GPU-zero",
        nodes=(),
        hidden_nodes=(),
        folders=(),
        files=(),
        memory_bytes=memory_bytes,
        limits_torch=limits_torch,
        library=None,
    )


@given(st.integers(1, 1 << 40), st.integers(1, 1 << 40))
def test_torch_is_told_its_share_of_the_card(limit: int, size: int) -> None:
    told = gpu_of(size).environment(limit)

    name, _, fraction = told["PYTORCH_CUDA_ALLOC_CONF"].partition(":")
    assert name == "per_process_memory_fraction"
    assert 0.0 <= float(fraction) <= 1.0
    assert abs(float(fraction) - min(1.0, limit / size)) < 1e-6


@pytest.mark.parametrize(
    "told",
    [
        gpu_of(GIBIBYTE).environment(0),
        gpu_of(0).environment(GIBIBYTE),
        gpu_of(GIBIBYTE, limits_torch=False).environment(GIBIBYTE),
    ],
    ids=["no limit", "size unknown", "torch too old"],
)
def test_torch_is_told_nothing_that_is_not_known(told: dict[str, str]) -> None:
    assert told == {"CUDA_VISIBLE_DEVICES": "GPU-zero", "CUDA_CACHE_DISABLE": "1"}


def test_a_card_without_memory_of_its_own_has_no_known_size(machine: FakeMachine) -> None:
    machine.cards.write_text("0, GPU-zero, [N/A], 0000000F:01:00.0\n")

    assert find_gpu(machine.access(0)).memory_bytes == 0


# what processes take


def test_the_memory_of_a_process_is_added_up_over_its_cards() -> None:
    table = [["10", "100"], ["11", "5"], ["10", "28"]]

    assert used_bytes(table) == {10: 128 * MEBIBYTE, 11: 5 * MEBIBYTE}


@pytest.mark.parametrize("table", [[["10", "[N/A]"], ["10", "5"]], [["10", "5"], ["10", "[N/A]"]]])
def test_memory_that_the_driver_does_not_tell_is_unknown_and_not_nothing(table: list[list[str]]) -> None:
    assert used_bytes(table) == {10: None}


@pytest.mark.parametrize("row", [["[Not Found]", "5"], ["10"], ["10", "5", "6"], ["-1", "5"]])
def test_a_process_that_nobody_understands_is_no_process(row: list[str]) -> None:
    with pytest.raises(SandboxError, match="nobody understands"):
        used_bytes([row])


def test_an_idle_card_has_no_processes(machine: FakeMachine) -> None:
    assert ask(str(machine.smi), "--query-compute-apps=pid,used_gpu_memory") == []
    machine.say_used((10, 5), (11, "[N/A]"))
    assert ask(str(machine.smi), "--query-compute-apps=pid,used_gpu_memory") == [["10", "5"], ["11", "[N/A]"]]
