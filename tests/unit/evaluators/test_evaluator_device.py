"""What batched evaluators share: the device they are given, settings that repeat, chunks that fit, comparisons."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evaluators.device import CPU_BYTES, DeviceError, TorchDevice, chunks, compare, device_for, open_device, repeatable
from evaluators.spec import JudgeSpec

torch = pytest.importorskip("torch", reason="torch, an extra, is not installed")


@dataclass
class FakeCuda:
    """What `torch.cuda` answers on a machine with so many cards."""

    n_cards: int
    free: int = 1 << 30
    asked: list[Any] = field(default_factory=list)

    def is_available(self) -> bool:
        return self.n_cards > 0

    def device_count(self) -> int:
        return self.n_cards

    def mem_get_info(self, device: Any) -> tuple[int, int]:
        self.asked.append(device)
        return self.free, 1 << 40


def judge_with(*gpus: int | str) -> JudgeSpec:
    return JudgeSpec(language="python", file="evaluate.py", gpus=gpus)


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "cuda", FakeCuda(n_cards=0))


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "cuda", FakeCuda(n_cards=2))


@pytest.mark.usefixtures("two_cards")
def test_a_judge_without_cards_computes_on_the_processor_whatever_the_machine_has() -> None:
    opened = device_for(judge_with())

    assert (opened.device.type, opened.notice) == ("cpu", "")


@pytest.mark.usefixtures("two_cards")
@pytest.mark.parametrize("gpus", [("auto",), ("needed",), (1,), ("GPU-0a1b2c3d",)])
def test_a_judge_with_cards_computes_on_the_first_that_it_sees(gpus: tuple[int | str, ...]) -> None:
    opened = device_for(judge_with(*gpus))

    assert opened.is_card
    assert (str(opened.device), opened.notice) == ("cuda", "")


@pytest.mark.usefixtures("no_card")
def test_a_card_if_there_is_one_falls_back_and_says_so() -> None:
    opened = device_for(judge_with("auto"))

    assert opened.device.type == "cpu"
    assert "no graphics card" in opened.notice


@pytest.mark.usefixtures("no_card")
@pytest.mark.parametrize("gpus", [("needed",), (0,)])
def test_a_card_that_is_needed_and_not_there_is_an_error(gpus: tuple[int | str, ...]) -> None:
    with pytest.raises(DeviceError, match="sees 0 GPUs; cpu always works"):
        device_for(judge_with(*gpus))


def settings_of_torch() -> tuple[Any, ...]:
    products, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    return (
        torch.get_float32_matmul_precision(),
        torch.are_deterministic_algorithms_enabled(),
        products.allow_bf16_reduced_precision_reduction,
        (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32),
    )


def test_repeatable_settings_are_strict_inside_and_as_before_outside() -> None:
    before, opened = settings_of_torch(), open_device("cpu")

    with pytest.raises(ZeroDivisionError), repeatable(opened, rng_seed=1):  # noqa: PT012
        inside = settings_of_torch()
        raise ZeroDivisionError

    assert inside == ("highest", True, False, (before[-1][0], False, True, False))
    assert settings_of_torch() == before


def test_the_same_seed_draws_the_same_numbers_and_leaves_those_of_others_alone() -> None:
    opened, drawn = open_device("cpu"), []
    torch.manual_seed(5)
    untouched = torch.rand(1)
    torch.manual_seed(5)

    for rng_seed in (7, 7, 8):
        with repeatable(opened, rng_seed=rng_seed):
            drawn.append(torch.rand(4).tolist())

    assert drawn[0] == drawn[1] != drawn[2]
    assert torch.rand(1) == untouched


@pytest.mark.parametrize(
    ("n", "bytes_each", "sizes"), [(10, 4, [4, 4, 2]), (3, 100, [1, 1, 1]), (0, 4, []), (2, 0, [2])]
)
def test_chunks_take_a_quarter_of_what_is_free_on_a_card_and_one_item_at_least(
    n: int, bytes_each: int, sizes: list[int]
) -> None:
    cuda = FakeCuda(n_cards=1, free=64)
    opened = TorchDevice(torch=SimpleNamespace(cuda=cuda), device=torch.device("cuda"))

    slices = list(chunks(n, bytes_each=bytes_each, opened=opened))

    assert [each.stop - each.start for each in slices] == sizes
    assert [index for each in slices for index in range(n)[each]] == list(range(n))
    assert cuda.asked == [torch.device("cuda")]


def test_chunks_on_a_processor_have_a_fixed_room() -> None:
    slices = list(chunks(5, bytes_each=CPU_BYTES // 2, opened=open_device("cpu")))

    assert slices == [slice(0, 2), slice(2, 4), slice(4, 5)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_comparison_counts_the_numbers_between(dtype: Any) -> None:
    one = dtype(1.0)
    above = np.nextafter(np.nextafter(one, dtype(2.0)), dtype(2.0))
    expected = np.array([1.0, np.nan, 0.0, -2.0, np.inf], dtype=dtype)
    found = np.array([above, np.nan, -0.0, -2.0, np.inf], dtype=dtype)

    compared = compare(found, expected)

    assert (compared.n_values, compared.n_other_bits, compared.most_ulp) == (5, 2, 2.0)


def test_a_number_where_there_should_be_none_is_endlessly_far() -> None:
    assert compare(np.array([1.0, 2.0]), np.array([1.0, np.nan])).most_ulp == np.inf
    assert compare(np.zeros((0, 3)), np.zeros((0, 3))).most_ulp == 0.0


def test_arrays_that_are_not_alike_are_not_compared() -> None:
    with pytest.raises(ValueError, match=r"float64\[2\] and float32\[2\]"):
        compare(np.zeros(2), np.zeros(2, np.float32))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
def test_on_a_gpu_products_of_float32_are_taken_in_float32_and_repeat() -> None:
    # given
    rng = np.random.default_rng(3)
    left, right = (rng.normal(size=(256, 256)).astype(np.float32) for _ in range(2))
    opened = open_device("cuda")

    # when
    with repeatable(opened, rng_seed=0):
        found = [(torch.tensor(left).to("cuda") @ torch.tensor(right).to("cuda")).cpu().numpy() for _ in range(2)]

    # then: TF32 would be off by a part in a thousand
    assert compare(found[0], found[1]).n_other_bits == 0
    np.testing.assert_allclose(found[0], left.astype(np.float64) @ right, atol=1e-4)
