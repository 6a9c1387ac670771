"""The dashboard itself: a heading, nine screens, and when they are drawn anew."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.timer import Timer
from textual.widgets import ContentSwitcher
from textual.worker import Worker

from evolve.dashboard.chrome import Head, foot_line, head_line, read_head, tabs_line
from evolve.dashboard.desk import Desk
from evolve.dashboard.lines import Label
from evolve.dashboard.palette import Painter
from evolve.dashboard.pane import Pane
from evolve.dashboard.panes.elites import ElitesPane
from evolve.dashboard.panes.failures import FailuresPane
from evolve.dashboard.panes.lineage import LineagePane
from evolve.dashboard.panes.log import LogPane
from evolve.dashboard.panes.map import MapPane
from evolve.dashboard.panes.operators import OperatorsPane
from evolve.dashboard.panes.overview import OverviewPane
from evolve.dashboard.panes.program import ProgramPane
from evolve.dashboard.panes.workers import WorkersPane
from evolve.errors import EvolveError
from evolve.store.state import current_state
from evolve.view.overview import stamp
from evolve.view.run import RunView
from evolve.view.tally import Tally

REFRESH_SECONDS = 1.0
REST = 8.0
"""A screen that took long to ask for is asked again only after this many times as long."""
SAID_SECONDS = 5.0
SLOW_SECONDS = 0.3
LIVELY_SECONDS = 5.0
"""A run that goes on is asked anew after so long even if nothing changed: ages do."""
PANES = ("overview", "map", "elites", "program", "lineage", "operators", "failures", "workers", "log")

Mark = tuple[object, ...]


class Dashboard(App[None]):
    """Shows one run, live. What its keys do beyond moving about is in `evolve.dashboard.commands`."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: ansi_default; }
    ContentSwitcher { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(place), f"pane('{name}')", show=False) for place, name in enumerate(PANES, 1)),
        Binding("tab", "next_pane(1)", show=False, priority=True),
        Binding("shift+tab", "next_pane(-1)", show=False, priority=True),
        Binding("escape,backspace", "return", show=False),
        Binding("q,ctrl+c,ctrl+q", "quit", show=False),
    ]

    def __init__(self, run_dir: Path, look: Painter, *, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(ansi_color=True)
        self.run_dir = run_dir
        self.look = look
        self.desk = Desk(run_dir)
        self.tally = Tally()
        self.marked: tuple[int, ...] = ()
        self._clock = clock
        self._head: Head | None = None
        self._trouble = ""
        self._said = ""
        self._said_timer: Timer | None = None
        self._history: list[str] = []
        self._shown_at: dict[str, Mark] = {}
        self._rest_until: dict[str, float] = {}
        self._is_asking = False
        self._asked_again = False
        self._waiting_since: float | None = None
        self._is_interrupted = False

    def compose(self) -> ComposeResult:
        """Heading, names of the screens, the screens, keys."""
        look = self.look
        yield Label(id="head")
        yield Label(id="tabs")
        with ContentSwitcher(initial="overview", id="panes"):
            yield OverviewPane(look, id="overview")
            yield MapPane(look, id="map")
            yield ElitesPane(look, id="elites")
            yield ProgramPane(look, id="program")
            yield LineagePane(look, id="lineage")
            yield OperatorsPane(look, self.tally, id="operators")
            yield FailuresPane(look, self.tally, id="failures")
            yield WorkersPane(look, id="workers")
            yield LogPane(look, id="log")
        yield Label(id="foot")

    def on_mount(self) -> None:
        """Ask at once, then once a second."""
        self.set_interval(REFRESH_SECONDS, self.look_again)
        self.pane.take_focus()
        self.draw_frame()
        self.look_again()

    def on_unmount(self) -> None:
        """Close the run."""
        self.desk.close()

    def on_resize(self) -> None:
        """Fit the lines around the screens."""
        self.draw_frame()

    @property
    def pane(self) -> Pane:
        """The screen that is shown."""
        name = self.query_one("#panes", ContentSwitcher).current or "overview"
        return self.query_one(f"#{name}", Pane)

    @property
    def program(self) -> ProgramPane:
        """The screen of one candidate."""
        return self.query_one("#program", ProgramPane)

    @property
    def elites(self) -> ElitesPane:
        """The screen of many."""
        return self.query_one("#elites", ElitesPane)

    @property
    def is_at_rest(self) -> bool:
        """Whether what is on the screen is all there is to be seen now."""
        return not self._is_asking and (self.pane.id in self._shown_at or bool(self._trouble))

    def draw_frame(self) -> None:
        """Write heading, names and keys."""
        width, pane = self.size.width, self.pane
        self.query_one("#head", Label).put(head_line(self._head, self._trouble, self.marked, width))
        self.query_one("#tabs", Label).put(tabs_line(PANES, pane.id or "", width))
        self.query_one("#foot", Label).put(foot_line(pane.hints, self._said, width))

    def say(self, text: str) -> None:
        """Say something in place of the keys for a while."""
        self._said = text
        if self._said_timer is not None:
            self._said_timer.stop()
        self._said_timer = self.set_timer(SAID_SECONDS, self._fall_silent)
        self.draw_frame()

    def _fall_silent(self) -> None:
        self._said = ""
        self.draw_frame()

    def look_again(self) -> None:
        """Ask whether the run has changed, unless that is being asked already."""
        if self._is_asking:
            self._asked_again = True
        else:
            self._is_asking = True
            self.begin(self._look, group="look")

    def begin(self, work: Callable[[], Coroutine[None, None, None]], *, group: str = "command") -> Worker[None]:
        """Do what has to wait. It comes as a function: who leaves before it begins leaves no coroutine behind."""
        return self.run_worker(work, group=group, exit_on_error=True)

    async def _look(self) -> None:
        try:
            while True:
                self._asked_again = False
                with suppress(NoMatches):  # the screens may be taken down while an answer is waited for
                    await self._look_once()
                if not (self._asked_again and self.is_running):
                    return
        finally:
            self._is_asking = False

    async def _look_once(self) -> None:
        pane = self.pane
        name = pane.id or ""
        try:
            mark, self._head = await self.desk.ask(_mark_and_head)
            if mark != self._shown_at.get(name) and self._clock() >= self._rest_until.get(name, 0.0):
                await self._ask(pane, mark)
            self._trouble = ""
        except EvolveError as error:
            if self._is_interrupted:
                self._is_interrupted, self._asked_again = False, True
            else:
                self._trouble = str(error)
        self.draw_frame()

    async def _ask(self, pane: Pane, mark: Mark) -> None:
        name = pane.id or ""
        self._shown_at[name] = mark
        started = self._clock()
        self._waiting_since = started
        try:
            answer = await self.desk.ask(pane.question())
        except EvolveError:
            self._shown_at.pop(name, None)
            raise
        finally:
            self._waiting_since = None
        self._is_interrupted = False
        pane.show(answer)
        now = self._clock()
        self._rest_until[name] = now + REST * (now - started)
        if pane.is_pending():
            self._is_stale(pane)
            self._asked_again = True

    def _is_stale(self, pane: Pane) -> None:
        self._shown_at.pop(pane.id or "", None)
        self._rest_until.pop(pane.id or "", None)

    def _give_up_waiting(self) -> None:
        """Break off a question that takes long: something else is wanted by now."""
        if self._waiting_since is not None and self._clock() - self._waiting_since > SLOW_SECONDS:
            self._is_interrupted = True
            self.desk.interrupt()

    def on_pane_stale(self, message: Pane.Stale) -> None:
        """Ask anew: the user wants something else."""
        message.stop()
        self._is_stale(message.pane)
        if message.pane is self.pane:
            self._give_up_waiting()
            self.look_again()

    def on_pane_say(self, message: Pane.Say) -> None:
        """Say what a screen has to say."""
        message.stop()
        self.say(message.text)

    def on_pane_open(self, message: Pane.Open) -> None:
        """Show a candidate."""
        message.stop()
        self.open_candidate(message.candidate)

    def open_candidate(self, candidate: int) -> None:
        """Show a candidate's program; its lineage is that of the lineage screen from now on."""
        self.program.choose(candidate)
        self.query_one("#lineage", LineagePane).choose(candidate)
        self.action_pane("program")

    def on_pane_narrow(self, message: Pane.Narrow) -> None:
        """Show the candidates of an operator or of a kind of failure."""
        message.stop()
        self.elites.filter_for(**{message.kind: message.value})
        self.action_pane("elites")

    def action_pane(self, name: str) -> None:
        """Show a screen."""
        before = self.pane.id or ""
        if name != before:
            self._history.append(before)
        self._turn_to(name)

    def _turn_to(self, name: str) -> None:
        self._give_up_waiting()
        self.query_one("#panes", ContentSwitcher).current = name
        self.pane.take_focus()
        self.draw_frame()
        self.look_again()

    def action_next_pane(self, step: int) -> None:
        """Show the screen beside this one."""
        if len(self.screen_stack) == 1:
            place = PANES.index(self.pane.id or "overview")
            self.action_pane(PANES[(place + step) % len(PANES)])

    def action_return(self) -> None:
        """Show the screen that was there before."""
        if self._history:
            self._turn_to(self._history.pop())


def _mark_and_head(view: RunView) -> tuple[Mark, Head]:
    """What changes whenever the run has, and what the heading says."""
    state = current_state(view.reader.sessions())
    beat = int(monotonic() / LIVELY_SECONDS) if state.startswith(("running", "paused", "silent")) else 0
    return (*stamp(view), state, beat), read_head(view, state)
