"""A `nvidia-smi` that says what a test wants: machines with other cards than this one."""

from pathlib import Path

DRIVER = "580.95.05"
HEADS = (
    "index,uuid,memory.total,pci.bus_id,memory.used,utilization.gpu,driver_version,compute_mode,mig.mode.current,name"
)
H200 = (
    f"0, GPU-8f6a, 143771, 00000000:18:00.0, 4, 0, {DRIVER}, Default, Disabled, NVIDIA H200"  # as such a card answers
)
TWO = f"""\
1, GPU-bbbb, 81559, 00000000:2A:00.0, 80000, 97, {DRIVER}, Default, Disabled, NVIDIA H100 80GB HBM3
0, GPU-aaaa, 81559, 00000000:18:00.0, 12, 0, {DRIVER}, Default, Disabled, NVIDIA H100 80GB HBM3
"""
CUT = f"""\
0, GPU-aaaa, 143771, 00000000:18:00.0, [N/A], [N/A], {DRIVER}, Default, Enabled, NVIDIA H200
1, GPU-bbbb, 143771, 00000000:2A:00.0, 4, 0, {DRIVER}, Default, Disabled, NVIDIA H200
"""
CUT_LIST = """\
GPU 0: NVIDIA H200 (UUID: GPU-aaaa)
  MIG 3g.71gb     Device  0: (UUID: MIG-1111)
  MIG 1g.18gb     Device  1: (UUID: MIG-2222)
GPU 1: NVIDIA H200 (UUID: GPU-bbbb)
"""
_PART = """\
<mig_device><index>{place}</index><gpu_instance_id>{gi}</gpu_instance_id><compute_instance_id>0</compute_instance_id>
<device_attributes><shared><multiprocessor_count>{n}</multiprocessor_count></shared></device_attributes>
<fb_memory_usage><total>{total} MiB</total><reserved>0 MiB</reserved><used>{used} MiB</used></fb_memory_usage>
</mig_device>"""
CUT_REPORT = f"""\
<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log><driver_version>{DRIVER}</driver_version>
<gpu id="00000000:18:00.0"><mig_devices>{_PART.format(place=0, gi=2, n=60, total=71424, used=37)}
{_PART.format(place=1, gi=9, n=16, total=18000, used=12)}</mig_devices><uuid>GPU-aaaa</uuid></gpu>
<gpu id="00000000:2A:00.0"><mig_devices>None</mig_devices><uuid>GPU-bbbb</uuid></gpu>
</nvidia_smi_log>
"""


class MadeUpCards:
    """A folder with a `nvidia-smi`; put it first on PATH, or give `program` to who asks."""

    def __init__(self, folder: Path, cards: str = H200, *, listed: str = "", report: str = "") -> None:
        self.folder = folder / "made-up-cards"
        self.folder.mkdir()
        self.program = self.folder / "nvidia-smi"
        self.apps = self.folder / "apps"
        self.cards = self.folder / "cards"
        self.say(cards)
        self._replace(self.apps, "")
        (self.folder / "list").write_text(listed, encoding="utf-8")
        (self.folder / "report").write_text(report, encoding="utf-8")
        self.answer(
            f'case "$1" in --query-gpu=*) cat {self.cards};; --query-compute-apps=*) cat {self.apps};;\n'
            f"-L) cat {self.folder}/list;; -q) cat {self.folder}/report;; *) exit 9;; esac"
        )

    def say(self, cards: str) -> None:
        """From now on these are the cards."""
        self._replace(self.cards, cards)

    def answer(self, script: str) -> None:
        """From now on this shell script answers."""
        self._replace(self.program, f"#!/bin/sh\n{script}\n")
        self.program.chmod(0o755)

    def _replace(self, path: Path, text: str) -> None:
        """In one step: the old file may be being read, or executed."""
        other = self.folder / "next"
        other.write_text(text, encoding="utf-8")
        other.chmod(0o755)
        other.rename(path)
