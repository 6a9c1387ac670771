"""Options of the family `optimizer`: what is wrong is told, all of it at once."""

import pytest

from evaluators.errors import EvaluatorError
from evaluators.optimizers.settings import DEFAULTS, settings_of

TASKS = ("quad_rot", "lin_ae")


def test_no_options_mean_the_search_suite_on_the_processor() -> None:
    settings = settings_of({}, TASKS)

    assert settings.tasks == ()
    assert settings.device == "cpu"
    assert settings.confirmation_seeds == DEFAULTS["confirmation_seeds"]


def test_options_are_taken() -> None:
    settings = settings_of({"tasks": ["lin_ae"], "horizon": 4, "tuning_seeds": 3}, TASKS)

    assert (settings.tasks, settings.horizon, settings.tuning_seeds) == (("lin_ae",), 4.0, 3)


@pytest.mark.parametrize("horizon", [0.0625, 0.25, 0.354, 0.71, 1, 1.41, 1.4142, 2.83, 16])
def test_horizons_of_half_octaves_are_taken(horizon: float) -> None:
    assert settings_of({"horizon": horizon}, TASKS).horizon == horizon


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tasks": ["lin"]}, "tasks is .*among quad_rot, lin_ae"),
        ({"tasks": "lin_ae"}, "tasks is 'lin_ae'"),
        ({"tasks": ["lin_ae", "lin_ae"]}, "expected different names"),
        ({"tasks": [3]}, "tasks is"),
        ({"tasks": 3}, "tasks is 3"),
        ({"tuning_seeds": 0}, "tuning_seeds is 0, expected a whole number from 1"),
        ({"tuning_seeds": True}, "tuning_seeds is True"),
        ({"confirmation_seeds": 1}, "confirmation_seeds is 1"),
        ({"learning_rates": 2.0}, "learning_rates is 2.0"),
        ({"horizon": 0}, "horizon is 0"),
        ({"horizon": float("nan")}, "horizon is nan"),
        ({"horizon": 1.1}, "horizon is 1.1, .*the nearest are 1 and 1.414"),
        ({"horizon": 3}, "horizon is 3, .*the nearest are 2.828 and 4"),
        ({"horizon": 0.3}, "horizon is 0.3, .*the nearest are 0.25 and 0.3536"),
        ({"cap": 0}, "cap is 0, expected a number from 0.1 to 4"),
        ({"threshold": "low"}, "threshold is 'low'"),
        ({"device": 0}, "device is 0"),
        ({"taks": []}, "did you mean 'tasks'"),
        ({"horizon": 99, "device": None}, "horizon is 99.*device is None"),
    ],
)
def test_wrong_options_are_told(options: dict[str, object], words: str) -> None:
    with pytest.raises(EvaluatorError, match=words):
        settings_of(options, TASKS)
