"""The list of cards, from what `nvidia-smi` says on machines that are made up."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.gpu_cards import Card, CardPart, details_of, list_cards, units_of
from sandbox.limits import MEBIBYTE
from tests.extent import examples
from tests.unit.sandbox.made_up_cards import CUT, CUT_LIST, CUT_REPORT, DRIVER, H200, TWO, MadeUpCards


def listed(cards: MadeUpCards) -> tuple[Card, ...]:
    return list_cards(str(cards.program), seconds=20.0)


def test_a_card_is_told_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    (card,) = listed(MadeUpCards(tmp_path, H200))

    assert card == Card(
        number=0,
        uuid="GPU-8f6a",
        memory_bytes=143771 * MEBIBYTE,
        bus="0000:18:00.0",
        used_bytes=4 * MEBIBYTE,
        busy_percent=0,
        driver=DRIVER,
        compute_mode="Default",
        name="NVIDIA H200",
    )


def test_cards_are_listed_by_number(tmp_path: Path) -> None:
    cards = listed(MadeUpCards(tmp_path, TWO))

    assert [(card.number, card.uuid, card.busy_percent) for card in cards] == [(0, "GPU-aaaa", 0), (1, "GPU-bbbb", 97)]
    assert [unit.label for unit in units_of(cards)] == ["0", "1"]


def test_a_card_that_is_cut_is_used_by_its_parts(tmp_path: Path) -> None:
    cards = listed(MadeUpCards(tmp_path, CUT, listed=CUT_LIST, report=CUT_REPORT))

    assert [card.is_cut for card in cards] == [True, False]
    assert cards[0].used_bytes is None
    assert cards[0].parts[0] == CardPart(
        uuid="MIG-1111",
        place=0,
        profile="3g.71gb",
        gpu_instance=2,
        compute_instance=0,
        n_processors=60,
        memory_bytes=71424 * MEBIBYTE,
        used_bytes=37 * MEBIBYTE,
    )
    units = [(unit.label, unit.uuid, unit.memory_bytes // MEBIBYTE) for unit in units_of(cards)]
    assert units == [("0:0", "MIG-1111", 71424), ("0:1", "MIG-2222", 18000), ("1", "GPU-bbbb", 143771)]


@pytest.mark.parametrize(
    "report", ["", "<nvidia_smi_log><gpu>", "<nvidia_smi_log><gpu><mig_device/></gpu></nvidia_smi_log>"]
)
def test_parts_without_a_report_have_names_and_nothing_else(tmp_path: Path, report: str) -> None:
    cards = listed(MadeUpCards(tmp_path, CUT, listed=CUT_LIST, report=report))

    assert cards[0].parts[1] == CardPart(uuid="MIG-2222", place=1, profile="1g.18gb")


def test_a_card_that_is_to_be_cut_and_has_no_parts_cannot_be_used(tmp_path: Path) -> None:
    cards = listed(MadeUpCards(tmp_path, CUT, listed="GPU 0: NVIDIA H200 (UUID: GPU-aaaa)\n"))

    assert (cards[0].is_cut, cards[0].parts) == (True, ())
    assert [unit.uuid for unit in units_of(cards)] == ["GPU-bbbb"]


@pytest.mark.parametrize(
    ("mode", "n_units", "is_shareable"),
    [("Default", 1, True), ("Exclusive_Process", 1, False), ("Prohibited", 0, True), ("[N/A]", 1, True)],
)
def test_the_compute_mode_says_who_may_use_a_card(
    tmp_path: Path, mode: str, n_units: int, *, is_shareable: bool
) -> None:
    units = units_of(listed(MadeUpCards(tmp_path, H200.replace("Default", mode))))

    assert [unit.is_shareable for unit in units] == [is_shareable] * n_units


def test_what_nobody_knows_is_unknown_and_not_an_error(tmp_path: Path) -> None:
    row = "0, GPU-8f6a, [Insufficient Permissions], 00000000:18:00.0, [N/A], [Unknown Error], N/A, [N/A], [N/A], [N/A]"

    (card,) = listed(MadeUpCards(tmp_path, row))

    assert card == Card(number=0, uuid="GPU-8f6a", memory_bytes=0, bus="0000:18:00.0")


def test_an_older_driver_knows_fewer_fields(tmp_path: Path) -> None:
    cards = MadeUpCards(tmp_path)
    cards.answer(
        'case "$1" in *mig.mode*) echo \'Field "mig.mode.current" is not a valid field to query.\'; exit 2;;\n'
        "*) echo '0, GPU-old, 12288, 00000000:18:00.0';; esac"
    )

    assert listed(cards) == (Card(number=0, uuid="GPU-old", memory_bytes=12288 * MEBIBYTE, bus="0000:18:00.0"),)


def test_a_machine_without_cards_has_none(tmp_path: Path) -> None:
    assert listed(MadeUpCards(tmp_path, "")) == ()


def test_a_driver_that_broke_is_told_in_its_own_words(tmp_path: Path) -> None:
    cards = MadeUpCards(tmp_path)
    cards.answer("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")

    with pytest.raises(SandboxError, match=r"found no working driver \(Failed to initialize NVML: Driver/library"):
        listed(cards)


def test_nobody_waits_for_a_driver_that_hangs(tmp_path: Path) -> None:
    cards = MadeUpCards(tmp_path)
    cards.answer("sleep 600 & wait")  # what it started holds its pipes when it is killed

    with pytest.raises(SandboxError, match="does not answer"):
        list_cards(str(cards.program), seconds=0.05)


@pytest.mark.parametrize(
    "said", ["what?", "0", "0, GPU-a, 5", "zero, GPU-a, 5, 00000000:18:00.0", "0, GPU-a, 5, bus", "\x00"]
)
def test_what_nobody_understands_is_refused(tmp_path: Path, said: str) -> None:
    with pytest.raises(SandboxError, match="says what nobody understands"):
        listed(MadeUpCards(tmp_path, said))


@settings(max_examples=examples(60))
@given(report=st.text(max_size=60) | st.text(alphabet="<>/gpumig_devicexu0 ", max_size=60))
def test_no_report_is_an_error(report: str) -> None:
    for text in (report, f"<log><gpu><uuid>GPU-a</uuid>{report}</gpu></log>"):
        assert isinstance(details_of(text), dict)
