"""Which layers are chosen, what is said of the others, and which level that makes."""

import os
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.layers import BASIC, NAMESPACES, Layer, Level, level_of
from sandbox.link import ServerLink
from sandbox.plan import ACTIVE, FORCED_OFF, choose_layers
from tests.sandboxes import AWAY, away

pytestmark = pytest.mark.filterwarnings("ignore:This process .* use of fork:DeprecationWarning")
FROM_WEAK_TO_STRONG = (Level.WEAK, Level.NOOPEN, Level.STRONG, Level.FULL)
EVERYTHING = frozenset(Layer)
WITHOUT_IT: dict[Layer, Level] = (
    dict.fromkeys(BASIC | {Layer.SECCOMP}, Level.WEAK)
    | dict.fromkeys(NAMESPACES | {Layer.LANDLOCK}, Level.STRONG)
    | dict.fromkeys((Layer.OWN_UID, Layer.MEMORY_CGROUP, Layer.USER_NAMESPACE), Level.FULL)
)
"""The level of a machine that has everything but one layer."""


@cache
def reasons_without(*layers: Layer) -> dict[Layer, str]:
    """What is chosen where these layers are not wanted: asking the machine takes some processes, and once is enough."""
    return choose_layers(set(layers))


def active(reasons: dict[Layer, str]) -> frozenset[Layer]:
    return frozenset(layer for layer, reason in reasons.items() if reason == ACTIVE)


# levels


@pytest.mark.parametrize("layer", Layer)
def test_each_layer_that_is_missing_has_its_price(layer: Layer) -> None:
    assert level_of(EVERYTHING - {layer}) is WITHOUT_IT[layer]


@pytest.mark.parametrize("level", Level)
def test_the_layers_that_tests_leave_away_make_the_level_that_they_say(level: Level) -> None:
    assert level_of(EVERYTHING - AWAY[level]) is level


def test_a_file_tree_can_stand_in_for_landlock_and_landlock_for_a_file_tree() -> None:
    least = BASIC | {Layer.SECCOMP}

    assert level_of(least) is Level.NOOPEN
    assert level_of(least | {Layer.LANDLOCK}) is Level.STRONG
    assert level_of(least | {Layer.MOUNT_NAMESPACE}) is Level.STRONG
    assert level_of(least | NAMESPACES) is Level.STRONG


@given(st.sets(st.sampled_from(Layer)), st.sets(st.sampled_from(Layer)))
def test_one_more_layer_never_lowers_the_level(some: set[Layer], more: set[Layer]) -> None:
    order = FROM_WEAK_TO_STRONG.index

    assert order(level_of(some | more)) >= order(level_of(some))


@given(st.sets(st.sampled_from(Layer)))
def test_nothing_without_a_filter_is_more_than_weak(some: set[Layer]) -> None:
    assert level_of(some - {Layer.SECCOMP}) is Level.WEAK


# the choice


def test_every_layer_is_active_or_has_a_reason() -> None:
    reasons = reasons_without()

    assert set(reasons) >= EVERYTHING - {Layer.MEMORY_CGROUP}  # which is known only when a group is made
    assert all(reasons.values())


@pytest.mark.parametrize("layer", sorted(EVERYTHING - {Layer.MEMORY_CGROUP}))
def test_a_layer_that_is_not_wanted_is_forced_off_and_only_what_needs_it_goes_too(layer: Layer) -> None:
    before, after = active(reasons_without()), reasons_without(layer)

    assert after[layer] == FORCED_OFF
    gone = before - active(after) - {layer}
    if layer is Layer.NO_NEW_PRIVILEGES:
        assert gone == before & {Layer.LANDLOCK, Layer.SECCOMP}
        assert all(after[each] == "needs no-new-privileges" for each in gone)
    elif layer is Layer.USER_NAMESPACE and os.geteuid() != 0:
        assert gone == before & NAMESPACES
        assert all(after[each] == "needs user-namespace" for each in gone)
    else:
        assert gone <= {Layer.USER_NAMESPACE}  # only if it was there for this one


def test_root_needs_no_user_namespace_and_others_get_no_uid() -> None:
    reasons = reasons_without()

    if os.geteuid() == 0:
        assert reasons[Layer.USER_NAMESPACE] == "not needed by root"
        assert reasons[Layer.OWN_UID] == ACTIVE
    else:
        assert reasons[Layer.OWN_UID] == "only root can give it"


def test_without_namespaces_nobody_needs_a_user_namespace() -> None:
    assert choose_layers(NAMESPACES)[Layer.USER_NAMESPACE] != ACTIVE


def test_an_essential_layer_less_is_weak_whatever_else_there_is() -> None:
    for layer in BASIC:
        assert level_of(active(reasons_without(layer))) is Level.WEAK


# the servers that come of it


@pytest.mark.parametrize("layer", sorted(EVERYTHING))
def test_a_server_comes_up_without_any_one_layer_and_says_so(layer: Layer) -> None:
    whole = reasons_without()
    link = ServerLink((), without={layer}, unsafe=True)
    link.close()

    assert layer not in link.layers
    assert link.report[layer] == FORCED_OFF
    assert set(link.report) == EVERYTHING
    assert link.layers <= active(whole) | {Layer.MEMORY_CGROUP}
    assert level_of(link.layers) is level_of(active(reasons_without(layer)))


def test_a_server_comes_up_with_as_few_descriptors_as_it_can_have() -> None:
    few = {Layer.PID_NAMESPACE, Layer.MEMORY_CGROUP}  # each holds some, which gives those after them other numbers
    link = ServerLink((), without=few, unsafe=True)
    link.close()

    assert not link.layers & few


@pytest.mark.parametrize("level", [Level.FULL, Level.STRONG, Level.NOOPEN])
def test_a_server_above_weak_needs_no_permission(level: Level) -> None:
    link = ServerLink((), without=away(level))
    link.close()

    assert level_of(link.layers) is level
