"""What the values in `problem.toml` can be: texts, numbers and names with their ranges; what tables have in common."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
PositiveInt = Annotated[int, Field(ge=1)]
Mebibytes = Annotated[int, Field(ge=1, le=1 << 24)]
MODULE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
IDENTIFIER_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
NAME_PATTERN = r"^[a-z0-9][a-z0-9_]*$"
Module = Annotated[str, Field(pattern=MODULE_PATTERN)]
Identifier = Annotated[str, Field(pattern=IDENTIFIER_PATTERN)]


def wrong(expected: str, hint: str = "") -> PydanticCustomError:
    """The error a validator raises: it says what was expected; key and value are known to the reader."""
    return PydanticCustomError("wrong", "{expected}", {"expected": expected, "hint": hint})


def inside_folder(name: str) -> str:
    """The name of a file, if it stays in the problem's folder: only what is there is watched for changes."""
    if name.startswith("/") or ".." in name.split("/") or "\\" in name:
        raise wrong("paths inside the problem's folder", f"{name!r} leaves it")
    return name


def plain_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters with values that fit into the name of a problem."""
    for name, value in parameters.items():
        is_word = isinstance(value, str) and re.fullmatch(r"[a-z0-9_]{1,32}", value)
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name) or not (type(value) is int or is_word):
            raise wrong("names with whole numbers or words in lower case", f"{name} = {str(value)[:40]!r} is neither")
    return parameters


class Table(BaseModel):
    """A table of the file: unknown keys are mistakes, nothing is converted silently, values do not change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
