"""The laws of settings: the nearest source wins key by key, and no source can change what a nearer one says."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve.config.settings import KNOWN, Settings, resolve_settings, user_file
from evolve.errors import UsageError
from tests.extent import examples

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "rng_seed": st.integers(0, 2**70),
    "evaluations": st.integers(1, 10**9),
    "seconds": st.floats(min_value=1e-9, max_value=1e9),
    "target": st.floats(allow_nan=False, allow_infinity=False),
    "workers": st.integers(1, 4096),
    "window": st.integers(1, 4096),
    "durability": st.sampled_from(["full", "fast"]),
    "runs_dir": st.sampled_from(["runs", "here/and there", "~/ü", " "]),
    "unsafe_sandbox": st.booleans(),
    "base_url": st.sampled_from(["http://localhost:1/v1", "https://host"]),
    "budget_usd": st.floats(min_value=1e-9, max_value=1e9),
    "budget_tokens": st.integers(1, 10**12),
    "strategy": st.sampled_from(["map_elites", "iid", "sequential"]),
    "symbolic": st.booleans(),
}
NEAREST_FIRST = ("command line", "environment", "problem.toml", "user file")
SOURCES = st.fixed_dictionaries({}, optional=VALUES)
NOWHERE = {"XDG_CONFIG_HOME": "/nowhere"}


def as_environment(values: Mapping[str, Any]) -> dict[str, str]:
    return {f"EVOLVE_{key.upper()}": value if isinstance(value, str) else repr(value) for key, value in values.items()}


def as_toml(values: Mapping[str, Any]) -> str:
    texts = {key: f'"{value}"' if isinstance(value, str) else repr(value).lower() for key, value in values.items()}
    return "".join(f"{key} = {text}\n" for key, text in texts.items())


def settle(home: Path, sources: Mapping[str, Mapping[str, Any]]) -> Settings:
    file = home / "evolve" / "config.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(as_toml(sources.get("user file", {})), encoding="utf-8")
    return resolve_settings(
        command_line=sources.get("command line", {}),
        environment={"XDG_CONFIG_HOME": str(home), **as_environment(sources.get("environment", {}))},
        problem=sources.get("problem.toml", {}),
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@given(given_by=st.fixed_dictionaries(dict.fromkeys(NEAREST_FIRST, SOURCES)))
@settings(max_examples=examples(60), deadline=None)
def test_every_key_comes_from_the_nearest_source_that_names_it(home: Path, given_by: dict[str, dict[str, Any]]) -> None:
    settled = settle(home, given_by)

    for key in VALUES:
        nearest = next((source for source in NEAREST_FIRST if key in given_by[source]), "default")
        expected = KNOWN[key].default if nearest == "default" else given_by[nearest][key]
        assert settled.to_json()[key] == expected
        assert settled.origins[key] == nearest


@given(values=SOURCES)
@settings(max_examples=examples(40), deadline=None)
def test_a_value_means_the_same_in_every_source(home: Path, values: dict[str, Any]) -> None:
    settled = [settle(home, {source: values}).to_json() for source in NEAREST_FIRST]

    assert all(each == settled[0] for each in settled)


@given(values=SOURCES)
@settings(max_examples=examples(40), deadline=None)
def test_an_option_that_is_not_given_hides_nothing(values: dict[str, Any]) -> None:
    without = resolve_settings(command_line={}, environment=NOWHERE, problem=values)
    with_empty = resolve_settings(command_line=dict.fromkeys(KNOWN), environment=NOWHERE, problem=values)

    assert without == with_empty


@given(values=SOURCES)
@settings(max_examples=examples(40), deadline=None)
def test_resolved_settings_resolve_to_themselves(values: dict[str, Any]) -> None:
    once = resolve_settings(command_line=values, environment=NOWHERE, problem={})

    again = resolve_settings(command_line=once.to_json(), environment=NOWHERE, problem={})

    assert again.to_json() == once.to_json()


@given(key=st.sampled_from(sorted(KNOWN)), place=st.integers(0, 20))
@settings(max_examples=examples(30), deadline=None)
def test_a_variable_that_misses_a_letter_of_a_key_is_a_mistake(key: str, place: int) -> None:
    name = f"EVOLVE_{(key[: place % len(key)] + key[place % len(key) + 1 :]).upper()}"

    with pytest.raises(UsageError) as caught:
        resolve_settings(command_line={}, environment={**NOWHERE, name: "1"}, problem={})
    assert f"{name}: got an unknown key" in caught.value.message
    resolve_settings(command_line={}, environment={**NOWHERE, f"OTHER_{name}": "1"}, problem={})


@pytest.mark.parametrize(
    "name",
    [
        "EVOLVE_X",
        "EVOLVE_MODELS_FILE",
        "EVOLVE_KEYS_FILE",
        "EVOLVE_API_KEY_MODEL",
        "EVOLVE_HOME",
        "EVOLVE_",
        "EVOLVE_VERSION_CHECK",
    ],
)
def test_a_variable_that_is_like_no_key_is_somebody_elses(name: str) -> None:
    environment = {**NOWHERE, name: "1"}

    assert resolve_settings(command_line={}, environment=environment, problem={}) == resolve_settings(
        command_line={}, environment=NOWHERE, problem={}
    )


WRONG = [
    ("rng_seed", [-1, 0.5, "0x10", "one", [], "", "9" * 5000]),
    ("evaluations", [0, -1, 1.0, "1.0", "1e3", False]),
    ("seconds", [0, -1.0, "nan", "inf", "-inf", [], True, 10**400, "1e999"]),
    ("target", ["nan", "inf", "-inf", "high", {}, 10**400]),
    ("workers", [0, "0", "two"]),
    ("window", [0, "-8", 8.0]),
    ("durability", ["Full", "", 1, ["full"]]),
    ("runs_dir", ["", 3, []]),
    ("unsafe_sandbox", ["", "maybe", 2, [], 0.5]),
    ("model", [3, ["fake:", ""], [1], {}]),
    ("base_url", ["", "host", "file:///etc", 3]),
    ("budget_usd", [0, "free", math.inf]),
    ("budget_tokens", [0, 1.5, "many"]),
    ("strategy", ["greedy", "", 1, []]),
    ("symbolic", ["", 3]),
]


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG for value in values])
def test_a_wrong_value_is_named_by_key_and_by_what_was_expected(key: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_settings(command_line={}, environment=NOWHERE, problem={key: value})

    (line,) = caught.value.message.splitlines()[1:]
    assert line.startswith(f"  problem.toml: {key}: got ")
    assert line.endswith(f", expected {KNOWN[key].expected}")


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("rng_seed", "0", 0),
        ("rng_seed", " 12 ", 12),
        ("evaluations", "1", 1),
        ("seconds", "5e-324", 5e-324),
        ("seconds", "1e3", 1000.0),
        ("target", "-0.0", 0.0),
        ("target", "-1e308", -1e308),
    ],
)
def test_the_smallest_and_the_oddest_text_that_is_a_value(key: str, text: str, value: float) -> None:
    settled = resolve_settings(command_line={}, environment={**NOWHERE, f"EVOLVE_{key.upper()}": text}, problem={})

    assert settled.to_json()[key] == value


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"XDG_CONFIG_HOME": "/config", "HOME": "/home"}, "/config/evolve/config.toml"),
        ({"XDG_CONFIG_HOME": "", "HOME": "/home"}, "/home/.config/evolve/config.toml"),
        ({"HOME": "/home"}, "/home/.config/evolve/config.toml"),
    ],
)
def test_the_users_file_is_where_the_desktop_says_or_in_the_home(environment: dict[str, str], place: str) -> None:
    assert user_file(environment) == Path(place)


HOSTILE = [b"\xff", b"x = ", b"x = " + b"[" * 50_000, b"rng_seed = " + b"9" * 5000]


@pytest.mark.parametrize("data", HOSTILE, ids=["latin", "unfinished", "deep", "digits"])
def test_a_users_file_that_cannot_be_read_is_named(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "evolve" / "config.toml"
    file.parent.mkdir()
    file.write_bytes(data)

    with pytest.raises(UsageError, match="cannot read the settings in") as caught:
        resolve_settings(command_line={}, environment={"XDG_CONFIG_HOME": str(tmp_path)}, problem={})
    assert str(file) in caught.value.message


def test_a_folder_in_the_place_of_the_users_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "evolve" / "config.toml").mkdir(parents=True)

    with pytest.raises(UsageError, match="cannot read the settings in"):
        resolve_settings(command_line={}, environment={"XDG_CONFIG_HOME": str(tmp_path)}, problem={})
