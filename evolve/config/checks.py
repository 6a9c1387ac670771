"""Rules of a problem that need two tables or the folder: files are there, the seed program parses, the judge exists.

They read the raw file, table by table, so that they are reported even when other keys are wrong.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluators.spec import CONSTRUCTION_FAMILY, OPTIMIZER_FAMILY
from evolve.config.folder import missing_file, read_seed
from evolve.config.mistakes import Mistake, did_you_mean
from evolve.config.python_text import START_MARKER, blocks_of, parse_python
from evolve.config.tables import SeedTable, SymbolicTable
from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import BUILT_IN, Vocabulary, VocabularyError, load_vocabulary

Raw = Mapping[str, Any]


def check_folder(folder: Path, raw: Raw) -> tuple[dict[str, str], dict[str, Any], list[Mistake]]:
    """The seed files' text, the baselines, and every mistake that pydantic cannot see."""
    names = [name for name in _names(raw, "seed", "files", SeedTable().files) if not _leaves_folder(name)]
    seed_files, mistakes = read_seed(folder, names)
    baselines, more = _baselines(folder, raw)
    mistakes += more
    file = _table(raw, "evaluator").get("file")
    if isinstance(file, str) and not os.path.isfile(folder / file):
        mistakes.append(missing_file(folder, "evaluator.file", file))
    language = _table(raw, "problem").get("language")
    mistakes += _check_tables_of_the_language(raw, language)
    mistakes += _check_gpus(raw) + _check_triton(raw)
    mistakes += _check_parameters(folder, raw)
    mistakes += _check_export(raw, language)
    if language == "symbolic":
        mistakes += _check_symbolic(folder, raw, seed_files)
    if language == "python":
        mistakes += _check_python(seed_files)
    return seed_files, baselines, mistakes


def _table(raw: Raw, name: str) -> Raw:
    table = raw.get(name)
    return table if isinstance(table, dict) else {}


def _names(raw: Raw, table: str, key: str, default: tuple[str, ...]) -> list[str]:
    names = _table(raw, table).get(key, default)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list | tuple) else []


def _leaves_folder(name: str) -> bool:
    return not name or name.startswith("/") or ".." in name.split("/")


def _baselines(folder: Path, raw: Raw) -> tuple[dict[str, Any], list[Mistake]]:
    name = _table(raw, "baselines").get("file")
    if not isinstance(name, str):
        return {}, []
    if not os.path.isfile(folder / name):
        return {}, [missing_file(folder, "baselines.file", name)]
    try:
        baselines = json.loads((folder / name).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        return {}, [Mistake(key="baselines.file", got=f"{name}: {error}", expected="a JSON file")]
    if not isinstance(baselines, dict):
        return {}, [Mistake(key="baselines.file", got=f"{name} without names in it", expected="a JSON object")]
    return baselines, []


def _check_tables_of_the_language(raw: Raw, language: object) -> list[Mistake]:
    """A symbolic candidate never gets a process; a Python one has no vocabulary."""
    return [
        Mistake(key=f"[{table}]", got="this table", expected=f'it only with problem.language = "{owner}"')
        for table, owner, other in (("symbolic", "symbolic", "python"), ("sandbox", "python", "symbolic"))
        if table in raw and language == other
    ]


def _check_gpus(raw: Raw) -> list[Mistake]:
    limits, gpus = _table(raw, "limits"), _table(raw, "sandbox").get("gpus", "none")
    mistakes = []
    if gpus in ("none", []):
        expected = "it only with graphics cards: [sandbox] gpus = [0]"
        given = {key: limits[key] for key in ("gpu_memory_mb", "gpu_shared_mb") if limits.get(key)}
        mistakes += [Mistake(key=f"limits.{key}", got=repr(got), expected=expected) for key, got in given.items()]
    if limits.get("gpu_shared_mb") and not limits.get("shared_mb"):
        expected = "it only with limits.shared_mb: who is timed shares memory of the machine, too"
        mistakes.append(Mistake(key="limits.gpu_shared_mb", got=repr(limits["gpu_shared_mb"]), expected=expected))
    return mistakes


def _check_triton(raw: Raw) -> list[Mistake]:
    if "triton" not in _names(raw, "sandbox", "preload", ()) or _table(raw, "limits").get("scratch_mb"):
        return []
    expected = "a scratch folder, such as 64: a compiled kernel of Triton's is kept in files"
    return [Mistake(key="limits.scratch_mb", got="none", expected=expected)]


def _check_parameters(folder: Path, raw: Raw) -> list[Mistake]:
    mistakes = []
    if raw.get("parameters") and _table(raw, "evaluator").get("family") != CONSTRUCTION_FAMILY:
        expected = f'it only with evaluator.family = "{CONSTRUCTION_FAMILY}"'
        mistakes.append(Mistake(key="[parameters]", got="this table", expected=expected))
    mistakes += _check_family(raw)
    file = _table(raw, "known").get("file")
    if isinstance(file, str) and not os.path.isfile(folder / file):
        mistakes.append(missing_file(folder, "known.file", file))
    return mistakes


def _check_family(raw: Raw) -> list[Mistake]:
    name = _table(raw, "family").get("parameter")
    values = _table(raw, "parameters")
    if not isinstance(name, str) or type(values.get(name)) is int:
        return []
    numbers = [each for each, value in values.items() if type(value) is int]
    expected = f"a parameter that is a whole number: {', '.join(numbers) or 'there is none in [parameters]'}"
    return [Mistake(key="family.parameter", got=f'"{name}"', expected=expected, hint=did_you_mean(name, numbers))]


def _check_export(raw: Raw, language: object) -> list[Mistake]:
    """A symbolic program is a function, and only such a program is translated as one."""
    form = _table(raw, "export").get("form")
    owners = {"function": "symbolic", "update_rule": "python", "construction": "python"}
    owner = owners.get(form) if isinstance(form, str) else None
    if owner is None or language not in ("symbolic", "python") or language == owner:
        return []
    return [Mistake(key="export.form", got=f'"{form}"', expected=f'it only with problem.language = "{owner}"')]


def _check_symbolic(folder: Path, raw: Raw, seed_files: Mapping[str, str]) -> list[Mistake]:
    defaults = SymbolicTable()
    table = _table(raw, "symbolic")
    name = table.get("vocabulary", defaults.vocabulary)
    inputs = _names(raw, "symbolic", "inputs", defaults.inputs)
    limit = table.get("max_operations", defaults.max_operations)
    if not isinstance(name, str):
        return []
    if name.endswith(".py") and not os.path.isfile(folder / name):
        return [missing_file(folder, "symbolic.vocabulary", name)]
    try:
        vocabulary = load_vocabulary(folder / name if name.endswith(".py") else name)
    except VocabularyError as error:
        return [Mistake(key="symbolic.vocabulary", got=f'"{name}"', expected="a vocabulary", hint=str(error))]
    if len(seed_files) > 1:
        found = ", ".join(seed_files)
        return [Mistake(key="seed.files", got=found, expected="one file: a symbolic candidate is one function")]
    mistakes = _check_update_rules(raw, vocabulary, inputs)
    if mistakes:
        return mistakes
    for file, text in seed_files.items():
        try:
            program = parse(text, vocabulary, inputs=inputs, max_operations=limit if isinstance(limit, int) else None)
        except CandidateSyntaxError as error:
            mistakes.append(Mistake(key=file, expected="a program of the symbolic language", hint=error.detail))
            continue
        wanted = table.get("function", defaults.function)
        if program.name != wanted:
            mistakes.append(Mistake(key=file, got=f"def {program.name}", expected=f"def {wanted}"))
    return mistakes


def _check_update_rules(raw: Raw, vocabulary: Vocabulary, inputs: Sequence[str]) -> list[Mistake]:
    """Rules are judged by training, all else is not; and rules may name what the vocabulary knows of."""
    is_rules, family = vocabulary.signature is not None, _table(raw, "evaluator").get("family")
    if is_rules != (family == OPTIMIZER_FAMILY):
        got = f'"{vocabulary.name}"' + (f' with evaluator.family = "{family}"' if isinstance(family, str) else "")
        rules = [name for name, each in BUILT_IN.items() if each.signature is not None]
        expected = (
            f'it only with evaluator.family = "{OPTIMIZER_FAMILY}", which trains networks with rules'
            if is_rules
            else f"the vocabulary of update rules: {' or '.join(map(repr, rules))}"
        )
        return [Mistake(key="symbolic.vocabulary", got=got, expected=expected)]
    if vocabulary.signature is None:
        return []
    known = vocabulary.signature.inputs
    unknown = [name for name in inputs if name not in known]
    expected = f"some of {', '.join(known)}, and g among them"
    if unknown or "g" not in inputs:
        hint = next((told for name in unknown if (told := did_you_mean(name, known))), "")
        return [Mistake(key="symbolic.inputs", got=", ".join(inputs), expected=expected, hint=hint)]
    return []


def _check_python(seed_files: Mapping[str, str]) -> list[Mistake]:
    mistakes = []
    n_blocks = 0
    for name, text in seed_files.items():
        try:
            parse_python(text)
        except CandidateSyntaxError as error:
            mistakes.append(Mistake(key=name, expected="Python that parses", hint=error.detail))
        try:
            n_blocks += len(blocks_of(text))
        except CandidateSyntaxError as error:
            mistakes.append(Mistake(key=name, expected="evolve blocks in pairs of markers", hint=error.detail))
            n_blocks += 1
    if seed_files and not n_blocks:
        mistakes.append(
            Mistake(
                key="seed.files",
                got="no evolve block",
                expected=f"at least one pair of lines {START_MARKER} and {START_MARKER.replace('START', 'END')} "
                "around the code that may change",
            )
        )
    return mistakes
