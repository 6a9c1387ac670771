"""From what pydantic reports to mistakes in the words of the file."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from evolve.config.mistakes import Mistake, did_you_mean, one_of, shown
from evolve.config.table_archive import AXIS_KINDS
from evolve.config.table_values import IDENTIFIER_PATTERN, MODULE_PATTERN, NAME_PATTERN
from evolve.config.tables import GPU_CHOICES, TABLES, ProblemFile

WORDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "a finite number",
}
PATTERNS = {
    MODULE_PATTERN: "a module name such as scipy.optimize",
    IDENTIFIER_PATTERN: "a name of letters, digits and _ that starts with no digit",
    NAME_PATTERN: "lower case, digits and _, not _ first",
}


def read_tables(raw: dict[str, Any]) -> tuple[ProblemFile | None, list[Mistake]]:
    """The checked tables, or None with every mistake in them."""
    try:
        return ProblemFile.model_validate(raw), []
    except ValidationError as error:
        return None, [_mistake(details) for details in error.errors(include_url=False)]


def _mistake(error: ErrorDetails) -> Mistake:
    location = error["loc"]
    kind = error["type"]
    context = error.get("ctx", {})
    got = "nothing" if kind == "missing" else shown(error["input"])
    if kind == "extra_forbidden":
        return _unknown_key(location)
    if kind == "union_tag_invalid":
        tag = str(context["tag"])
        return Mistake(
            key=f"{key_of(location)}.kind",
            got=shown(tag),
            expected=one_of(AXIS_KINDS),
            hint=did_you_mean(tag, AXIS_KINDS),
        )
    if kind == "missing" and tuple(location) in TABLES:
        return Mistake(key=f"[{key_of(location)}]", got=got, expected="this table")
    hint = str(context.get("hint", ""))
    if kind == "literal_error":
        hint = did_you_mean(
            str(error["input"]), str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        )
    return Mistake(key=key_of(location), got=got, expected=_expected(kind, context, error["msg"]), hint=hint)


def _expected(kind: str, context: dict[str, Any], message: str) -> str:
    if kind == "missing":
        return "this key"
    if kind in WORDS:
        return WORDS[kind]
    phrases = {
        "greater_than": "more than {gt}",
        "greater_than_equal": "{ge} or more",
        "less_than_equal": "{le} or less",
        "string_too_short": "text that is not empty",
        "string_pattern_mismatch": PATTERNS.get(str(context.get("pattern")), "text like {pattern}"),
        "too_short": "at least {min_length}",
        "literal_error": "{expected}",
        "wrong": "{expected}",
    }
    if kind in phrases:
        phrase = phrases[kind].format(**context)
        return phrase.replace("'", '"') if kind == "literal_error" else phrase
    return message[:1].lower() + message[1:]


def _unknown_key(location: tuple[int | str, ...]) -> Mistake:
    path = tuple(part for part in location[:-1] if isinstance(part, str))
    known = list(TABLES[path].model_fields) if path in TABLES else []
    word = str(location[-1])
    hint = did_you_mean(word, known) or _belongs_to(word)
    return Mistake(key=key_of(location), got="an unknown key", expected=f"one of {', '.join(known)}", hint=hint)


def _belongs_to(word: str) -> str:
    homes = [".".join(path) for path, table in TABLES.items() if path and word in table.model_fields]
    return f"{word} is a key of [{homes[0]}]" if homes else ""


def key_of(location: tuple[int | str, ...]) -> str:
    """The key as a person writes it: `archive.axes[1].low`; the kinds that pydantic inserts are left out."""
    key = ""
    for index, part in enumerate(location):
        if isinstance(part, int):
            key += f"[{part}]"
        elif not (
            (location[:2][-1:] == ("axes",) and index == 3 and part in AXIS_KINDS)
            or (location[:2] == ("sandbox", "gpus") and index == 2 and part in GPU_CHOICES)
        ):
            key += f".{part}" if key else part
    return key
