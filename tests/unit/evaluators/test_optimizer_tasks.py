"""The proxy tasks: what they are made of, and that they stay what they were."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluators.optimizers.data import ALPHABET, digits, leaves, text, text_starts
from evaluators.optimizers.task import BLOCK_STEPS
from evaluators.optimizers.tasks import TASKS, tasks_of

NAMES = tuple(TASKS)


def test_the_suites_share_no_task_and_eight_or_more_are_kept_for_the_final_table() -> None:
    suites = [tasks_of(suite) for suite in ("search", "validation", "test", "noise")]

    assert sum(map(len, suites)) == len(TASKS)
    assert len(tasks_of("test")) >= 8


@pytest.mark.parametrize("name", NAMES)
def test_weights_fit_the_layout_and_depend_on_the_seed(name: str) -> None:
    task = TASKS[name]

    first, again, other = task.initial(0), task.initial(0), task.initial(1)

    assert first.shape == (task.layout.n_parameters,)
    assert first.dtype == np.float32
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("name", NAMES)
def test_a_block_of_batches_depends_on_seed_and_place_alone(name: str) -> None:
    task = TASKS[name]

    first, again, later, other = (task.batches(*which) for which in ((3, 0), (3, 0), (3, 1), (4, 0)))

    for arrays in zip(first, again, later, other, strict=True):
        assert {len(array) for array in arrays} == {BLOCK_STEPS}
        assert {array.dtype for array in arrays} <= {np.dtype(np.float32), np.dtype(np.int64)}
    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    assert any((one != two).any() for one, two in zip(first, later, strict=True))
    assert any((one != two).any() for one, two in zip(first, other, strict=True))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "quad_rot" and name != "heavy_quad"])
def test_a_batch_has_as_many_rows_as_asked_for(name: str) -> None:
    task = TASKS[name].resized(batch_size=5)

    assert {array.shape[1] for array in task.batches(0, 0)} == {5}


def test_a_quadratic_averages_its_noise_over_the_batch() -> None:
    # Given a batch and one of four times as many rows
    (one,), (four,) = (TASKS["quad_rot"].resized(batch_size=n).batches(0, 0) for n in (16, 64))

    # Then the same noise is half as large
    assert four == pytest.approx(one / 2, rel=1e-5, abs=1e-12)


def test_a_wider_task_has_more_parameters_and_another_hash() -> None:
    task = TASKS["digits_aug"]

    wide = task.resized(width=2.0)

    assert wide.layout.n_parameters > 1.9 * task.layout.n_parameters
    assert len({task.content_hash, wide.content_hash, task.resized(batch_size=8).content_hash}) == 3
    assert wide.resized(width=1.0).content_hash == task.content_hash


@pytest.mark.parametrize(("width", "batch_size"), [(0.0, 4), (-1.0, 4), (float("nan"), 4), (1.0, 0)])
def test_a_size_that_is_none_is_refused_with_both_numbers(width: float, batch_size: int) -> None:
    with pytest.raises(ValueError, match=f"got width {width} and batch size {batch_size} for task lin_ae: expected"):
        TASKS["lin_ae"].resized(width=width, batch_size=batch_size)


def test_the_hash_of_a_task_changes_with_its_version() -> None:
    task = TASKS["lin_ae"]

    assert replace(task, version=task.version + 1).content_hash != task.content_hash


@pytest.mark.parametrize("name", NAMES)
def test_every_task_stands_in_the_documentation_as_it_is(name: str) -> None:
    task = TASKS[name]

    page = (Path(__file__).parents[3] / "docs" / "optimizers.md").read_text()

    row = f"| `{name}` | {task.suite} | {task.layout.n_parameters} | {task.n_steps} | {task.about} |"
    assert row in page, f"docs/optimizers.md needs the row {row}"


def test_held_out_text_shares_no_symbol_with_the_text_to_train_on() -> None:
    length = 33

    train, held_out = text_starts(length)

    taken = np.zeros(len(text()), dtype=bool)
    taken[train[:, None] + np.arange(length)] = True
    assert not taken[held_out[:, None] + np.arange(length)].any()
    assert 0.05 < len(held_out) / len(train) < 0.15


def test_the_text_is_long_and_uses_every_symbol_of_its_alphabet_but_few() -> None:
    symbols = text()

    assert len(symbols) > 100_000
    assert symbols.min() >= 0
    assert symbols.max() < len(ALPHABET)
    assert len(np.unique(symbols)) >= 60


def test_digits_are_centred_and_every_label_occurs() -> None:
    data = digits()

    assert data.pixels.shape == (1797, 64)
    assert np.abs(data.pixels.mean(0)).max() < 1e-6
    assert data.pixels.std() == pytest.approx(1.0, rel=1e-5)
    assert (np.bincount(data.labels) > 150).all()


def test_a_picture_has_edges_and_even_places() -> None:
    # Given dead leaves
    picture = leaves()

    # Then most neighbours are alike, and some differ by a lot
    steps = np.abs(np.diff(picture, axis=1)).ravel()
    assert np.median(steps) < 0.01
    assert np.quantile(steps, 0.99) > 0.5


@pytest.mark.parametrize("name", ["heavy_quad", "heavy_labels"])
def test_heavy_tails_hold_single_numbers_that_dwarf_all_others(name: str) -> None:
    noise = TASKS[name].batches(0, 0)[-1 if name == "heavy_quad" else 1]

    assert np.abs(noise).max() > 100 * np.median(np.abs(noise))
