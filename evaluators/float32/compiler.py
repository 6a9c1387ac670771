"""Compiling our own C in a private folder, and asking the compiled judge: every run has a time limit."""

import os
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from evaluators.errors import EvaluatorError
from evaluators.float32.assembly import Loop, main_loop

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fno-stack-protector")
COMPILE_SECONDS = 30.0
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Kernel:
    """A compiled program: the judge with the kernel in it, and the kernel's main loop."""

    folder: Path
    loop: Loop

    @property
    def binary(self) -> Path:
        """The executable."""
        return self.folder / "judge"

    def ask(self, *arguments: str | Path, seconds: float) -> list[str]:
        """The words that the judge answers.

        Raises:
            EvaluatorError: it failed, or took longer than `seconds`.
        """
        return _run([self.binary, *arguments], self.folder, seconds).split()

    def remove(self) -> None:
        """Delete its files."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Compiler:
    """The machine's C compiler with the judge for one function. A context manager; its folder goes with it.

    Raises:
        EvaluatorError: the machine has no C compiler, or it cannot compile the judge.
    """

    def __init__(self, reference: str) -> None:
        found = next((path for name in COMPILERS if (path := shutil.which(name))), None)
        if found is None:
            raise EvaluatorError(
                f"the family float32 needs a C compiler ({', '.join(COMPILERS)}) and found none: install gcc or clang"
            )
        self._cc = found
        self.folder = Path(tempfile.mkdtemp(prefix="evolve-float32-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self._n_kernels = 0
        macro = f"-DREFERENCE(x)=((double){reference})"
        for name, more in (("harness", []), ("yardstick", []), ("reference", ["-ffast-math", macro])):
            self._compile([*more, "-c", _HERE / f"{name}.c", "-o", self.folder / f"{name}.o"])

    @property
    def version(self) -> str:
        """What the compiler calls itself."""
        return _run([self._cc, "--version"], self.folder, COMPILE_SECONDS).splitlines()[0]

    def kernel(self, source: str, flags: Sequence[str] = (), *, beside: str | None = None) -> Kernel:
        """Compile a program that `c_source` wrote; `flags` come after the usual ones.

        Timing compares it with `beside`, the source of another program, or with a polynomial if there is none.

        Raises:
            EvaluatorError: the compiler failed, or its loop cannot be read.
        """
        self._n_kernels += 1
        folder = self.folder / str(self._n_kernels)
        folder.mkdir()
        (folder / "kernel.c").write_text(source, encoding="ascii")
        try:
            self._compile([*flags, "-S", folder / "kernel.c", "-o", folder / "kernel.s"])
            parts = [self.folder / f"{name}.o" for name in ("harness", "yardstick", "reference")]
            if beside is not None:
                parts[1] = folder / "beside.o"
                (folder / "beside.c").write_text(beside, encoding="ascii")
                renamed = ("-Dkernel=yardstick", "-Dkernel_with=yardstick_with")
                self._compile([*flags, *renamed, "-c", folder / "beside.c", "-o", parts[1]])
            self._compile([folder / "kernel.s", *parts, "-o", folder / "judge", "-lm"])
            return Kernel(folder, main_loop((folder / "kernel.s").read_text(encoding="utf-8"), "kernel"))
        except EvaluatorError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def close(self) -> None:
        """Delete the folder, as happens anyway when nobody holds this object; harmless when repeated."""
        self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _compile(self, arguments: Sequence[str | Path]) -> None:
        _run([self._cc, *FLAGS, *arguments], self.folder, COMPILE_SECONDS)


def _run(command: Sequence[str | Path], folder: Path, seconds: float) -> str:
    """Run one command of ours with an environment of next to nothing; its standard output."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TMPDIR": str(folder)}
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EvaluatorError(f"{Path(command[0]).name} took longer than {seconds:g} s and was stopped") from None
    except OSError as error:
        raise EvaluatorError(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        told = done.stderr.decode("utf-8", "replace")[-500:]
        raise EvaluatorError(f"{Path(command[0]).name} failed ({done.returncode}): {told}")
    return done.stdout.decode("ascii", "replace")
