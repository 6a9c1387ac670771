"""The dashboard with all its keys: search, marks, comparison, copy, export, pause and stop."""

import asyncio
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from evolve.dashboard.app import Dashboard
from evolve.dashboard.comparing import comparison
from evolve.dashboard.dialogs import Choice, ChoiceScreen, ConfirmScreen, PromptScreen, TextScreen
from evolve.dashboard.exporting import export_candidate, forms_for
from evolve.dashboard.help import help_lines
from evolve.errors import EvolveError
from evolve.store.state import current_state
from evolve.view.run import RunView

MAX_COPIED = 100_000
"""Characters that are copied at most: terminals refuse more."""
N_MARKS = 2


class RunDashboard(Dashboard):
    """The dashboard that `evolve dashboard` opens."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", show=False),
        Binding("slash", "search", show=False),
        Binding("space", "mark", show=False),
        Binding("c", "compare", show=False),
        Binding("y", "copy", show=False),
        Binding("e", "export", show=False),
        Binding("P", "pause", show=False),
        Binding("S", "stop", show=False),
    ]

    def action_help(self) -> None:
        """Explain the keys."""
        self.push_screen(TextScreen("evolve dashboard", help_lines()))

    def action_search(self) -> None:
        """Type a text to look for; a number alone opens the candidate."""

        def search(text: str | None) -> None:
            if text is None:
                return
            if text.isascii() and text.isdigit() and len(text) <= 18:
                self.begin(partial(self._open_if_there, int(text)))
            else:
                self.say(self.pane.search(text))

        self.push_screen(
            PromptScreen("search for a text, or the number of a candidate (empty: end the search)"), search
        )

    async def _open_if_there(self, candidate: int) -> None:
        try:
            last = await self.desk.ask(RunView.last_candidate)
        except EvolveError as error:
            self.say(str(error))
            return
        if 1 <= candidate <= last:
            self.open_candidate(candidate)
        else:
            self.say(f"there is no candidate {candidate}: ids run from 1 to {last:,}")

    def action_mark(self) -> None:
        """Mark the candidate under the cursor, or take its mark away."""
        candidate = self.pane.candidate
        if candidate is None:
            self.say("no candidate here to mark")
            return
        if candidate in self.marked:
            self.marked = tuple(each for each in self.marked if each != candidate)
        else:
            self.marked = (*self.marked, candidate)[-N_MARKS:]
        self.elites.mark(frozenset(self.marked))
        words = " and ".join(map(str, self.marked))
        self.say(f"marked {words}" + ("; c compares" if len(self.marked) == N_MARKS else "") if words else "no marks")

    def action_compare(self) -> None:
        """Compare the two marked candidates, or the marked one with the one here."""
        pair = self.marked
        here = self.pane.candidate
        if len(pair) < N_MARKS and here is not None and here not in pair:
            pair = (*pair, here)
        if len(pair) < N_MARKS:
            self.say("mark one or two candidates with Space, then c compares them")
            return
        self.begin(partial(self._compare, pair[0], pair[1]))

    async def _compare(self, one: int, other: int) -> None:
        width = max(self.size.width - 8, 40)
        try:
            lines = await self.desk.ask(lambda view: comparison(view, one, other, width))
        except EvolveError as error:
            self.say(str(error))
            return
        await self.push_screen(TextScreen(f"candidates {one} and {other}", lines))

    def action_copy(self) -> None:
        """Copy the program of the candidate here."""
        if self.pane.candidate is None:
            self.say("no candidate here to copy")
            return
        self.begin(partial(self._copy, self.pane.candidate))

    async def _copy(self, candidate: int) -> None:
        try:
            record = await self.desk.ask(lambda view: view.reader.candidate(candidate))
        except EvolveError as error:
            self.say(str(error))
            return
        text = "\n".join(record.candidate.files.values())
        if len(text) > MAX_COPIED:
            self.say(f"candidate {candidate} has {len(text):,} characters, too many to copy: e writes it to a file")
            return
        self.copy_to_clipboard(text.encode("utf-8", "replace").decode())
        self.say(f"copied the program of candidate {candidate} ({len(text):,} characters), if your terminal allows it")

    def action_export(self) -> None:
        """Choose a form and write the candidate here to a file of the current folder."""
        if self.pane.candidate is None:
            self.say("no candidate here to export")
            return
        self.begin(partial(self._export, self.pane.candidate))

    async def _export(self, candidate: int) -> None:
        forms = await asyncio.to_thread(forms_for, self.run_dir, candidate)
        title = f"export candidate {candidate} to this folder as"
        form = await self.push_screen_wait(ChoiceScreen(title, [Choice(each, each) for each in forms]))
        if form is None:
            return
        try:
            files = await asyncio.to_thread(export_candidate, self.run_dir, candidate, form, Path.cwd())
        except EvolveError as error:
            self.say(str(error))
            return
        names = ", ".join(file.name for file in files)
        self.say(f"wrote {names} in {files[0].parent}")

    def action_pause(self) -> None:
        """Pause the run, or let a paused one go on."""
        self.begin(partial(self._control, "pause"))

    def action_stop(self) -> None:
        """Stop the run."""
        self.begin(partial(self._control, "stop"))

    async def _control(self, wanted: str) -> None:
        from evolve.store.control import request

        try:
            state = await self.desk.ask(lambda view: current_state(view.reader.sessions()))
            if wanted == "pause" and state == "paused":
                wanted = "resume"
            if state not in ("running", "paused", "silent"):
                self.say(f"nobody works on this run: it is {state}; `evolve resume` goes on with it")
                return
            if not await self.push_screen_wait(ConfirmScreen(*_QUESTIONS[wanted])):
                self.say("nothing was asked of the run")
                return
            await asyncio.to_thread(request, self.run_dir, wanted)
        except EvolveError as error:
            self.say(str(error))
            return
        self.say(f"asked the run to {wanted}; it obeys within a second or so")
        self.look_again()


_QUESTIONS = {
    "pause": ("Pause this run?", "What is in flight is finished, nothing new is begun. P lets it go on."),
    "resume": ("Let this run go on?", "It is paused now."),
    "stop": ("Stop this run?", "What is in flight is finished and kept. `evolve resume` goes on with it later."),
}
