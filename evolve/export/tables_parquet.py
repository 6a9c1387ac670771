"""Parquet, by pyarrow: the extra `parquet`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Any

from evolve.errors import EvolveEnvironmentError
from evolve.export.tables_columns import Kind, Row, Table, json_text, without_surrogates

GROUP_ROWS = 10_000
GROUP_CHARACTERS = 32_000_000
_STEP = 200


def write(table: Table, handle: IO[bytes]) -> int:
    """Write the table in groups of rows that fit into memory, whatever its length."""
    arrow, parquet = _libraries()
    types = {
        Kind.INTEGER: arrow.int64(),
        Kind.REAL: arrow.float64(),
        Kind.TEXT: arrow.string(),
        Kind.BOOLEAN: arrow.bool_(),
        Kind.INTEGERS: arrow.list_(arrow.int64()),
        Kind.DATA: arrow.string(),
    }
    schema = arrow.schema([(column.name, types[column.kind]) for column in table.columns])
    cells = [_CELL.get(column.kind) for column in table.columns]
    count = 0
    with parquet.ParquetWriter(handle, schema, compression="zstd") as writer:
        for rows in _groups(table):
            columns = [_column(values, cell) for values, cell in zip(zip(*rows, strict=True), cells, strict=True)]
            arrays = [arrow.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))
            count += len(rows)
    return count


def _libraries() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise EvolveEnvironmentError(
            "Parquet needs pyarrow, which is not installed",
            hint="pip install 'evolve-discovery[parquet]', or choose --format jsonl",
        ) from error
    return pyarrow, pyarrow.parquet


def _groups(table: Table) -> Iterator[list[Row]]:
    """Lists of rows, each cut off when it has many rows or much text."""
    group: list[Row] = []
    size = 0
    while rows := list(islice(table.rows, _STEP)):
        group += rows
        size += sum(len(value) for row in rows for value in row if isinstance(value, str))
        if len(group) >= GROUP_ROWS or size >= GROUP_CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group


def _column(values: Sequence[Any], cell: Callable[[Any], Any] | None) -> list[Any]:
    return list(values) if cell is None else [None if value is None else cell(value) for value in values]


_CELL: Mapping[Kind, Callable[[Any], Any]] = {Kind.TEXT: without_surrogates, Kind.DATA: json_text}
