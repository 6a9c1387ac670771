"""Which forms a discovery can be exported in, and the files of one."""

from collections.abc import Callable, Mapping

from evolve.errors import UsageError
from evolve.export.c_text import c_function
from evolve.export.construction import constructed_json
from evolve.export.discovery import Discovery
from evolve.export.float32_text import numpy_float32, python_float32, torch_float32
from evolve.export.formula import latex_function
from evolve.export.function_facts import ExportedFunction, exported_function
from evolve.export.function_text import numpy_function, python_function, torch_function
from evolve.export.heading import hash_comment, origin, wrapped
from evolve.export.update_rule import RULE_FORMS, rule_files
from evolve.export.update_rule_symbolic import SYMBOLIC_RULE_FORMS, is_update_rule, symbolic_rule_files

FUNCTION, UPDATE_RULE, CONSTRUCTION = "function", "update_rule", "construction"
ENDINGS = {"python": "py", "numpy": "py", "torch": "py", "c": "h", "latex": "tex", "json": "json"}

_FUNCTION_FORMS: Mapping[str, Callable[[ExportedFunction], str]] = {
    "python": lambda function: (python_float32 if function.is_machine else python_function)(function),
    "numpy": lambda function: (numpy_float32 if function.is_machine else numpy_function)(function),
    "torch": lambda function: (torch_float32 if function.is_machine else torch_function)(function),
    "c": c_function,
    "latex": latex_function,
}
_FORMS_OF = {
    FUNCTION: tuple(_FUNCTION_FORMS),
    UPDATE_RULE: ("python", *RULE_FORMS),
    CONSTRUCTION: ("python", "json"),
    "": ("python",),
}
_CALLED = {
    FUNCTION: "a function",
    UPDATE_RULE: "an update rule",
    CONSTRUCTION: "a construction",
    "": "a program that problem.toml says nothing about",
}


def form_of(discovery: Discovery) -> str:
    """What the candidate is: a rule of our language, what `[export] form` says, or a function if it is symbolic."""
    declared = discovery.export
    if is_update_rule(discovery):
        return UPDATE_RULE
    if declared is not None:
        return declared.form
    return FUNCTION if discovery.problem.language == "symbolic" else ""


def forms_of(discovery: Discovery) -> tuple[str, ...]:
    """The forms that the candidate can be asked for in."""
    return _FORMS_OF[form_of(discovery)]


def needs_certificate(discovery: Discovery) -> bool:
    """Whether the export is worth little without the certificate: a construction's is its exact data."""
    return form_of(discovery) == CONSTRUCTION


def exported(
    discovery: Discovery,
    wanted: str,
    *,
    file_name: str | None = None,
    with_test: bool = False,
    unsafe: bool = False,
) -> dict[str, str]:
    """The files of a discovery in the form `wanted`, the main one first; `file_name` is what that one will be called.

    A construction's program is run for its data, in the sandbox; `unsafe` allows one that confines next to nothing.

    Raises:
        UsageError: the discovery has no such form, or this candidate cannot be written in it.
        SeedError: a construction's program gives no data.
        EvolveEnvironmentError: the sandbox does not work.
    """
    form = form_of(discovery)
    if wanted not in _FORMS_OF[form]:
        raise _refusal(discovery, form, wanted)
    if with_test and (form != UPDATE_RULE or wanted not in ("torch", "numpy")):
        raise UsageError("--with-test is for update rules as torch or numpy")
    name = file_name or f"evolved_{discovery.problem.name}.{ENDINGS[wanted]}"
    if form == CONSTRUCTION and wanted == "json":
        return {name: constructed_json(discovery, unsafe=unsafe)}
    if is_update_rule(discovery) and wanted in SYMBOLIC_RULE_FORMS:
        return symbolic_rule_files(discovery, wanted, name, with_test=with_test)
    if form == UPDATE_RULE and wanted in RULE_FORMS:
        return rule_files(discovery, wanted, name, with_test=with_test)
    if form == FUNCTION and discovery.problem.language != "symbolic":
        raise UsageError(
            "only symbolic programs are functions that can be translated", hint="--as python needs no [export]"
        )
    if form == FUNCTION and _is_over_our_vocabulary(discovery):
        return {name: _FUNCTION_FORMS[wanted](exported_function(discovery))}
    if wanted == "python":
        return as_it_is(discovery)
    exported_function(discovery)  # says what is wrong
    raise AssertionError


def as_it_is(discovery: Discovery) -> dict[str, str]:
    """The candidate's own files, each below a comment that says where it comes from."""
    score = discovery.record.evaluation.score
    facts = [
        discovery.problem.title,
        f"Score {score!r} ({discovery.problem.tables.problem.score}).{_said(discovery)}",
        f"The evolved program, VERBATIM. A machine wrote it: read it before you run it.{_warning(discovery)}",
        "",
        *origin(discovery),
    ]
    head = hash_comment(wrapped(facts))
    return {name: f"{head}\n{text}" for name, text in discovery.files.items()}


def _warning(discovery: Discovery) -> str:
    hidden = any(not (each.isprintable() or each in "\n\t\r") for text in discovery.files.values() for each in text)
    return " WARNING: it holds characters that editors hide, obey or reorder." if hidden else ""


def _said(discovery: Discovery) -> str:
    return f" Verification says: {discovery.verification}." if discovery.verification else ""


def _is_over_our_vocabulary(discovery: Discovery) -> bool:
    return not discovery.problem.tables.symbolic.vocabulary.endswith(".py")


def _refusal(discovery: Discovery, form: str, wanted: str) -> UsageError:
    hint = ""
    if form == "":
        hint = (
            'declare what the programs of this problem are: in problem.toml, [export] form = "update_rule" or '
            '"construction", and function = "name" for the function of the program that is meant'
        )
    return UsageError(
        f"candidate {discovery.record.candidate.id} of {discovery.problem.name} is {_CALLED[form]}, which has no form "
        f"{wanted!r}: expected --as {' or '.join(_FORMS_OF[form])}",
        hint=hint,
    )
