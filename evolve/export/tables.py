"""Tables of a run for other programs: `csv` for spreadsheets, `jsonl` and `parquet` for exact data."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from evolve.errors import UsageError
from evolve.export.tables_columns import Kind, Table, json_text, spreadsheet_text
from evolve.export.tables_read import TABLES, open_table
from evolve.export.tables_target import whole_file

__all__ = ["FORMATS", "TABLES", "Written", "write_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written."""

    columns: tuple[str, ...]
    rows: int


def write_table(run_dir: Path, what: str, form: str, target: Path | IO[bytes], *, texts: bool = True) -> Written:
    """Write one of the `TABLES` of a run in one of the `FORMATS`, to a file that is there whole or not at all.

    Raises:
        UsageError: there is no run in the folder.
        EvolveEnvironmentError: the run cannot be read, the target not be written, or a library is missing.
    """
    write = FORMATS[form]
    with open_table(run_dir, what, texts=texts) as table:
        names = tuple(column.name for column in table.columns)
        if not isinstance(target, Path):
            return Written(columns=names, rows=write(table, target))
        if target.is_dir():
            raise UsageError(f"{target} is a folder: expected the name of a file")
        with whole_file(target) as handle:
            return Written(columns=names, rows=write(table, handle))


def write_csv(table: Table, handle: IO[bytes]) -> int:
    """Write comma-separated values in UTF-8; text that a spreadsheet or a terminal could obey is made harmless."""
    text = io.TextIOWrapper(handle, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([spreadsheet_text(column.name) for column in table.columns])
    cells = [_CSV_CELL.get(column.kind, _plain) for column in table.columns]
    count = 0
    for row in table.rows:
        writer.writerow([None if value is None else cell(value) for cell, value in zip(cells, row, strict=True)])
        count += 1
    text.detach()
    return count


def _plain(value: Any) -> Any:
    return value


def _numbers(values: Iterable[int]) -> str:
    return " ".join(str(value) for value in values)


_CSV_CELL: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: spreadsheet_text,
    Kind.DATA: lambda value: spreadsheet_text(json_text(value)),
    Kind.INTEGERS: _numbers,
    Kind.BOOLEAN: lambda value: "true" if value else "false",
}


def write_jsonl(table: Table, handle: IO[bytes]) -> int:
    """Write one JSON object a line in plain ASCII: all text comes back exactly as it was."""
    names = [column.name for column in table.columns]
    count = 0
    for row in table.rows:
        handle.write(f"{json_text(dict(zip(names, row, strict=True)))}\n".encode("ascii"))
        count += 1
    return count


def write_parquet(table: Table, handle: IO[bytes]) -> int:
    """Write Parquet.

    Raises:
        EvolveEnvironmentError: pyarrow is not installed.
    """
    from evolve.export.tables_parquet import write

    return write(table, handle)


FORMATS: Mapping[str, Callable[[Table, IO[bytes]], int]] = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
}
