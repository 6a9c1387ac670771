"""What others want of a session: its clock stands still while it is paused, and its models are not asked."""

import asyncio
from collections.abc import Callable

from evolve.llm.calls import Answer, CallKey
from evolve.llm.contract import Prompt
from evolve.loop.proposing import Asker
from evolve.store import RunWriter
from evolve.store.control import Mailbox, Request


class Stopwatch:
    """Seconds since the start, without those for which it was held."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()
        self._held = 0.0
        self._held_since: float | None = None

    def start(self) -> None:
        """Begin at zero; a watch that is held stays so."""
        self._started = self._clock()
        self._held = 0.0
        if self._held_since is not None:
            self._held_since = self._started

    def hold(self) -> None:
        """Stand still."""
        if self._held_since is None:
            self._held_since = self._clock()

    def go_on(self) -> None:
        """Run again."""
        if self._held_since is not None:
            self._held += self._clock() - self._held_since
            self._held_since = None

    @property
    def seconds(self) -> float:
        """What it shows."""
        now = self._clock() if self._held_since is None else self._held_since
        return now - self._started - self._held


class Control:
    """Reads the requests for the session that a writer has started; holds the watch and the gate."""

    def __init__(self, writer: RunWriter, clock: Callable[[], float]) -> None:
        self._writer = writer
        self._mailbox: Mailbox | None = None
        self._gate = asyncio.Event()
        self._gate.set()
        self.watch = Stopwatch(clock)

    @property
    def is_paused(self) -> bool:
        """Whether nothing new may begin."""
        return not self._gate.is_set()

    def news(self) -> Request | None:
        """A request that nobody has heard yet."""
        if self._mailbox is None:
            if self._writer.session_key is None:
                return None
            self._mailbox = Mailbox(self._writer.run_dir, self._writer.session_key)
        return self._mailbox.news()

    def pause(self) -> None:
        """Let nothing new begin."""
        self.watch.hold()
        self._gate.clear()

    def go_on(self) -> None:
        """Undo a pause."""
        self.watch.go_on()
        self._gate.set()

    async def wait_until_open(self) -> None:
        """Wait as long as the session is paused."""
        await self._gate.wait()


class GatedAsker:
    """Asks nothing while the session is paused: a question that comes up in an iteration in flight waits."""

    def __init__(self, asker: Asker, control: Control) -> None:
        self._asker = asker
        self._control = control

    @property
    def usd_per_second(self) -> float:
        """See `Asker`."""
        return self._asker.usd_per_second

    async def ask(self, key: CallKey, model: str, prompt: Prompt, purpose: str) -> Answer:
        """See `Asker`."""
        await self._control.wait_until_open()
        return await self._asker.ask(key, model, prompt, purpose)
