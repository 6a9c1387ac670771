"""What a report and tables of a run cost: seconds, memory, size.

    python benchmarks/report.py RUN

RUN is the folder of any run; `benchmarks/long_run.py` writes one of 1,000,000 candidates. Every line is a command in a
process of its own.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMANDS = (
    ("report", ("report",), "report.html"),
    ("csv, without texts", ("export", "--no-texts"), "table.csv"),
    ("jsonl, without texts", ("export", "--no-texts"), "table.jsonl"),
    ("jsonl", ("export",), "table.jsonl"),
    ("parquet", ("export",), "table.parquet"),
    ("elites, csv", ("export", "--what", "elites"), "table.csv"),
)


def measured(arguments: list[str]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and the largest memory in MiB of a command."""
    begun = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "evolve", *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if status:
        sys.exit(f"evolve {' '.join(arguments)} failed")
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main(run: Path) -> None:
    """Print a row for every command."""
    print(f"{'what':<22}{'wall s':>9}{'CPU s':>9}{'MiB':>7}{'bytes':>16}")
    for name, words, file in COMMANDS:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / file
            wall, cpu, memory = measured([words[0], str(run), *words[1:], "-o", str(target)])
            print(f"{name:<22}{wall:>9.1f}{cpu:>9.1f}{memory:>7.0f}{target.stat().st_size:>16,}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
