"""The device that a batched evaluation runs on: asked for by one word, opened or refused with what there is."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

WORDS: Final = ("cpu", "cuda", "auto")
"""What a device is asked for by: the processor, a graphics card, or a card if there is one."""


class DeviceError(ValueError):
    """The device that was asked for cannot be used: torch is not installed, or knows no such device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchDevice:
    """An open device.

    `torch` is the module and `device` one of its devices. `notice` says in a sentence that `auto` found no card, and
    why; it is empty otherwise. Show it: what was asked for is not what runs.
    """

    torch: Any
    device: Any
    notice: str = ""

    @property
    def is_card(self) -> bool:
        """Whether it is a graphics card."""
        return bool(self.device.type == "cuda")

    @property
    def name(self) -> str:
        """The card's name, or "CPU"."""
        return str(self.torch.cuda.get_device_name(self.device)) if self.is_card else "CPU"

    def free_bytes(self) -> int | None:
        """Memory of the card that nobody holds now; None on a processor."""
        return int(self.torch.cuda.mem_get_info(self.device)[0]) if self.is_card else None


def open_device(asked: str) -> TorchDevice:
    """The device called "cpu", "cuda", "cuda:1" or "auto": the first card if torch sees one, else the processor.

    Raises:
        DeviceError: torch is not installed, the name is none of torch's, or there is no such card.
    """
    if asked == "auto":
        return _first_card_or_none()
    torch = _torch(asked)
    try:
        device = torch.device(asked)
    except RuntimeError as error:
        raise DeviceError(f"device {asked!r} is none of torch's: use auto, cpu, cuda or cuda:1") from error
    n_cards = _n_cards(torch)
    if device.type not in ("cpu", "cuda") or (device.type == "cuda" and (device.index or 0) >= n_cards):
        raise DeviceError(
            f"device {asked} is not here: torch {torch.__version__} sees {n_cards} GPUs; cpu always works"
        )
    return TorchDevice(torch=torch, device=device)


def _first_card_or_none() -> TorchDevice:
    torch = _torch("auto")
    if _n_cards(torch):
        return TorchDevice(torch=torch, device=torch.device("cuda"))
    notice = f"torch {torch.__version__} sees no graphics card: this runs on the CPU"
    return TorchDevice(torch=torch, device=torch.device("cpu"), notice=notice)


def _n_cards(torch: Any) -> int:
    return int(torch.cuda.device_count()) if torch.cuda.is_available() else 0


def _torch(asked: str) -> Any:
    """Torch, imported only here because that takes seconds."""
    try:
        return import_module("torch")
    except ImportError as error:
        raise DeviceError(f"device {asked} needs torch, which is not installed: pip install torch") from error
