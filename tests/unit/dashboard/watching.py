"""Opens the dashboard without a terminal, types keys, reads the screen."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from evolve.dashboard.commands import RunDashboard
from evolve.dashboard.palette import Painter

PATIENCE = 10_000
SMALL = (80, 24)


class Watcher:
    """One open dashboard."""

    def __init__(self, app: RunDashboard, pilot: "Pilot[None]") -> None:
        self.app = app
        self.pilot = pilot

    async def settle(self) -> None:
        """Wait until the run has been asked for what is on the screen, and it is drawn."""
        for _ in range(PATIENCE):
            await self.pilot.pause(0.002)
            if self.app.is_at_rest and not [each for each in self.app.workers if each.group == "command"]:
                break
        await self.pilot.pause()

    async def press(self, *keys: str) -> "Watcher":
        """Type keys one after the other, each on a screen at rest."""
        for key in keys:
            await self.pilot.press(key)
            await self.settle()
        return self

    async def ask(self, key: str, words: str) -> "Watcher":
        """Type a key that opens a dialog, and wait for it."""
        await self.pilot.press(key)
        for _ in range(PATIENCE):
            if words in self.text():
                break
            await self.pilot.pause(0.002)
        assert words in self.text()
        return self

    async def type_line(self, text: str) -> "Watcher":
        """Search for a text."""
        await self.pilot.press("slash")
        await self.pilot.pause()
        await self.pilot.press(*text, "enter")
        await self.settle()
        return self

    def lines(self) -> list[str]:
        """What stands on the screen, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(self.lines())


def watch(
    run: Path,
    steps: Callable[[Watcher], Awaitable[None]],
    *,
    size: tuple[int, int] = SMALL,
    look: Painter | None = None,
) -> None:
    """Open a run and take the steps."""

    async def drive() -> None:
        # A clock that stands: no question seems to take long, so none is given a rest or broken off.
        app = RunDashboard(run, look or Painter(), clock=lambda: 0.0)
        async with app.run_test(size=size) as pilot:
            watcher = Watcher(app, pilot)
            await watcher.settle()
            await steps(watcher)

    asyncio.run(drive())
