"""Texts of update rules: what is read, what is refused and why, and how a rule is written."""

from pathlib import Path

import pytest

from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.canonical import canonical, fingerprint, live, operation_count
from sandbox.symbolic.parse import parse
from sandbox.symbolic.render import render
from sandbox.symbolic.update_words import OPTIMIZER, OPTIMIZER_ELEMENTWISE
from sandbox.symbolic.vocabulary import Vocabulary, VocabularyError, load_vocabulary
from sandbox.update_rules.rule import read_rule, rule_of
from tests.unit.sandbox.made_up_rules import made_up_program

ADAM = """\
def update(g, t, m, v):
    m = ema(m, g, 0.9)
    v = ema(v, square(g), 0.999)
    return debias(m, 0.9, t) / (sqrt(debias(v, 0.999, t)) + 1e-08), m, v
"""
LION = """\
def update(g, m):
    return sign(ema(m, g, 0.9)), ema(m, g, 0.99)
"""
SOAP = """\
def update(g, t, m, v, l, p, r, q):
    l = ema(l, left_gram(g), 0.95)
    r = ema(r, right_gram(g), 0.95)
    p = basis(l, p, t)
    q = basis(r, q, t)
    m = ema(m, g, 0.9)
    v = ema(v, square(transpose(p) @ g @ q), 0.95)
    return p @ (transpose(p) @ m @ q / (sqrt(v) + 1e-08)) @ transpose(q), m, v, l, p, r, q
"""


@pytest.mark.parametrize("text", [ADAM, LION, SOAP], ids=["adam", "lion", "soap"])
def test_a_rule_is_written_as_a_person_writes_it(text: str) -> None:
    program = parse(text, OPTIMIZER)

    written = render(program, OPTIMIZER)

    assert written == text


def test_a_rule_in_normal_form_keeps_the_lines_of_adam() -> None:
    assert read_rule(ADAM).text == ADAM


def test_a_program_with_state_is_over_all_inputs_and_ends_with_the_word_that_ties_its_values() -> None:
    program = parse(LION, OPTIMIZER)

    signature = OPTIMIZER.signature
    assert signature is not None
    assert program.inputs == signature.inputs
    assert program.n_slots == len(signature.slots) == 8
    assert program.instructions[-1].function == signature.word
    slots = tuple(range(signature.n_read, len(signature.inputs)))
    assert program.instructions[-1].arguments[2:] == slots[1:]


def test_inputs_may_come_in_any_order_and_values_return_in_the_order_of_the_signature() -> None:
    turned = """\
def update(v, t, m, g):
    m = ema(m, g, 0.9)
    v = ema(v, square(g), 0.999)
    return debias(m, 0.9, t) / (sqrt(debias(v, 0.999, t)) + 1e-8), v, m
"""

    assert read_rule(turned) == read_rule(ADAM)


def test_dead_code_and_slots_that_never_reach_the_update_are_no_part_of_a_rule() -> None:
    idle = """\
def update(g, m, v, s, d):
    unused = exp(g)
    v = ema(v, square(g), 0.999)
    s = s + v
    m = ema(m, d, 0.5)
    return g, m, v, s, m
"""

    rule = read_rule(idle)

    assert rule.text == "def update(g):\n    return g\n"
    assert rule.slots == ()
    assert rule.n_operations == 0


def test_a_slot_that_only_another_slot_reads_is_kept() -> None:
    chain = "def update(g, m, v, s):\n    return g - s, g, m, v\n"

    rule = read_rule(chain)

    assert rule.slots == ("m", "v", "s")
    assert rule.text == chain


def test_the_last_word_is_no_operation_and_dead_words_are_not_counted() -> None:
    program = parse("def update(g, m):\n    m = ema(m, tanh(g), 0.9)\n    return sign(g), m\n", OPTIMIZER)

    assert operation_count(program) == 1
    assert [OPTIMIZER.functions[program.instructions[k].function].name for k in live(program)] == ["sign", ","]


ADAM_BY_OTHER_SLOTS = """\
def update(g, t, d, m):
    d = ema(d, g, 0.9)
    m = ema(m, square(g), 0.999)
    return debias(d, 0.9, t) / (1e-8 + sqrt(debias(m, 0.999, t))), d, m
"""


def test_the_names_of_slots_and_the_order_of_summands_make_no_other_rule() -> None:
    one, other = read_rule(ADAM), read_rule(ADAM_BY_OTHER_SLOTS)

    assert one.text != other.text
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    "other",
    [
        ADAM.replace("0.999, t", "0.99, t"),
        ADAM.replace("square(g)", "square(m)"),
        ADAM.replace("ema(v,", "ema(m,"),
        ADAM.replace("return ", "return -"),
    ],
    ids=["a constant", "another input", "another slot", "the sign"],
)
def test_another_rule_has_another_fingerprint(other: str) -> None:
    assert read_rule(other).fingerprint != read_rule(ADAM).fingerprint


def test_with_structure_only_constants_make_no_other_rule() -> None:
    program, tuned = parse(ADAM, OPTIMIZER), parse(ADAM.replace("0.999", "0.99"), OPTIMIZER)

    assert fingerprint(program, OPTIMIZER, structure_only=True) == fingerprint(tuned, OPTIMIZER, structure_only=True)


def test_a_slot_read_a_step_later_is_not_the_same_as_one_read_at_once() -> None:
    at_once = read_rule("def update(g, m):\n    return ema(m, g, 0.9), g\n")
    later = read_rule("def update(g, m, v):\n    return ema(m, g, 0.9), v, g\n")

    assert at_once.fingerprint != later.fingerprint
    assert later.slots == ("m", "v")


def test_arithmetic_on_numbers_is_done_once_and_on_the_safe_side() -> None:
    rule = read_rule("def update(g):\n    return g * (1 - 0.25) / (2 / 0.0)\n")

    assert rule.text == "def update(g):\n    return g * 0.75 / 2000000000000.0\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def update(g, momentum):\n    return g, momentum", r"`momentum` is no input \(did you mean `m`\?\); the"),
        ("def update(g, exp_avg_sq):\n    return g", r"did you mean `v`\?"),
        ("def update(g, m):\n    return g", r"`return` has 1 value; .* so write `return update, m`"),
        ("def update(g):\n    return g, g", "has 2 values; the signature names no state slot"),
        ("def update(g, m):\n    return", "has 0 values"),
        (
            "def update(g):\n    return ema(m, g, 0.9)",
            r"`m` is used but is no input yet: write `def update\(g, m\)`",
        ),
        ("def update(g):\n    return g * lr", r"`lr` is used but is no input yet: write `def update\(g, lr\)`$"),
        (
            "def update(g, t):\n    return t",
            r"the update \(the first value\) is a real, it must be a tensor: a",
        ),
        ("def update(g, m):\n    return g, 0.0", "the new `m` is a real, it must be a tensor"),
        ("def update(g, l):\n    return l @ g, g", "the new `l` is a tensor, it must be a left"),
        (
            "def update(g, m):\n    return ema(m, g, g), m",
            r"`ema` takes \(tensor, tensor, real\) or .*, got \(ten",
        ),
        ("def update(g):\n    return lerp(g, g, 0.1)", r"`lerp` is not in the vocabulary \(did you mean `ema`\?\)"),
        ("def update(g):\n    return gradient", r"`gradient` is not defined \(did you mean `g`\?\)"),
        ("def update(g):\n    return g ** 2", r"`\*\*` takes \(real, real\), got \(tensor, real\): write square"),
        ("def update(g):\n    return g if g > 0 else g", r"there are no conditions, mask with agree\(a, b\)"),
        ("def update(g, beta=0.9):\n    return g", r"must be written `def update\(g, m, v, t\)`, without"),
        ("def update(g, g):\n    return g", "must be written"),
        ("def update(g):\n    mean = g\n    return g", "`mean` is a function of the vocabulary"),
        ("def update(g, \u043c):\n    return g", r"`\\u043c` is no input"),
        ("def update(g, l):\n    return g @ l, l", r"`@` takes \(left, tensor\) or \(tensor, right\)"),
    ],
)
def test_a_text_that_is_no_rule_is_answered_with_what_to_write(text: str, message: str) -> None:
    with pytest.raises(CandidateSyntaxError, match=message):
        read_rule(text)


def test_a_problem_may_offer_fewer_inputs() -> None:
    text = "def update(g, f):\n    return g * f\n"

    assert parse(text, OPTIMIZER, inputs=("g", "f")).n_slots == 8
    with pytest.raises(
        CandidateSyntaxError, match=r"`f` is not offered by this problem; .* take g, t and .* m .tensor.$"
    ):
        parse(text, OPTIMIZER, inputs=("g", "t", "m"))


def test_the_vocabulary_without_matrices_knows_no_matrix_and_its_rules_run_alike() -> None:
    program = parse(ADAM, OPTIMIZER_ELEMENTWISE)

    assert rule_of(program, OPTIMIZER_ELEMENTWISE) == read_rule(ADAM)
    for text in (SOAP, "def update(g):\n    return orthogonal(g)\n"):
        with pytest.raises(CandidateSyntaxError):
            parse(text, OPTIMIZER_ELEMENTWISE)


def test_a_vocabulary_file_cannot_include_words_that_need_state(tmp_path: Path) -> None:
    path = tmp_path / "words.py"
    path.write_text("INCLUDE = ('optimizer',)\n", encoding="utf-8")

    with pytest.raises(VocabularyError, match=r"INCLUDE has optimizer, known: arithmetic, elementary, float32$"):
        load_vocabulary(path)


@pytest.mark.parametrize("vocabulary", [OPTIMIZER, OPTIMIZER_ELEMENTWISE], ids=lambda vocabulary: vocabulary.name)
def test_a_written_program_reads_back_as_itself_and_normal_forms_are_stable(vocabulary: Vocabulary) -> None:
    for number in range(120):
        program = made_up_program(number, vocabulary)

        form = canonical(program, vocabulary)

        assert parse(render(program, vocabulary), vocabulary) == program
        assert parse(render(form, vocabulary), vocabulary) == form
        assert canonical(form, vocabulary) == form
        assert fingerprint(form, vocabulary) == fingerprint(program, vocabulary)
        assert operation_count(form) <= operation_count(program)
