"""The self-test bites: a layer that counts as active but is not applied keeps the server from starting."""

import os
import tempfile

import pytest

from sandbox.errors import SandboxError
from sandbox.layers import NAMESPACES, Layer, Level
from sandbox.link import ServerLink
from sandbox.orphans import own_children
from sandbox.plan import ACTIVE
from sandbox.selftest import ALLOWED_VARIABLES
from tests.extent import ALL_ATTACKS
from tests.sandboxes import AWAY, away, temporary_folder_for_all

LEVELS = (Level.FULL, Level.STRONG, Level.NOOPEN)
BELOW_FULL = 1 if ALL_ATTACKS else 3
"""By default every layer is taken away at the highest level, and every third that is left at each of the others."""
_layers_at: dict[Level, frozenset[Layer]] = {}


def layers_of(level: Level) -> list[Layer]:
    return [layer for layer in Layer if layer not in AWAY[level]]


LEVELS_AND_LAYERS = [(Level.FULL, layer) for layer in layers_of(Level.FULL)] + [
    (level, layer) for n, level in enumerate(LEVELS[1:]) for layer in layers_of(level)[n % BELOW_FULL :: BELOW_FULL]
]


def active_at(level: Level, layer: Layer) -> bool:
    """Whether a server of this level has the layer."""
    if level not in _layers_at:
        link = ServerLink((), without=away(level))
        link.close()
        _layers_at[level] = link.layers
    return layer in _layers_at[level]


@pytest.mark.parametrize(("level", "layer"), LEVELS_AND_LAYERS)
def test_a_layer_that_does_nothing_is_noticed_and_named(
    level: Level, layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not active_at(level, layer):
        pytest.skip(f"this machine does not give us {layer}")
    monkeypatch.setenv("SOME_API_KEY", "secret")
    before = own_children()

    with pytest.raises(SandboxError) as caught:
        ServerLink((), without=away(level), sabotage={layer})

    assert "did not start" in str(caught.value)
    named = "Operation not permitted" if layer is Layer.USER_NAMESPACE else f"{layer}: "  # the kernel says it first
    assert named in str(caught.value)
    assert own_children() <= before


@pytest.mark.parametrize("level", LEVELS)
def test_everything_at_once_is_noticed_too(level: Level) -> None:
    layers = frozenset(Layer) - away(level) - {Layer.USER_NAMESPACE}

    with pytest.raises(SandboxError, match="self-test failed, so nothing will run in it"):
        ServerLink((), without=away(level), sabotage=layers)


@pytest.mark.parametrize("level", LEVELS)
def test_a_server_that_fails_its_test_leaves_no_folder_behind(level: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    with temporary_folder_for_all() as folder:
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        with pytest.raises(SandboxError):
            ServerLink((), without=away(level), sabotage={Layer.SECCOMP})

        assert list(folder.iterdir()) == []


def test_a_sound_sandbox_passes_and_says_that_all_is_active() -> None:
    link = ServerLink((), without=away(Level.FULL))
    link.close()

    assert all(link.report[layer] == ACTIVE for layer in NAMESPACES | {Layer.LANDLOCK, Layer.SECCOMP})


def test_what_may_be_in_the_environment_names_nobodys_key() -> None:
    words = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "AWS", "GITHUB")

    assert not [name for name in ALLOWED_VARIABLES for word in words if word in name.decode()]
    assert not {name.encode() for name in os.environ if "API_KEY" in name} & ALLOWED_VARIABLES
