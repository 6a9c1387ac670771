"""The uids and the sizes that a jail is made of."""

from dataclasses import replace

from sandbox.jail import N_UIDS, UNUSED_UIDS, Jail
from sandbox.plan import own_sizes

JAIL = Jail(layers=frozenset(), first_uid=UNUSED_UIDS, n_processes_now=1, address_bytes=1, data_bytes=1)


def test_sessions_at_once_have_uids_of_their_own_and_later_ones_take_them_again() -> None:
    assert len({JAIL.uid_of(slot) for slot in range(N_UIDS)}) == N_UIDS
    assert JAIL.uid_of(N_UIDS) == JAIL.uid_of(0) == UNUSED_UIDS
    assert replace(JAIL, first_uid=None).uid_of(3) is None


def test_the_own_sizes_are_in_bytes() -> None:
    sizes = own_sizes()
    assert 1 << 20 < sizes["VmRSS"] < sizes["VmSize"]
