"""The controller's end of the process that speaks with Ray; see `evolve.executors.ray_driver`."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from evaluators.environment import scrubbed_environment
from evolve.errors import EvolveEnvironmentError, ResumableError
from evolve.executors.frames import HEADER_BYTES, decode, decode_length, encode
from evolve.executors.ray_link import open_place, remove_place
from evolve.executors.sessions import kill_session

JOIN_SECONDS = 90.0
"""How long Ray may take to join a cluster: it has been seen to wait for ever."""
START_SECONDS = 300.0
"""How long to start one, which is work: ten seconds, and a minute on a busy machine."""
SILENT_SECONDS = 30.0
"""So long without a word means that the cluster's head is gone: Ray itself waits a minute, then ends its process."""
TICK_SECONDS = 1.0
CLOSE_SECONDS = 15.0
OF_RAY = ("RAY_", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
"""What Ray needs of the environment besides what our own processes see: its settings, and the token of its cluster."""
RESUME_HINT = "nothing is lost: `evolve resume` goes on"

Hear = Callable[[Mapping[str, Any], bytes], None]


class RayProcess:
    """Starts it, talks to it, ends it. `hear` is called with what it says, `lost` once, when it will say no more.

    The `program` is the module whose `main` runs there.
    """

    def __init__(
        self, *, hear: Hear, lost: Callable[[ResumableError], None], program: str = "evolve.executors.ray_driver"
    ) -> None:
        self._hear, self._lost, self._program = hear, lost, program
        self._process: asyncio.subprocess.Process | None = None
        self._said: IO[bytes] | None = None
        self._place: Path | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._heard = False
        self._is_closed = False

    async def open(self, opening: Mapping[str, Any], bundles: Mapping[str, bytes]) -> None:
        """Have it start or join a cluster.

        Raises:
            EvolveEnvironmentError: Ray is missing, there is no cluster that can be used, or none in time.
        """
        self._place = open_place()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        code = f"from {self._program} import main; main({os.getpid()})"
        of_ray = {name: value for name, value in os.environ.items() if name.startswith(OF_RAY)}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-c",
            code,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._said,
            env=scrubbed_environment() | of_ray,
            start_new_session=True,
        )
        lengths = [(name, len(bundle)) for name, bundle in bundles.items()]
        self._write(encode({**opening, "place": str(self._place), "bundles": lengths}) + b"".join(bundles.values()))
        address = opening["address"]
        limit = START_SECONDS if address is None else JOIN_SECONDS
        try:
            async with asyncio.timeout(limit):
                while (answer := await self._next())["say"] == "look":
                    pass
        except TimeoutError:
            raise EvolveEnvironmentError(
                f"{_cluster(address)} did not answer within {limit:.0f} s",
                hint="see `ray status` on one of its nodes: firewalls, wrong tokens and other versions make Ray wait",
            ) from None
        except (OSError, EOFError):
            raise EvolveEnvironmentError(f"{_cluster(address)} cannot be used: {self._last_words()}") from None
        if answer["say"] != "ready":
            raise EvolveEnvironmentError(answer["error"], hint=answer["hint"])
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._watch())]

    def say(self, message: Mapping[str, Any], blob: bytes = b"") -> None:
        """Ask it for something; what it answers is heard later."""
        self._write(encode({**message, "n_bytes": len(blob)}) + blob)

    async def close(self) -> None:
        """Have it drop what is in flight and leave the cluster, or end it; where that takes too long, kill it."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        process = self._process
        if process is not None:
            with suppress(OSError):
                self.say({"do": "close"})
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await _drained(process)
            except TimeoutError:
                pass
            finally:
                kill_session(process.pid, is_buried=process.returncode is not None)
                await process.wait()
                process._transport.close()  # type: ignore[attr-defined]
        if self._said is not None:
            self._said.close()
        if self._place is not None:
            await asyncio.to_thread(remove_place, self._place)

    def _write(self, data: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(data)

    async def _next(self) -> Mapping[str, Any]:
        """What it says next, once it has been heard."""
        assert self._process is not None
        stream = self._process.stdout
        assert stream is not None
        message = decode(await stream.readexactly(decode_length(await stream.readexactly(HEADER_BYTES))))
        blob = await stream.readexactly(message["n_bytes"])
        self._heard = True
        self._hear(message, blob)
        return message

    async def _listen(self) -> None:
        try:
            with suppress(OSError, EOFError):
                while True:
                    await self._next()
        finally:
            self._give_up(self._last_words())

    async def _watch(self) -> None:
        """Count the seconds of silence, not by the clock: this process may have been stopped for a while."""
        silent = 0.0
        while silent < SILENT_SECONDS:
            self._heard = False
            await asyncio.sleep(TICK_SECONDS)
            silent = 0.0 if self._heard else silent + TICK_SECONDS
        self._give_up(f"its head has not answered for {SILENT_SECONDS:.0f} s")

    def _give_up(self, why: str) -> None:
        if not self._is_closed:
            self._is_closed = True
            assert self._process is not None
            # A Ray that lost its cluster does not leave by itself.
            kill_session(self._process.pid, is_buried=self._process.returncode is not None)
            self._lost(ResumableError(f"the Ray cluster is gone: {why}", hint=RESUME_HINT))

    def _last_words(self) -> str:
        assert self._said is not None
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - 2000))
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return f"Ray ended: {lines[-1] if lines else 'it said nothing'}"


async def _drained(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    while await process.stdout.read(1 << 16):
        pass
    await process.wait()


def _cluster(address: str | None) -> str:
    return "the Ray cluster that is started here" if address is None else f"the Ray cluster at {address}"
