"""Constructions on the command line: areas and tiers, verification of a file with its certificate, drawings."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from evolve.__main__ import main
from tests.unit.constructions.checked import confirm
from tests.unit.view.small_run import write_run

Invoke = Callable[..., Any]
SQUARE = [[0.25, 0.25, 0.25], [0.75, 0.75, 0.25], [0.25, 0.75, 0.25], [0.75, 0.25, 0.25]]
FOUR = ("verify", "--problem", "circles_in_square", "--parameter", "n=4", "--construction")


@pytest.fixture
def circles(tmp_path: Path) -> Path:
    path = tmp_path / "circles.json"
    path.write_text(json.dumps(SQUARE), encoding="utf-8")
    return path


def names(invoke: Invoke, *arguments: str) -> list[str]:
    result = invoke("problems", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return [problem["name"] for problem in json.loads(result.stdout)["problems"]]


def test_problems_are_listed_by_area_and_by_tier(invoke: Invoke) -> None:
    packing, easy = names(invoke, "--area", "packing"), names(invoke, "--tier", "a")

    assert {"circles_in_square", "hexagons_in_hexagon"} <= set(packing)
    assert "tammes" not in packing
    assert {"tammes", "heilbronn_triangle"} <= set(easy)
    assert names(invoke, "--area", "packing", "--tier", "A", "--tier", "C") == ["cubes_in_cube", "squares_in_square"]
    assert "tammes" in names(invoke)
    assert "exp2" in names(invoke)


def test_the_list_shows_best_values_and_a_problem_says_where_they_are_from(invoke: Invoke) -> None:
    listed, one = invoke("problems", "--area", "algebra"), invoke("problems", "matrix_multiplication")

    (row,) = (line.split() for line in listed.stdout.splitlines() if line.startswith("matrix_multiplication"))
    assert row[1:4] == ["algebra", "B", "23"]
    assert "known: products 23 Laderman 1976" in one.stdout
    assert "AlphaEvolve: 23" in one.stdout
    assert "parameters: n=3,m=3,p=3,ring=z" in one.stdout


def test_other_parameters_have_other_best_values(invoke: Invoke) -> None:
    result = invoke("problems", "matrix_multiplication", "--parameter", "n=2,m=2", "--parameter", "p=2", "--json")

    problem = json.loads(result.stdout)
    assert problem["name"] == "matrix_multiplication_n2_m2_p2_ringz"
    assert problem["known"]["value"] == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["problems", "--area", "nowhere"], "no area 'nowhere': there are algebra"),
        (["problems", "--parameter", "n=2"], "--parameter is for one problem"),
        (["problems", "tammes", "--parameter", "n"], "give NAME=VALUE"),
        (["problems", "tammes", "--parameter", "n=1,n=2"], "gives n twice"),
        (["problems", "tammes", "--parameter", "m=2"], "no parameter 'm'"),
        (["problems", "--generalize"], "--generalize is for one problem"),
        (["problems", "exp2", "--generalize"], "only constructions with [parameters] have sizes"),
        (["problems", "golomb_ruler", "--parameter", "n=5..2"], "the sizes 5..2 of n are none"),
        (["run", "tammes", "--parameter", "n=5,x"], "expected whole numbers"),
        (["verify", "--problem", "tammes", "--parameter", "n=4,5", "--construction", "x"], "no best value is known"),
        (["verify", "--problem", "golomb_ruler", "--parameter", "n=4,5", "--construction", "x"], "is for one size"),
        (["verify"], "give a RUN, or --problem NAME and --construction FILE"),
        (["verify", "--problem", "tammes"], "give a RUN, or"),
        (["verify", "--problem", "exp2", "--construction", "x.json"], "has no verifier of constructions"),
        (["verify", "--problem", "tammes", "--construction", "not_there.json"], "cannot read not_there.json"),
    ],
)
def test_wrong_words_are_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(arguments)

    assert code == 2
    assert message in capsys.readouterr().err


def test_a_construction_is_verified_and_its_certificate_checked(circles: Path, invoke: Invoke) -> None:
    target = circles.with_name("proof.json")

    result = invoke(*FOUR, str(circles), "--certificate", str(target))

    assert result.exit_code == 0
    assert "certified: 1.0 for circles_in_square_n4, exactly; score 1.0" in result.stdout
    certificate = json.loads(target.read_text(encoding="utf-8"))
    assert certificate["parameters"] == {"n": 4}
    runpy.run_path(str(circles.with_name("check_circles.py")))["check"](certificate)


def test_a_certificate_of_best_known_values_names_them(circles: Path, invoke: Invoke) -> None:
    answer = json.loads(invoke(*FOUR, str(circles), "--json").stdout)

    assert answer["schema"] == "evolve.verify_construction/1"
    assert (answer["verdict"], answer["value"], answer["is_exact"]) == ("certified", 1.0, True)
    assert answer["certificate"] is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (json.dumps(SQUARE[:3]), "has 3 entries, expected 4"),
        ('[[1, 2, "\\u001b]0;owned\\u0007"]]', "has 1 entries"),
        ("[NaN]", "the number NaN"),
    ],
)
def test_a_construction_that_is_none_is_refuted_with_the_reason(
    circles: Path, text: str, reason: str, invoke: Invoke
) -> None:
    circles.write_text(text, encoding="utf-8")

    result = invoke(*FOUR, str(circles))

    assert result.exit_code == 1
    assert result.stdout.startswith("refuted: ")
    assert reason in result.stdout
    assert "\x1b" not in result.stdout


def test_a_certificate_that_cannot_be_written_is_told(circles: Path, invoke: Invoke) -> None:
    result = invoke(*FOUR, str(circles), "--certificate", str(circles / "below" / "proof.json"))

    assert result.exit_code != 0
    assert "cannot write" in str(result.exception)


def test_a_problem_tells_its_sizes_and_what_they_are_compared_with(invoke: Invoke) -> None:
    told, one = invoke("problems", "golomb_ruler", "--parameter", "n=5,7/6,8"), invoke("problems", "golomb_ruler")

    assert "sizes: n = 5, 7; held out: 6, 8\n" in told.stdout
    assert "compared with the best known values: 5: 11, 7: 25, 6: 17, 8: 34" in told.stdout
    assert "(with --generalize)" in one.stdout
    assert "compared with" not in one.stdout


def test_a_run_that_generalizes_is_verified_on_sizes_that_it_never_saw(tmp_path: Path, invoke: Invoke) -> None:
    run = tmp_path / "run"
    words = ["--parameter", "n=5,7/6", "--evaluations", "2", "--workers", "1", "--run-dir", str(run), "--plain"]
    words += ["--seed", "2"]  # whose child ends at once: that of seed 0 looks for a mark until its time is over

    searched, before = invoke("run", "golomb_ruler", *words), invoke("show", str(run), "1")
    verified, after = invoke("verify", str(run), "1"), invoke("show", str(run), "1", "--json")

    assert searched.exit_code == 0, searched.output
    assert "verified" not in before.stdout
    assert verified.exit_code == 0, verified.output
    assert "held out: mean" in verified.stdout
    assert "generalization gap" in json.loads(after.stdout)["verified"]["detail"]
    proof = json.loads((run / "certificates" / "1" / "n6.json").read_text(encoding="utf-8"))
    checker = verified.stdout.split("python ")[1].split()[0]
    assert Path(checker).name == proof["certificate"]["checker"]
    confirm(proof["certificate"])


def test_what_a_candidate_made_is_drawn_into_a_file(tmp_path: Path, invoke: Invoke) -> None:
    run, target = tmp_path / "run", tmp_path / "made.svg"
    write_run(run)

    result = invoke("show", str(run), "4", "--picture", str(target))

    assert result.exit_code == 0, result.output
    root = ElementTree.fromstring(target.read_text(encoding="utf-8"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(root.findall("{http://www.w3.org/2000/svg}circle")) == 1


def test_where_nothing_was_made_nothing_is_drawn(tmp_path: Path, invoke: Invoke) -> None:
    write_run(tmp_path / "run")

    result = invoke("show", str(tmp_path / "run"), "2", "--picture", str(tmp_path / "made.svg"))

    assert "left no picture" in str(result.exception)
    assert not (tmp_path / "made.svg").exists()


def test_a_certificate_does_not_replace_the_construction(circles: Path, invoke: Invoke) -> None:
    result = invoke(*FOUR, str(circles), "--certificate", str(circles.parent / "." / circles.name))

    assert result.exit_code != 0
    assert "would replace the construction" in str(result.exception)
    assert json.loads(circles.read_text(encoding="utf-8")) == SQUARE


def test_a_problem_shows_what_our_runs_found(invoke: Invoke) -> None:
    told, one = invoke("problems", "minmax_distance_ratio"), invoke("problems", "minmax_distance_ratio", "--json")

    (find,) = (each for each in json.loads(one.stdout)["found"] if each["parameters"] == {"n": 16, "d": 2})
    assert find["standing"] == "beats"
    assert find["value"] < find["alphaevolve"] < 12.8893
    assert json.loads(Path(find["file"]).read_text(encoding="utf-8"))["certificate"]["parameters"] == {"n": 16, "d": 2}
    assert "for n=16,d=2, beats AlphaEvolve's 12.889266112: " in told.stdout
    assert json.loads(invoke("problems", "exp2", "--json").stdout)["found"] == []
