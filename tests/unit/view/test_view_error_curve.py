"""The error of an approximation as a picture."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from evolve.view.pictures import Curve, picture_of
from evolve.view.run import RunView
from tests.unit.view.small_run import candidate, write_run

TABLES = {
    "problem": {"name": "exp2", "language": "symbolic"},
    "symbolic": {"vocabulary": "arithmetic", "inputs": ["x"], "function": "f"},
    "evaluator": {"family": "function_approximation", "options": {"function": "exp2", "interval": [0, 1]}},
}


def test_the_error_of_an_approximation_is_drawn_from_its_program(tmp_path: Path) -> None:
    # given 1 + x for 2^x on [0, 1]: exact at both ends, the largest relative error is 0.0615 near x = 0.44
    programs = ("def f(x):\n    return x + 1.0\n", "import os\n")
    rows = tuple(candidate(number, score=1.0, source=text) for number, text in enumerate(programs, 1))
    run = write_run(tmp_path / "run", rows)
    with closing(sqlite3.connect(run / "run.db")) as connection, connection:
        value = json.dumps({"tables": TABLES, "baselines": {}})
        connection.execute("UPDATE meta SET value = ? WHERE key = 'problem'", (value,))
    # when
    with RunView(run) as view:
        drawn = picture_of(view, view.reader.candidate(1))
        none = picture_of(view, view.reader.candidate(2))
    # then
    assert drawn is not None
    assert isinstance(drawn.shape, Curve)
    x, error = max(drawn.shape.points, key=lambda point: abs(point[1]))
    assert (x, error) == pytest.approx((0.4427, 0.0615), abs=0.005)
    assert [point[1] for point in (drawn.shape.points[0], drawn.shape.points[-1])] == pytest.approx([0.0, 0.0])
    assert drawn.title == "relative error on [0, 1], largest near x = 0.4417"
    # and what is no such program has no picture
    assert none is None
