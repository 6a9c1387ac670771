"""What the head of an exported file says: proved or measured, in which arithmetic, from where; and harmlessly."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evolve.config.tables import ExportTable
from evolve.errors import UsageError
from evolve.export.c_text import c_function
from evolve.export.discovery import CERTIFICATE_SCHEMA, Certificate, Discovery, stored_certificate
from evolve.export.forms import exported
from evolve.export.function_facts import exported_function
from evolve.export.heading import c_comment, plain, wrapped
from tests.unit.export.export_cases import EXP2, PRECISE, PRECISE_DIGITS, discovery_of, shipped

HOSTILE = "\x1b[31mred\x9b2J */ /* ??/ \u202eevil\u2066 \ud800 \\"
PROOF = Certificate(
    name="certificates/7.json",
    sha256="ab" * 32,
    verdict="certified",
    value=1.5e-6,
    detail="relative error at most 1.5e-06 for every x in [0.0, 1.0]",
    body={"function": "2^x", "bound": 1.5e-6},
)


def one_line(text: str) -> str:
    """A comment's words without its marks and line ends."""
    return " ".join(text.replace("\n# ", " ").replace("\n * ", " ").replace("\n% ", " ").split())


def test_a_proof_is_named_with_its_certificate() -> None:
    text = one_line(exported(discovery_of(shipped("exp2"), EXP2, certificate=PROOF), "python")["evolved_exp2.py"])

    assert "PROVED: relative error at most 1.5e-06 for every x in [0.0, 1.0]." in text
    assert f"Certificate certificates/7.json of the run, SHA-256 {'ab' * 32}." in text
    assert "NOT PROVED" not in text


def test_a_measured_error_is_told_as_such() -> None:
    discovery = discovery_of(shipped("exp2"), EXP2, metrics={"max_relative_error": 2.5e-6})

    text = one_line(exported(discovery, "c")["evolved_exp2.h"])

    assert "NOT PROVED, only measured: relative error 2.5e-06, the largest that the judge found." in text
    assert "`evolve export --verify` proves it first" in text


def test_a_refutation_is_told() -> None:
    discovery = discovery_of(shipped("exp2"), EXP2, metrics={"max_relative_error": 2.5e-6}, verdict="refuted: a pole")

    assert "Verification says: refuted: a pole." in one_line(exported(discovery, "latex")["evolved_exp2.tex"])


def test_a_certificate_that_refutes_is_told_and_is_no_proof() -> None:
    against = replace(PROOF, verdict="refuted", detail="a pole at x = 0.5")

    text = one_line(exported(discovery_of(shipped("exp2"), EXP2, certificate=against), "c")["evolved_exp2.h"])

    assert "NOT PROVED" in text
    assert "Verification says: refuted: a pole at x = 0.5." in text


def test_a_bound_that_float64_cannot_reach_is_told_loudly_with_the_measured_error() -> None:
    proof = replace(PROOF, value=1e-20, detail="relative error at most 1e-20 for every x in [0.0, 1.0]")

    text = one_line(exported(discovery_of(shipped("exp2"), EXP2, certificate=proof), "numpy")["evolved_exp2.py"])

    assert "WARNING: float64 arithmetic does NOT reach the bound above: with its rounding the error is" in text
    assert "over 3998 points of the interval" in text


def test_a_bound_that_float64_reaches_needs_no_warning() -> None:
    proof = replace(PROOF, value=0.5, detail="relative error at most 0.5 for every x in [0.0, 1.0]")

    text = one_line(
        exported(discovery_of(shipped("exp2"), "def f(x):\n    return 1.4\n", certificate=proof), "c").popitem()[1]
    )

    assert "WARNING" not in text
    assert "the largest relative error over 3998 points of the interval is 0.4, at 0.0" in text


def test_points_where_float64_gives_no_number_are_named() -> None:
    text = exported(discovery_of(shipped("exp2"), "def f(x):\n    return x * 1.0 / x + x\n"), "python").popitem()[1]

    assert "WARNING: at 0.0 float64 evaluation gives no finite number" in one_line(text)


def test_long_constants_stand_beside_the_double_that_code_has() -> None:
    discovery = discovery_of(shipped("exp2"), PRECISE)

    python, c = (exported(discovery, wanted).popitem()[1] for wanted in ("python", "c"))

    assert f"* 0.6931471805599453  # exactly {PRECISE_DIGITS}" in python
    assert f"0x1.62e42fefa39efp-1;  /* exactly {PRECISE_DIGITS} */" in c
    assert "2 of the constants were judged with more digits than float64 holds" in one_line(c)


def test_the_origin_names_run_candidate_seed_problem_and_version() -> None:
    problem = shipped("exp2")

    text = one_line(exported(discovery_of(problem, EXP2), "torch")["evolved_exp2.py"])

    assert "Found by Evolve 0.1.0: candidate 7 of the run 20260102T030405Z-5, rng_seed 5, operator mutate" in text
    assert problem.content_hash in text
    assert "To cite:" in text
    assert "Licence:" in text


def test_weights_and_absolute_errors_are_named() -> None:
    problem = shipped("exp2")
    evaluator = problem.tables.evaluator.model_copy(
        update={"options": {"function": "exp2", "interval": [0, 1], "error": {"weight": "1 + x"}}}
    )
    weighted = replace(problem, tables=problem.tables.model_copy(update={"evaluator": evaluator}))

    text = one_line(exported(discovery_of(weighted, EXP2, metrics={"max_weighted_error": 1e-7}), "c").popitem()[1])

    assert "Errors are absolute errors times the weight 1 + x." in text
    assert "NOT PROVED, only measured: weighted error 1e-07" in text


def test_a_float32_head_speaks_of_ulps_and_of_every_float32() -> None:
    problem = shipped("exp2_f32")
    proof = replace(PROOF, value=0.6, detail="at most 0.600000 ulp for all 2197 float32 numbers, most at x = 1.0")

    text = one_line(exported(discovery_of(problem, problem.seed_files["seed.py"], certificate=proof), "c").popitem()[1])

    assert "PROVED: error in ulp at most 0.6: at most 0.600000 ulp for all 2197 float32 numbers" in text
    assert "Every operation rounds to float32" in text


def hostile() -> Discovery:
    problem = shipped("exp2")
    titled = problem.tables.problem.model_copy(update={"title": HOSTILE + "\nimport os"})
    return discovery_of(replace(problem, tables=problem.tables.model_copy(update={"problem": titled})), EXP2)


@pytest.mark.parametrize("wanted", ["python", "numpy", "torch", "c", "latex"])
def test_hostile_words_of_a_problem_stay_in_one_comment_and_are_harmless(wanted: str) -> None:
    [text] = exported(hostile(), wanted).values()

    assert all(each.isprintable() or each == "\n" for each in text)
    assert "\nimport os" not in text
    if wanted == "c":
        assert text.count("*/") == text.count("/*")
        assert "??/" not in text


def test_a_c_comment_cannot_be_ended_or_nested_from_inside() -> None:
    comment = c_comment(["/ end */ of /* it", "*", "/", "*/*/", "/*/", "\\"])

    assert comment.startswith("/*\n")
    assert comment.endswith(" */\n")
    assert comment.count("*/") == comment.count("/*") == 1


def test_plain_text_is_one_line_of_what_prints() -> None:
    assert plain("a\nb\x1b[0m\u202e") == "a b\\x1b[0m\\u202e"
    assert wrapped(["", "word " * 40])[0] == ""
    assert max(map(len, wrapped(["word " * 40]))) <= 100


def test_a_form_that_a_discovery_has_not_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(UsageError) as caught:
        exported(discovery_of(shipped("exp2"), EXP2), "json")

    assert "is a function, which has no form 'json': expected --as python or numpy or torch or c or latex" in str(
        caught.value
    )


def test_a_python_program_without_a_declaration_goes_as_python_only_and_the_refusal_says_what_to_declare() -> None:
    problem = shipped("circle_packing_26")
    bare = replace(discovery_of(problem, dict(problem.seed_files)), export=None)

    assert exported(bare, "python")["seed.py"].endswith(problem.seed_files["seed.py"])
    with pytest.raises(UsageError) as caught:
        exported(bare, "torch")
    assert '[export] form = "update_rule" or "construction"' in str(caught.value)


def test_a_declaration_that_does_not_fit_the_language_is_refused() -> None:
    discovery = discovery_of(shipped("circle_packing_26"), "x = 1\n", export=ExportTable(form="function"))

    with pytest.raises(UsageError, match="only symbolic programs are functions"):
        exported(discovery, "c")


def test_a_vocabulary_of_the_problem_s_own_goes_as_python_only() -> None:
    problem = shipped("exp2")
    symbolic = problem.tables.symbolic.model_copy(update={"vocabulary": "words.py"})
    own = discovery_of(replace(problem, tables=problem.tables.model_copy(update={"symbolic": symbolic})), EXP2)

    assert exported(own, "python")["seed.py"].endswith(EXP2)
    with pytest.raises(UsageError, match=r"exp2 has a vocabulary of its own \(words.py\)"):
        exported(own, "c")


def test_a_test_is_written_for_update_rules_only() -> None:
    with pytest.raises(UsageError, match="--with-test is for update rules"):
        exported(discovery_of(shipped("exp2"), EXP2), "torch", with_test=True)


def test_a_certificate_counts_for_the_very_text_that_it_was_written_for(tmp_path: Path) -> None:
    # given
    record = discovery_of(shipped("exp2"), EXP2).record
    document = {
        "schema": CERTIFICATE_SCHEMA,
        "verdict": "certified",
        "value": 1e-3,
        "detail": "fine",
        "files": {"seed.py": EXP2},
        "certificate": {"bound": 1e-3},
    }
    path = tmp_path / "certificates" / "7.json"
    path.parent.mkdir()

    # when
    found = {}
    for name, content in (
        ("right", json.dumps(document)),
        ("other text", json.dumps({**document, "files": {"seed.py": EXP2 + "#"}})),
        ("other schema", json.dumps({**document, "schema": "x"})),
        ("no certificate", json.dumps({**document, "certificate": None})),
        ("damaged", "{"),
        ("deep", "[" * 100_000),
        ("no mapping", "[]"),
    ):
        path.write_text(content)
        found[name] = stored_certificate(tmp_path, record)

    # then
    right = found.pop("right")
    assert right is not None
    assert right.is_proof
    assert right.value == 1e-3
    assert set(found.values()) == {None}


def test_an_input_that_c_does_not_allow_gets_another_name() -> None:
    problem = shipped("exp2")
    symbolic = problem.tables.symbolic.model_copy(update={"inputs": ("double",)})
    own = replace(problem, tables=problem.tables.model_copy(update={"symbolic": symbolic}))

    text = c_function(exported_function(discovery_of(own, "def f(double):\n    return double * double\n")))

    assert "(double double_)" in text
