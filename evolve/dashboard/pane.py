"""What every screen of the dashboard is: a question to the run, and a way to show the answer."""

from collections.abc import Callable
from typing import ClassVar

from textual.containers import Vertical
from textual.message import Message

from evolve.dashboard.palette import Painter
from evolve.view.run import RunView

Question = Callable[[RunView], object]
Hint = tuple[str, str]


class Pane(Vertical):
    """One screen. `question` is made in the display's thread and asked in another; it must not touch widgets."""

    DEFAULT_CSS = "Pane { height: 1fr; }"
    title: ClassVar[str] = ""
    hints: ClassVar[tuple[Hint, ...]] = ()
    """Keys of this screen and what they do, the most useful first."""

    class Open(Message):
        """A candidate is to be shown."""

        def __init__(self, candidate: int) -> None:
            super().__init__()
            self.candidate = candidate

    class Stale(Message):
        """What a screen shows does not fit what is wanted any more: ask again."""

        def __init__(self, pane: "Pane") -> None:
            super().__init__()
            self.pane = pane

    class Narrow(Message):
        """Only the candidates of an operator, a status or a kind of failure are to be listed."""

        def __init__(self, kind: str, value: str) -> None:
            super().__init__()
            self.kind = kind
            self.value = value

    class Say(Message):
        """Something to be said in one line."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, look: Painter, *, id: str) -> None:  # noqa: A002 the name that Textual has for it
        super().__init__(id=id)
        self.look = look

    def stale(self) -> None:
        """Have the question asked again."""
        self.post_message(self.Stale(self))

    def say(self, text: str) -> None:
        """Say something to the user."""
        self.post_message(self.Say(text))

    def question(self) -> Question:
        """What has to be asked to show this screen as it is set now."""
        raise NotImplementedError

    def show(self, answer: object) -> None:
        """Show what was found."""
        raise NotImplementedError

    def is_pending(self) -> bool:
        """Whether the last answer was only a part: the question is asked again at once."""
        return False

    @property
    def candidate(self) -> int | None:
        """The candidate under the cursor, if there is one."""
        return None

    def search(self, text: str) -> str:
        """Look for a text; returns what to say about it. An empty text ends the search."""
        del text
        return "nothing to search on this screen"

    def take_focus(self) -> None:
        """Give the keys to what this screen is about."""
