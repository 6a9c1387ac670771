"""`manual:DIR`: prompts become files and replies are read from files, so that a person or any program can be the model.

`0001.prompt.md` appears whole; whoever answers writes `0001.reply.md`. A reply counts once it is not empty and has not
changed between two looks; to be sure, write it under another name and rename it. A used one becomes
`0001.reply.used.md`.
"""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from evolve.errors import UsageError
from evolve.llm.contract import Completion, Outcome, Prompt, Turn
from evolve.llm.fake import estimated_usage

POLL_SECONDS = 1.0
MAX_REPLY_BYTES = 4 << 20

_PROMPT = re.compile(r"(\d{4,})\.prompt\.md")


class ManualModel:
    """A folder as a model. It waits as long as it takes: whoever reads the prompts may be asleep."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "manual:",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """Make the folder.

        Raises:
            UsageError: it cannot be made or written.
        """
        self.name = name
        self._folder = folder
        self._sleep = sleep
        self._poll_seconds = poll_seconds
        self._claimed: set[int] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"the folder {folder} for prompts cannot be made: {error.strerror}") from None
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"the folder {folder} for prompts cannot be written")

    async def complete(self, prompt: Prompt, *, total_seconds: float, idle_seconds: float) -> Completion:
        """Write the prompt and wait for its reply; no deadline holds here."""
        del total_seconds, idle_seconds
        number: int | None = None
        try:
            number = self._place(prompt)
            text = await self._reply(number)
        except OSError as error:
            return Completion(outcome=Outcome.TRANSPORT, detail=f"{self._folder}: {error.strerror}")
        finally:
            self._claimed.discard(number or 0)
        outcome = Outcome.OK if text.strip() else Outcome.EMPTY
        return Completion(
            outcome=outcome,
            text=text,
            usage=estimated_usage(prompt, text),
            model_reported="manual",
            request_id=str(number),
        )

    async def close(self) -> None:
        """Nothing is open."""

    def _place(self, prompt: Prompt) -> int:
        """The number of the prompt: that of the same prompt still waiting from an earlier session, or the next one."""
        text = shown(prompt).encode("utf-8", "backslashreplace")
        numbers = sorted(int(match[1]) for path in self._folder.iterdir() if (match := _PROMPT.fullmatch(path.name)))
        for number in numbers:
            if self._is_waiting(number) and self._file(number, "prompt").read_bytes() == text:
                self._claimed.add(number)
                return number
        number = numbers[-1] + 1 if numbers else 1
        self._claimed.add(number)
        part = self._folder / f".{number:04}.part"
        part.write_bytes(text)
        part.replace(self._file(number, "prompt"))
        return number

    def _is_waiting(self, number: int) -> bool:
        return number not in self._claimed and not self._file(number, "reply.used").exists()

    async def _reply(self, number: int) -> str:
        path = self._file(number, "reply")
        seen: tuple[int, int] | None = None
        while True:
            try:
                state = path.stat()
            except FileNotFoundError:
                seen = None
            else:
                now = (state.st_size, state.st_mtime_ns)
                if state.st_size and seen == now:
                    return self._taken(path, number)
                seen = now
            await self._sleep(self._poll_seconds)

    def _taken(self, path: Path, number: int) -> str:
        with path.open("rb") as file:
            text = file.read(MAX_REPLY_BYTES).decode("utf-8", "replace")
        path.replace(self._file(number, "reply.used"))
        return text

    def _file(self, number: int, kind: str) -> Path:
        return self._folder / f"{number:04}.{kind}.md"


def shown(prompt: Prompt) -> str:
    """A prompt as a document to read: the rules, then the turns of the conversation."""
    return "\n\n".join([*prompt.system, *(_turn(turn) for turn in prompt.turns)]) + "\n"


def _turn(turn: Turn) -> str:
    who = "You were asked" if turn.role == "user" else "You answered"
    return f"<!-- {who}: -->\n\n{turn.text}"
