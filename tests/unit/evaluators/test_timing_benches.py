"""Benches: what lies where before, while and after a program is called, and whether a card is left alone."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evaluators.timing.benches import CardBench
from evaluators.timing.evaluation import checked_evaluation, timed_evaluation
from evaluators.timing.quiet import PATIENCE_SECONDS, QuietCard
from evaluators.timing.tasks import TimedTask, TooNoisyError, WrongOutputError, laid_out
from sandbox.pausing import CallTime
from sandbox.shared import SharedMemory
from sandbox.torch_device import TorchDevice


class Clock:
    """Tells the seconds that somebody has spent."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Tensor:
    """As much of torch's as a bench needs, over an array."""

    def __init__(self, values: Any, spend: Callable[[], None]) -> None:
        self.values = values
        self.shape = values.shape
        self.dtype = f"torch.{values.dtype}"
        self._spend = spend

    def is_floating_point(self) -> bool:
        return bool(self.values.dtype.kind == "f")

    def fill_(self, value: float) -> None:
        self._spend()
        self.values[...] = value

    def copy_(self, other: "Tensor") -> None:
        self.values[...] = other.values


class Card:
    """A card on which every piece of work takes a millisecond, or more when somebody else is there."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.seconds = 0.001
        torch = SimpleNamespace(
            uint8=np.uint8,
            empty=lambda n, dtype, device: self.tensor(np.empty(n, dtype)),
            empty_like=lambda each: self.tensor(np.zeros_like(each.values)),
        )
        self.device = TorchDevice(torch=torch, device=SimpleNamespace(type="cpu"))
        self.quiet = QuietCard(self.device, flush_bytes=8, clock=self.clock)

    def tensor(self, values: Any) -> Tensor:
        return Tensor(values, self._work)

    def _work(self) -> None:
        self.clock.now += self.seconds


class Program:
    """Memory of a card that it shares with its judge, and what it does when it is called."""

    def __init__(self, card: Card, kernel: Callable[..., None]) -> None:
        self._card = card
        self._kernel = kernel
        self.placed: list[Tensor] = []

    @property
    def card(self) -> Any:
        return self

    def clear(self) -> None:
        self.placed = []

    def array(self, shape: Sequence[int], dtype: Any) -> Any:
        self.placed.append(self._card.tensor(np.full(shape, 5, dtype)))
        return SimpleNamespace(tensor=lambda _torch, each=self.placed[-1]: each)

    def timed(self, name: str, *args: Any, timeout: float | None = None) -> CallTime:
        del name, timeout
        self._kernel(*(each.tensor(None).values for each in args))
        return CallTime(0.0, 0.25)


def task_for(card: Card) -> TimedTask:
    return TimedTask(
        name="doubles",
        draw=lambda rng: (card.tensor(rng.standard_normal((3, 4))),),
        outputs=lambda x: (x,),
        error=lambda inputs, outputs: float(np.max(np.abs(outputs[0].values - 2 * inputs[0].values))),
    )


def double(x: Any, out: Any) -> None:
    out[...] = 2 * x


def test_a_call_on_a_card_gives_copies_of_what_the_program_wrote() -> None:
    # given
    card, rng = Card(), np.random.default_rng(0)
    task, program = task_for(card), Program(card, double)
    inputs = task.draw(rng)
    # when
    taken, outputs = CardBench(card.quiet).call(program, "double", task, inputs)  # type: ignore[arg-type]
    program.placed[1].values[...] = 0.0  # a kernel that still runs
    # then
    assert task.checked(inputs, outputs) == 0.0
    assert taken.processor_seconds == 0.25


def test_inputs_are_not_in_shared_memory_before_the_clock_runs() -> None:
    # given: a kernel that waits for inputs, and is seen whenever the judge does its own work on the card
    card, rng = Card(), np.random.default_rng(0)
    task, program = task_for(card), Program(card, double)
    inputs, seen = task.draw(rng), []
    work = card.quiet.wait

    def wait(name: str) -> None:
        seen.append(np.array_equal(program.placed[0].values, inputs[0].values))
        work(name)

    card.quiet.wait = wait  # type: ignore[method-assign]
    # when
    CardBench(card.quiet).call(program, "double", task, inputs)  # type: ignore[arg-type]
    # then
    assert seen == [False]


@pytest.mark.parametrize(
    "kernel",
    [lambda x, out: None, lambda x, out: double(x[::2], out[::2])],
    ids=["it writes nothing before it answers", "it writes a part"],
)
def test_what_a_kernel_has_not_written_when_the_answer_comes_is_wrong(kernel: Callable[..., None]) -> None:
    # given
    card, rng = Card(), np.random.default_rng(0)
    task, program = task_for(card), Program(card, kernel)
    inputs = task.draw(rng)
    # when
    _, outputs = CardBench(card.quiet).call(program, "double", task, inputs)  # type: ignore[arg-type]
    # then
    with pytest.raises(WrongOutputError):
        task.checked(inputs, outputs)


def test_a_kernel_that_never_ends_is_found_out_by_how_long_the_judge_s_own_work_takes() -> None:
    # given
    card = Card()
    card.quiet.wait("doubles")
    # when: half of the card's turns are somebody else's
    card.seconds *= 2
    # then
    with pytest.raises(TooNoisyError, match="on doubles something still runs on the card, the candidate's or"):
        card.quiet.wait("doubles")
    assert card.clock.now > PATIENCE_SECONDS


def test_who_stops_in_time_is_waited_for() -> None:
    # given
    card = Card()
    busy = card.seconds = 2 * card.seconds
    work = card.quiet.synchronize

    def stops_soon() -> None:
        work()
        if card.clock.now > PATIENCE_SECONDS / 2:
            card.seconds = busy / 2

    card.quiet.synchronize = stops_soon  # type: ignore[method-assign]
    # when
    card.quiet.wait("doubles")
    # then
    assert PATIENCE_SECONDS / 2 < card.clock.now < PATIENCE_SECONDS


def test_where_times_cannot_be_told_outputs_still_are() -> None:
    # given
    class Checked:
        def __init__(self, *errors: float) -> None:
            self._errors = list(errors)

        def check(self, task: TimedTask) -> float:
            error = self._errors.pop(0)
            if error > 1:
                raise WrongOutputError(f"wrong on {task.name}")
            return error

    checks = [task_for(Card())] * 2
    # when
    right: Any = checked_evaluation(Checked(0.5, 0.25), checks=checks)  # type: ignore[arg-type]
    wrong: Any = checked_evaluation(Checked(0.5, 2.0), checks=checks)  # type: ignore[arg-type]
    # then
    assert right == {"metrics": {"largest_error": 0.5}}
    assert wrong == {"failure": "wrong on doubles", "kind": "invalid"}


def a_task(**changes: Any) -> TimedTask:
    whole: dict[str, Any] = {
        "name": "twice",
        "draw": lambda rng: (rng.standard_normal(3),),
        "outputs": lambda x: (np.empty_like(x),),
        "error": lambda inputs, outputs: 0.0,
    }
    return TimedTask(**{**whole, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"draw": lambda rng: rng.standard_normal(3)}, "draw of the task 'twice' gave ndarray, expected a tuple of"),
        ({"draw": lambda rng: ([1.0],)}, "draw of the task 'twice' gave tuple with list in it, expected a tuple of"),
        ({"outputs": np.empty_like}, "outputs of the task 'twice' gave ndarray, expected a tuple of arrays"),
        ({"error": lambda inputs, outputs: outputs[0]}, "'twice' gave ndarray of shape .3,., expected one number"),
        ({"error": lambda inputs, outputs: None}, "error of the task 'twice' gave NoneType, expected one number"),
    ],
    ids=["draw, no tuple", "draw, a list", "outputs, no tuple", "error, an array", "error, nothing"],
)
def test_a_task_that_is_no_task_is_told_to_who_wrote_it(changes: dict[str, Any], said: str) -> None:
    # given
    task = a_task(**changes)

    def judged() -> None:
        inputs = task.drawn(np.random.default_rng(0))
        task.checked(inputs, task.places(inputs))

    # when / then
    with pytest.raises(TypeError, match=said):
        judged()


@pytest.mark.parametrize(
    ("array", "said"),
    [(np.zeros(2000), "raise .limits. shared_mb"), (np.array(["x"], object), "an array of object cannot be shared")],
    ids=["too large", "no numbers"],
)
def test_inputs_that_cannot_be_shared_are_a_mistake_of_the_problem_s(array: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        laid_out(SharedMemory(4096), (array,), ())


def test_a_judge_with_nothing_to_time_is_told_what_to_use() -> None:
    with pytest.raises(ValueError, match="use checked_evaluation"):
        timed_evaluation(object(), tasks=[])  # type: ignore[arg-type]
