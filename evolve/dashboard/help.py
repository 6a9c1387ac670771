"""What the keys do."""

from rich.text import Text

from evolve.dashboard.palette import BOLD, DIM

_EVERYWHERE = (
    ("1 to 9, Tab", "another screen; Escape goes back"),
    ("/", "search a text, or open the candidate of a number;"),
    ("", "an empty line ends the search"),
    ("Enter", "open the candidate under the cursor"),
    ("Space", "mark a candidate; * stands before it"),
    ("c", "compare the two marked ones, or the marked one and this"),
    ("y", "copy the program (OSC 52: works over ssh too)"),
    ("e", "export the candidate to a file of the current folder"),
    ("P", "pause the run, or let it go on"),
    ("S", "stop the run; `evolve resume` goes on with it later"),
    ("? q", "this help; leave the dashboard (the run goes on)"),
)
_SCREENS = (
    ("1 overview", "state, best score, speed, budget, curve, latest events;"),
    ("", "l draws the curve on a logarithmic scale"),
    ("2 map", "arrows move, x and y change axes, v the colour's meaning,"),
    ("", "b goes to the best"),
    ("3 elites", "s sort, r reverse, f filter, a all candidates or elites,"),
    ("", "[ ] turn pages, { } first and last page"),
    ("4 program", "left, right: code, diff, facts, output, models, picture;"),
    ("", "< > scroll sideways, u parent, b best, n N matches"),
    ("5 lineage", "children and ancestors of the candidate shown last"),
    ("6 operators", "Enter shows the candidates of an operator"),
    ("7 failures", "Enter opens the latest of a group, o shows all of its kind"),
    ("8 workers", "sessions, workers, GPUs, versions"),
    ("9 log", "what happened; G goes to the newest and stays there"),
)
_NOTES = (
    "The dashboard only reads: run.db of running, finished or crashed runs.",
    "Lists move with arrows or j k, PageUp, PageDown, g and G.",
    "Colour is never the only sign; NO_COLOR=1 does without, --ascii does",
    "without any other marks than ASCII.",
)


def help_lines() -> list[Text]:
    """The help as lines."""
    lines = [Text("everywhere", style=BOLD)]
    lines += [Text.assemble((f"  {keys:<13}", BOLD), words) for keys, words in _EVERYWHERE]
    lines += [Text(), Text("screens", style=BOLD)]
    lines += [Text.assemble((f"  {keys:<13}", BOLD), words) for keys, words in _SCREENS]
    return [*lines, Text(), *(Text(note, style=DIM) for note in _NOTES)]
