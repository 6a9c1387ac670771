"""`validate`: which finalist is best on tasks the search never saw, and how it stands against tuned baselines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.output import Output, json_option, plain_data
from evolve.cli.places import find_run, run_completion, runs_folder
from evolve.cli.records import best_elites, entry_text, reading
from evolve.cli.terminal import clean_line
from evolve.cli.validate_table import validation_lines
from evolve.errors import EvolveEnvironmentError, UsageError

if TYPE_CHECKING:
    from evaluators.optimizers.efforts import Effort
    from evaluators.optimizers.rungs import Run
    from evaluators.optimizers.validation import Finalist, Trained

SCHEMA = "evolve.validation/1"
EFFORTS = ("quick", "normal", "thorough")


@dataclass(frozen=True, slots=True)
class Place:
    """Where what was trained and what was found is kept."""

    ledger: Path
    document: Path


@click.command("validate")
@click.argument("subject", metavar="RUN|FILE", shell_complete=run_completion)
@click.option(
    "--effort",
    type=click.Choice(EFFORTS),
    default="normal",
    show_default=True,
    help="How many finalists and seeds; a larger one adds to what a smaller one trained.",
)
@click.option("--device", default="cpu", show_default=True, help="What trains: cpu, cuda, or auto.")
@json_option
def validate_command(subject: str, effort: str, device: str, *, as_json: bool) -> None:
    """Validate the update rules of RUN, or the one in FILE (a .py file), on tasks the search never saw.

    The best rules of a run are measured on the validation tasks, by successive halving; the one that is chosen is set
    against tuned AdamW, NAdamW, Muon and SOAP on the test tasks: speed-up in steps and in time, tasks won and lost with
    p-values from paired seeds, at four times the horizon, and with other widths and batch sizes.

    What was trained stays in validation.jsonl in the run's folder (beside FILE otherwise), so that a validation that
    was interrupted goes on where it was; what was found is in validation.json. It needs torch.
    """
    finalists, place = (
        finalist_of_file(Path(subject))
        if _is_file(subject)
        else finalists_of_run(find_run(subject, runs=runs_folder()))
    )
    document = _validated(finalists, effort, device, place)
    Output(as_json=as_json).answer(SCHEMA, document, lambda: _lines(document, place))


def _is_file(subject: str) -> bool:
    return Path(subject).suffix == ".py" and not Path(subject).is_dir()


def finalist_of_file(path: Path) -> "tuple[list[Finalist], Place]":
    """The rule in a file; its ledger lies beside it."""
    from evaluators.optimizers.validation import Finalist

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}", hint="FILE holds one update rule as text") from error
    place = Place(path.with_suffix(".validation.jsonl"), path.with_suffix(".validation.json"))
    return [Finalist(name=clean_line(path.name), text=_rule_text(text, str(path)))], place


def finalists_of_run(run: Path) -> "tuple[list[Finalist], Place]":
    """The best elites of a run, best first; no more than the largest effort looks at."""
    from evaluators.optimizers.efforts import efforts
    from evaluators.optimizers.validation import Finalist

    most = max(each.n_finalists for each in efforts().values())
    with reading(run) as reader:
        elites = best_elites(reader, most * len(EFFORTS))  # islands hold copies
    finalists = [
        Finalist(
            name=f"candidate {elite.candidate.id}",
            text=_rule_text(entry_text(elite), f"candidate {elite.candidate.id} of {run}"),
            score=elite.evaluation.score,
        )
        for elite in elites
    ]
    return finalists, Place(run / "validation.jsonl", run / "validation.json")


def _rule_text(text: str, where: str) -> str:
    """The text, if it is an update rule.

    Raises:
        UsageError: it is none.
    """
    from sandbox.errors import CandidateSyntaxError
    from sandbox.update_rules.rule import read_rule

    try:
        return read_rule(text).text
    except CandidateSyntaxError as error:
        hint = "validate is for update rules, as those of `evolve run optimizers`"
        raise UsageError(f"{where} is no update rule: {clean_line(str(error))}", hint=hint) from error


def _validated(finalists: "list[Finalist]", effort: str, device: str, place: Place) -> dict[str, Any]:
    """What validation finds, as a document that is also written down."""
    _require_torch()
    from evaluators.errors import EvaluatorError
    from evaluators.optimizers.efforts import efforts
    from evaluators.optimizers.validation import validate
    from evolve.store.lock import only_writer
    from sandbox.torch_device import DeviceError

    try:
        with only_writer(place.ledger):
            chosen = efforts()[effort]
            document = validate(finalists, chosen, _trained(chosen, device, place)).to_json()
            text = json.dumps(plain_data({"schema": SCHEMA, **document}), indent=1, allow_nan=False)
            place.document.write_text(text + "\n", encoding="utf-8")
    except DeviceError as error:
        raise EvolveEnvironmentError(str(error)) from error
    except EvaluatorError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise EvolveEnvironmentError(f"cannot write {error.filename}: {error.strerror}") from error
    return document


def _require_torch() -> None:
    from evaluators.optimizers.needs import INSTALL, MISSING, has_torch

    if not has_torch():
        raise EvolveEnvironmentError(MISSING, hint=INSTALL)


def _trained(effort: "Effort", device: str, place: Place) -> "Trained":
    """What validation works with; reference data that are missing are measured first."""
    from evaluators.optimizers.baselines import Baselines
    from evaluators.optimizers.ledger import Ledger
    from evaluators.optimizers.references_measuring import prepare
    from evaluators.optimizers.rungs import first_seed_of, judge_rung
    from evaluators.optimizers.scoring_trainer import ProxyTrainer
    from evaluators.optimizers.validation import Trained
    from sandbox.torch_device import open_device

    def say(text: str) -> None:
        click.echo(clean_line(text), err=True)

    trainer = ProxyTrainer(device=str(open_device(device).device))
    suites: dict[str, tuple[Run, ...]] = {
        "search": judge_rung().runs,
        "validation": effort.ladder[0].runs,
        "test": effort.test.runs,
    }
    references = [prepare(runs, say=say, trainer=trainer, first_seed=first_seed_of(s)) for s, runs in suites.items()]
    return Trained(
        trainer=trainer,
        ledger=Ledger(place.ledger),
        references=references[-1],
        baselines=Baselines.shipped(),
        say=say,
    )


def _lines(document: dict[str, Any], place: Place) -> Iterator[str]:
    yield from validation_lines(document)
    yield ""
    yield f"all of it is in {place.document}; what was trained is kept in {place.ledger}"
