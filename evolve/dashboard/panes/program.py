"""One candidate: its program, what changed, how it was judged, what was asked for it, a picture."""

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from evolve.dashboard.candidate_text import ASPECTS, aspect_lines, heading
from evolve.dashboard.lines import Label, Lines
from evolve.dashboard.palette import DIM, Painter
from evolve.dashboard.pane import Hint, Pane, Question
from evolve.view.detail import Detail, best_candidate, detail
from evolve.view.pictures import Picture, picture_of
from evolve.view.run import RunView

Shown = tuple[Detail, Picture | None]


class ProgramPane(Pane):
    """The chosen candidate, the best one until another is chosen; left and right change between its aspects."""

    title = "program"
    hints: ClassVar[tuple[Hint, ...]] = (
        ("← →", "aspect"),
        ("/", "find"),
        ("y", "copy"),
        ("e", "export"),
        ("space", "mark"),
        ("c", "compare"),
        ("u", "parent"),
        ("b", "best"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "aspect(-1)", show=False, priority=True),
        Binding("right,l", "aspect(1)", show=False, priority=True),
        Binding("u", "parent", show=False),
        Binding("b", "best", show=False),
    ]

    def __init__(self, look: Painter, *, id: str) -> None:  # noqa: A002 the name that Textual has for it
        super().__init__(look, id=id)
        self._wanted: int | None = None
        self._shown: Shown | None = None
        self._aspect = 0

    def compose(self) -> ComposeResult:
        """A heading, the aspects, the lines."""
        yield Label(id="program-heading")
        yield Label(id="program-aspects")
        yield Lines(id="program-lines")

    def choose(self, candidate: int | None) -> None:
        """Show this candidate, or the best one."""
        if candidate != self._wanted:
            self._wanted = candidate
            self._shown = None
            self.stale()

    @property
    def candidate(self) -> int | None:
        """The one shown."""
        return self._wanted if self._shown is None else self._shown[0].record.candidate.id

    @property
    def text(self) -> str:
        """The program, to be copied."""
        return "" if self._shown is None else "\n".join(self._shown[0].record.candidate.files.values())

    def question(self) -> Question:
        """All about the candidate; it never changes, only its children and its place do."""
        wanted, before = self._wanted, self._shown

        def ask(view: RunView) -> Shown | None:
            identifier = best_candidate(view) if wanted is None else wanted
            if identifier is None and view.last_candidate():
                identifier = 1  # nothing has a score: the seed program failed, and that is worth a look
            if identifier is None:
                return None
            found = detail(view, identifier)
            known = before is not None and before[0].record.candidate.id == identifier
            picture = before[1] if before is not None and known else picture_of(view, found.record)
            return found, picture

        return ask

    def show(self, answer: object) -> None:
        """Show it, keeping the place if it is the same candidate."""
        if answer is None:
            self.query_one(Lines).put([Text("no candidate was judged yet", style=DIM)])
            return
        assert isinstance(answer, tuple)
        found: Shown = answer
        if self._wanted is not None and found[0].record.candidate.id != self._wanted:
            return
        is_same = self._shown is not None and self._shown[0] == found[0]
        self._shown = found
        if not is_same:
            self._fill()

    def _fill(self, *, keep_place: bool = False) -> None:
        if self._shown is None:
            return
        found, picture = self._shown
        self.query_one("#program-heading", Label).put(heading(found, self.size.width))
        bar = Text(no_wrap=True)
        for place, name in enumerate(ASPECTS):
            bar.append(f" {name} ", "reverse" if place == self._aspect else "dim").append(" ")
        self.query_one("#program-aspects", Label).put(bar)
        size = max(self.size.width - 1, 20), max(self.size.height - 4, 5)
        lines = aspect_lines(ASPECTS[self._aspect], found, picture, size, self.look)
        self.query_one(Lines).put(lines, keep_place=keep_place)

    def on_resize(self, _event: events.Resize) -> None:
        """Wrap the lines anew."""
        self._fill(keep_place=True)

    def action_aspect(self, step: int) -> None:
        """Show the next aspect."""
        self._aspect = (self._aspect + step) % len(ASPECTS)
        self._fill()

    def action_parent(self) -> None:
        """Show the first parent."""
        if self._shown is not None and self._shown[0].parent is not None:
            self.post_message(self.Open(self._shown[0].parent.candidate.id))
        else:
            self.say("the seed program has no parent")

    def action_best(self) -> None:
        """Show the best candidate, also when a better one comes."""
        self.choose(None)

    def search(self, text: str) -> str:
        """Mark the text in the lines."""
        n_lines = self.query_one(Lines).search(text)
        if not text:
            return "search ended"
        return f"{n_lines} lines hold it; n and N go on" if n_lines else "not found in this aspect"

    def take_focus(self) -> None:
        """The lines have the keys."""
        self.query_one(Lines).focus()
