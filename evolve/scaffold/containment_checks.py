"""Checks of who sees and runs what: the program's text, its judge, its inputs."""

import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evolve.scaffold.findings import Finding, error, ok, warning
from evolve.scaffold.instrument import with_text, with_text_everywhere
from evolve.scaffold.seed_checks import SeedRuns, reads_clock
from evolve.scaffold.trials import Trials

WEAK = "WEAK"
_RUNS_TEXT = re.compile(
    r"\b(exec|eval|runpy|import_module|spec_from_loader|spec_from_file_location|subprocess|Popen)\b"
)
_SAW = "~evolve-check-saw~"


def check_grading(trials: Trials) -> Finding:
    """Whether the program's text is run anywhere but in the sandbox."""
    problem = trials.problem
    evaluator = problem.tables.evaluator.file
    if problem.notices:
        return warning("grading", problem.notices[0], "docs/peers.md says how to move to an evaluator that is apart")
    if problem.language != "python" or evaluator is None:
        judge = "a verifier of Evolve's own, which runs no text"
        interpreter = "programs are run by an interpreter that knows only their vocabulary"
        return ok("grading", interpreter if problem.language != "python" else f"the judge is {judge}")
    with _open_folder() as folder:
        trap = folder / secrets.token_hex(8)
        evaluation = trials.judge(with_text_everywhere(problem.seed_files, trials.entry, _trap(trap)))
        escaped = trap.exists()
    if escaped and trials.level == WEAK:
        seen = "this machine's sandbox lets programs write files, so that it cannot be told where they run"
        return warning("grading", seen, "see `evolve doctor`", escaped=True)
    if escaped:
        return error(
            "grading",
            "the program's text ran outside of the sandbox: it wrote a file, so it could change judge and score",
            "do not exec, import or start the program in evaluate.py: candidate.call(name, ...) runs it in the sandbox",
            escaped=True,
        )
    text = Path(problem.folder, evaluator).read_text(encoding="utf-8", errors="replace")
    words = sorted(set(_RUNS_TEXT.findall(_without_comments(text))))
    if words:
        return warning(
            "grading",
            f"{evaluator} speaks of {', '.join(words)}; the program's text was not seen to run outside of the sandbox",
            "make sure that no text of a program gets there",
        )
    told = "" if evaluation.score is None else f" (score {evaluation.score:.6g})"
    return ok("grading", f"the program's text runs in the sandbox only{told}")


def _without_comments(text: str) -> str:
    return re.sub(r'""".*?"""|#[^\n]*', "", text, flags=re.DOTALL)


def _trap(path: Path) -> str:
    return f"try:\n    with open({str(path)!r}, 'x') as _trap: _trap.write('x')\nexcept BaseException: pass"


@contextmanager
def _open_folder() -> Iterator[Path]:
    """A folder into which anybody may write, for as long as the trap is set."""
    with tempfile.TemporaryDirectory(prefix="evolve-check-") as name:
        os.chmod(name, 0o777)  # noqa: S103 the judge may be another user
        yield Path(name)


_LOOK = f"""
def _evolve_look():
    import gc, os, sys
    saw = []
    try:
        with open(@EVALUATOR@) as handle: handle.read(1); saw.append("the text of the evaluator")
    except BaseException: pass
    try:
        if os.listdir(@FOLDER@): saw.append("the files of the problem's folder")
    except BaseException: pass
    frame = sys._getframe()
    while frame:
        if "candidate" in frame.f_locals: saw.append("the judge's variables"); break
        frame = frame.f_back
    if any("KEY" in name or "TOKEN" in name or "SECRET" in name for name in os.environ): saw.append("keys")
    if saw: raise RuntimeError("{_SAW}" + ", ".join(saw))

_evolve_look()
"""


def check_sight(trials: Trials) -> Finding:
    """Whether a program can see its judge."""
    problem = trials.problem
    if problem.notices:
        return warning("sight", "programs see their evaluator, which shares their process", "keep no secrets in it")
    if problem.language != "python" or problem.tables.evaluator.file is None:
        return ok("sight", "programs see nothing but their inputs: the judge has no file in the problem's folder")
    evaluator = str(Path(problem.folder, problem.tables.evaluator.file))
    look = _LOOK.replace("@EVALUATOR@", repr(evaluator)).replace("@FOLDER@", repr(str(problem.folder)))
    evaluation = trials.judge(with_text(problem.seed_files, trials.entry, look))
    if _SAW not in evaluation.detail and evaluation.score is None:
        seen = f"a program that looks around fails ({evaluation.failure}), so that it could not tell what it saw"
        return warning("sight", seen, "see what `grading` says")
    if _SAW not in evaluation.detail:
        return ok("sight", "a program sees neither the evaluator's text nor its variables, files or keys")
    saw = evaluation.detail.split(_SAW)[1].splitlines()[0].split(" at ")[0]
    return error("sight", f"a program can read {saw}", "run programs with candidate.call only; see `evolve doctor`")


def check_inputs(trials: Trials, seed: SeedRuns, *, has_verify: bool) -> Finding:
    """Whether programs could learn inputs by heart, or answers from one timed call to the next."""
    watch = seed.watch
    if not watch.calls:
        return ok("inputs", "the judge was not seen to call a function with arguments")
    if watch.again and reads_clock(trials.problem):
        return warning(
            "inputs",
            f"{watch.again} of {watch.calls} calls repeat earlier arguments, and the evaluator reads a clock",
            "a program that remembers its answers looks fast: give every timed call fresh inputs",
        )
    if not watch.inputs:
        return ok("inputs", "the functions are called without arguments: there is nothing to learn by heart")
    firsts = {each.first for each in seed.watches if each.first}
    if len(firsts) > 1:
        return ok("inputs", "other inputs for other random states")
    seen = f"the same inputs ({watch.inputs} numbers a call) for every random state"
    if has_verify:
        return ok("inputs", f"{seen}; verify is there to judge on others")
    advice = "long searches learn inputs by heart: judge on others in a function verify(candidate)"
    return warning("inputs", seen, advice)
