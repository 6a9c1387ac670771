"""An update rule of our language as files for other software: what it is, and which form is asked for."""

import ast
import math
import re
from collections.abc import Callable, Mapping
from pathlib import PurePath

from evolve.errors import UsageError
from evolve.export.discovery import Discovery
from evolve.export.heading import hash_comment, origin, wrapped
from evolve.export.pseudo_code import latex_rule
from evolve.export.update_rule import DEFAULT_RATE, class_name, facts
from evolve.export.update_rule_module import torch_module
from evolve.export.update_rule_numpy_module import numpy_module
from evolve.export.update_rule_recorded import torch_test
from evolve.export.update_rule_validated import validation_lines
from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.update_words import OPTIMIZER, OPTIMIZER_ELEMENTWISE
from sandbox.update_rules.rule import UpdateRule, read_rule

VOCABULARIES = (OPTIMIZER.name, OPTIMIZER_ELEMENTWISE.name)
_NAMESPACE = "words"


def is_update_rule(discovery: Discovery) -> bool:
    """Whether the candidate is an update rule in our language."""
    problem = discovery.problem
    return problem.language == "symbolic" and problem.tables.symbolic.vocabulary in VOCABULARIES


def symbolic_rule_files(discovery: Discovery, wanted: str, name: str, *, with_test: bool) -> dict[str, str]:
    """The files of an update rule as torch, numpy or LaTeX; the first is called `name`, a test `test_<name>`.

    Raises:
        UsageError: the program is no update rule.
    """
    try:
        rule = read_rule(discovery.entry)
    except CandidateSyntaxError as error:
        raise UsageError(f"candidate {discovery.record.candidate.id} is no update rule: {error.detail}") from error
    return SYMBOLIC_RULE_FORMS[wanted](discovery, rule, name, with_test)


def _torch(discovery: Discovery, rule: UpdateRule, name: str, with_test: bool) -> dict[str, str]:
    form = (
        "a torch.optim.Optimizer that changes all parameters of a group at once (torch._foreach_*). It takes dense "
        "real gradients; it has no fused or capturable form."
    )
    label, rate = class_name(discovery.problem.name), typical_rate(tuned_rates(discovery))
    files = {name: f"{_head(discovery, rule, form)}\n{torch_module(rule, label, rate)}"}
    if with_test:
        about = hash_comment(wrapped([f"Tests of {name}, for pytest.", "", *origin(discovery)]))
        files[f"test_{PurePath(name).stem}.py"] = f"{about}\n{_test(discovery, rule, label, PurePath(name).name)}"
    return files


def _test(discovery: Discovery, rule: UpdateRule, label: str, file_name: str) -> str:
    try:
        return torch_test(rule, label, file_name)
    except ValueError as error:
        identifier = discovery.record.candidate.id
        raise UsageError(f"candidate {identifier}: {error}: export it without a test") from error


def _numpy(discovery: Discovery, rule: UpdateRule, name: str, with_test: bool) -> dict[str, str]:
    if with_test:
        raise UsageError("--with-test is for update rules of our language as torch", hint="leave it away")
    form = "a small class over dictionaries of numpy arrays, in float64."
    label, rate = class_name(discovery.problem.name), typical_rate(tuned_rates(discovery))
    return {name: f"{_head(discovery, rule, form)}\n{numpy_module(rule, label, rate)}"}


def _latex(discovery: Discovery, rule: UpdateRule, name: str, with_test: bool) -> dict[str, str]:
    del with_test  # there is nothing to run
    function = ast.parse(_as_methods(rule.text)).body[0]
    assert isinstance(function, ast.FunctionDef)  # a rule's own text is one function
    head = hash_comment(wrapped([*_facts(discovery, rule), "", *origin(discovery)]), "%")
    return {name: f"{head}\n{latex_rule(function, _NAMESPACE)}"}


def tuned_rates(discovery: Discovery) -> dict[str, float]:
    """The learning rate of each task, which the evaluator reports as metrics `lr_<task>`."""
    metrics = discovery.record.evaluation.metrics
    rates = {name.removeprefix("lr_"): value for name, value in metrics.items() if name.startswith("lr_")}
    return {task: rate for task, rate in rates.items() if 0.0 < rate < math.inf}


def typical_rate(rates: Mapping[str, float]) -> float:
    """The geometric mean, to two digits; torch's usual 0.001 where nothing was tuned."""
    if not rates:
        return DEFAULT_RATE
    rate = float(f"{math.exp(sum(map(math.log, rates.values())) / len(rates)):.2g}")
    return rate if 0.0 < rate < math.inf else DEFAULT_RATE


def _as_methods(text: str) -> str:
    """The rule's text with its words as names of a namespace, as formulas are made of."""
    head, body = text.split("\n", 1)
    return f"{head}\n" + re.sub(r"\b([a-z]\w*)\(", rf"{_NAMESPACE}.\1(", body)


def _head(discovery: Discovery, rule: UpdateRule, form: str) -> str:
    return hash_comment(wrapped([*_facts(discovery, rule), f"Form: {form}", "", *origin(discovery)]))


def _facts(discovery: Discovery, rule: UpdateRule) -> list[str]:
    """What the head of an exported rule says."""
    slots = f"state {', '.join(rule.slots)}" if rule.slots else "no state"
    lines = [
        discovery.problem.title,
        *facts(discovery, verbatim=False)[1:],
        f"{rule.n_operations} operations, {slots}. The rule gives the update u of a step w <- w - lr * u and the new "
        "state. Its operations are those that were judged, in the same order.",
    ]
    error = discovery.record.evaluation.metrics.get("standard_error")
    if error is not None:
        lines.append(f"Standard error of the score: {error:.2g}, over the judge's tasks and seeds.")
    rates = tuned_rates(discovery)
    if rates:
        told = ", ".join(f"{task} {rate:.3g}" for task, rate in rates.items())
        lines.append(
            f"Learning rates that the judge tuned: {told}. The default is their geometric mean: tune it for your task."
        )
    lines += validation_lines(discovery.validation, rule.text)
    if "lr" in rule.needs:
        lines.append("The rule reads the learning rate of each step, so another one changes its direction too.")
    if "h" in rule.needs:
        lines.append("The rule reads an estimate of the Hessian's diagonal, made anew every ten steps.")
    if "f" in rule.needs:
        lines.append("The rule reads the loss of each batch: steps need a closure that returns it.")
    return lines


SYMBOLIC_RULE_FORMS: Mapping[str, Callable[[Discovery, UpdateRule, str, bool], dict[str, str]]] = {
    "torch": _torch,
    "numpy": _numpy,
    "latex": _latex,
}
