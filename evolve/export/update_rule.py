"""An update rule as an optimizer: the evolved program verbatim, and around it a class of ours. Nothing is run here."""

import ast
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from evolve.errors import UsageError
from evolve.export.discovery import Discovery
from evolve.export.heading import hash_comment, origin, wrapped
from evolve.export.needed_text import needed_text
from evolve.export.pseudo_code import latex_rule
from evolve.export.update_rule_checks import reasons_against
from evolve.export.update_rule_numpy import NUMPY_CLASS, NUMPY_TEST
from evolve.export.update_rule_torch import TORCH_CLASS, TORCH_TEST
from sandbox.errors import CandidateSyntaxError

DEFAULT_FUNCTION = "update"
DEFAULT_RATE = 1e-3
N_ARGUMENTS = 6
CONTRACT = "update(xp, parameter, gradient, state, step, learning_rate) -> (change, state)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The part of a candidate's text that defines an update rule, and the rule's syntax tree."""

    text: str
    function: ast.FunctionDef

    @property
    def namespace(self) -> str:
        """What the rule calls its array namespace."""
        return self.function.args.args[0].arg


def rule_files(discovery: Discovery, wanted: str, name: str, *, with_test: bool) -> dict[str, str]:
    """The files of an update rule as torch, numpy or LaTeX; the first is called `name`, a test `test_<name>`.

    Raises:
        UsageError: the program is no update rule of the contract, or uses what other array libraries do not have.
    """
    rule = rule_of(discovery, form=wanted)
    return RULE_FORMS[wanted](discovery, rule, name, with_test)


def rule_of(discovery: Discovery, *, form: str) -> Rule:
    """The update rule that a candidate's text defines.

    Raises:
        UsageError: it defines none, or one that cannot have this form: every reason is told at once.
    """
    identifier = discovery.record.candidate.id
    if len(discovery.files) != 1:
        raise UsageError(
            f"candidate {identifier} has {len(discovery.files)} files, an exported optimizer is one",
            hint="--as python writes them as they are",
        )
    wanted = (discovery.export.function if discovery.export is not None else None) or DEFAULT_FUNCTION
    try:
        needed = needed_text(discovery.entry, wanted)
        tree = ast.parse(needed.in_place)
    except (SyntaxError, CandidateSyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"candidate {identifier} is not Python: {error}") from error
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == wanted]
    if len(functions) != 1 or not _fits(functions[0]):
        found = f"defines {wanted} {len(functions)} times" if len(functions) != 1 else f"has another kind of {wanted}"
        raise UsageError(
            f"candidate {identifier} {found}, expected one plain function {CONTRACT.replace('update', wanted, 1)}",
            hint="[export] function names the rule's function",
        )
    rule = Rule(text=needed.text, function=functions[0])
    reasons = reasons_against(needed.in_place, tree, rule.namespace, form=form)
    if reasons:
        hint = "--as python writes the program as it is; docs/exports.md lists what rules may use"
        raise UsageError(f"candidate {identifier} cannot become an optimizer: {'; '.join(reasons[:8])}", hint=hint)
    return rule


def _fits(function: ast.FunctionDef) -> bool:
    arguments = function.args
    extra = arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs
    return not extra and len(arguments.args) == N_ARGUMENTS and not function.decorator_list


def _torch(discovery: Discovery, rule: Rule, name: str, with_test: bool) -> dict[str, str]:
    form = (
        "a torch.optim.Optimizer. It changes one parameter at a time (no foreach, fused or capturable form), and takes "
        "dense real gradients."
    )
    return _module(discovery, rule, (name, form, TORCH_CLASS), TORCH_TEST if with_test else "")


def _numpy(discovery: Discovery, rule: Rule, name: str, with_test: bool) -> dict[str, str]:
    form = "a small class over dictionaries of numpy arrays."
    return _module(discovery, rule, (name, form, NUMPY_CLASS), NUMPY_TEST if with_test else "")


def _module(discovery: Discovery, rule: Rule, wanted: tuple[str, str, str], test: str) -> dict[str, str]:
    """The module (its file's name, what to say of its form, the class around the rule), and its test if any."""
    name, form, template = wanted
    words = {
        "@CLASS@": class_name(discovery.problem.name),
        "@RULE@": rule.function.name,
        "@RATE@": repr(default_rate(discovery)),
        "@FILE@": json.dumps(PurePath(name).name, ensure_ascii=False),
    }
    head = hash_comment(wrapped([*facts(discovery), f"Form: {form}", "", *origin(discovery)]))
    end = "# The end of the evolved program."
    files = {name: f"{head}\n{rule.text.rstrip()}\n\n\n{end}\n\n{_filled(template, words)}"}
    if test:
        about = hash_comment(wrapped([f"Tests of {name}, for pytest.", "", *origin(discovery)]))
        files[f"test_{PurePath(name).stem}.py"] = f"{about}\n{_filled(test, words)}"
    return files


def _latex(discovery: Discovery, rule: Rule, name: str, with_test: bool) -> dict[str, str]:
    del with_test  # there is nothing to run
    head = hash_comment(wrapped([*facts(discovery, verbatim=False), "", *origin(discovery)]), "%")
    try:
        body = latex_rule(rule.function, rule.namespace)
    except (RecursionError, ValueError) as error:
        raise UsageError(
            f"candidate {discovery.record.candidate.id} is nested too deeply, or has a number too long, for a formula",
            hint="--as python writes the program as it is",
        ) from error
    return {name: f"{head}\n{body}"}


def facts(discovery: Discovery, *, verbatim: bool = True) -> list[str]:
    """What the head of an exported rule says."""
    evaluation, proof = discovery.record.evaluation, discovery.certificate
    score = f"Score {evaluation.score!r} ({discovery.problem.tables.problem.score})"
    known = "PROVED by the problem's verification" if proof is not None and proof.is_proof else "measured, not proved"
    said = f" Verification says: {discovery.verification}." if discovery.verification else ""
    certificate = "" if proof is None else f" Certificate {proof.name} of the run, SHA-256 {proof.sha256}."
    lines = [f"An update rule: {discovery.problem.title}", f"{score}: {known}.{said}{certificate}"]
    if _tuned(discovery) is not None:
        lines.append(f"The learning rate {_tuned(discovery)!r} is the one that the evaluator reported with that score.")
    if verbatim:
        lines.append(
            "This file contains the evolved program VERBATIM, down to the line that says so: its evolve block and what "
            "that uses of the file around it. A machine wrote it: read it before you run it."
        )
    return lines


def default_rate(discovery: Discovery) -> float:
    """The learning rate that goes with the score, where the evaluator reports it as a metric `learning_rate`."""
    tuned = _tuned(discovery)
    return DEFAULT_RATE if tuned is None else tuned


def _tuned(discovery: Discovery) -> float | None:
    rate = discovery.record.evaluation.metrics.get("learning_rate")
    return rate if rate is not None and 0.0 < rate < float("inf") else None


def class_name(problem: str) -> str:
    """`Evolved` and the problem's name in capitals and small letters."""
    return "Evolved" + "".join(part.capitalize() for part in problem.split("_"))


def _filled(template: str, words: Mapping[str, str]) -> str:
    for word, text in words.items():
        template = template.replace(word, text)
    return template


RULE_FORMS: Mapping[str, Callable[[Discovery, Rule, str, bool], dict[str, str]]] = {
    "torch": _torch,
    "numpy": _numpy,
    "latex": _latex,
}
