"""Small screens over the others: help, a choice, a question to be confirmed, a line to type."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from evolve.dashboard.columns import Column, cell
from evolve.dashboard.lines import Lines
from evolve.dashboard.listing import Listing, Row
from evolve.dashboard.palette import BOLD, DIM, WARNING
from evolve.view.text import clean_line

_FRAME = """
{name} {{ align: center middle; background: transparent; }}
{name} > Vertical {{
    border: round ansi_bright_black; background: ansi_default; padding: 0 1; width: {width}; max-width: 100%;
    height: {height}; max-height: 100%;
}}
{name} Static {{ height: auto; }}
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose: what it means to the program, and in words."""

    value: str
    text: str


class ChoiceScreen(ModalScreen[str | None]):
    """A list to choose from; Escape chooses nothing."""

    DEFAULT_CSS = _FRAME.format(name="ChoiceScreen", width="60", height="20")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", show=False)]

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        """The title and the list."""
        with Vertical():
            yield Static(Text(self._title, style=BOLD))
            yield Listing()
            yield Static(Text("Enter chooses, Escape goes back", style=DIM))

    def on_mount(self) -> None:
        """Fill the list."""
        rows = [Row(key=choice.value, cells=(cell(choice.text),)) for choice in self._choices]
        listing = self.query_one(Listing)
        listing.put([Column(title="", align="left", is_wide=True)], rows, empty="nothing to choose from")
        listing.focus()

    def on_listing_opened(self, message: Listing.Opened) -> None:
        """Answer with the choice."""
        message.stop()
        self.dismiss(str(message.key))


class ConfirmScreen(ModalScreen[bool]):
    """A question to be answered with y; anything else means no."""

    DEFAULT_CSS = _FRAME.format(name="ConfirmScreen", width="64", height="auto")

    def __init__(self, question: str, explanation: str) -> None:
        super().__init__()
        self._question = question
        self._explanation = explanation

    def compose(self) -> ComposeResult:
        """The question."""
        with Vertical():
            yield Static(Text(clean_line(self._question), style=BOLD + WARNING))
            yield Static(Text(clean_line(self._explanation)))
            yield Static(Text("y: yes   any other key: no", style=DIM))

    def on_key(self, event: object) -> None:
        """Answer."""
        self.dismiss(getattr(event, "key", "") == "y")


class PromptScreen(ModalScreen[str | None]):
    """A line to type at the bottom of the screen; Escape leaves things as they are."""

    DEFAULT_CSS = """
    PromptScreen { align: left bottom; background: transparent; }
    PromptScreen > Vertical { height: 2; width: 100%; background: ansi_default; }
    PromptScreen Static { height: 1; }
    PromptScreen Input { border: none; height: 1; padding: 0; background: ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(self, label: str, value: str = "") -> None:
        super().__init__()
        self._label = label
        self._value = value

    def compose(self) -> ComposeResult:
        """A label and the line."""
        with Vertical():
            yield Static(Text(clean_line(self._label), style=BOLD))
            yield Input(value=self._value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Answer with the line."""
        message.stop()
        self.dismiss(message.value.strip())


class TextScreen(ModalScreen[None]):
    """Lines to read; any of Escape, q and Enter closes it."""

    DEFAULT_CSS = _FRAME.format(name="TextScreen", width="96%", height="96%")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,question_mark", "dismiss(None)", show=False)]

    def __init__(self, title: str, lines: Sequence[Text]) -> None:
        super().__init__()
        self._title = title
        self._text = lines

    def compose(self) -> ComposeResult:
        """The title and the lines."""
        with Vertical():
            yield Static(Text(clean_line(self._title), style=BOLD))
            yield Lines()
            yield Static(Text("Escape closes", style=DIM))

    def on_mount(self) -> None:
        """Show them."""
        lines = self.query_one(Lines)
        lines.put(self._text)
        lines.focus()
