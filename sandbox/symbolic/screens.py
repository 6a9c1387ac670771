"""Which screen runs a batch on a device: the Triton kernel on a card where it can, else torch.

Both give the bits of the compiled interpreter for programs over + - * / sqrt abs minimum maximum (`is_exact`): what is
decided by such errors is decided alike on every device. Other functions may differ in the last bits: decide by them
only what is judged again.
"""

import numpy as np
import numpy.typing as npt

from sandbox.symbolic.batch import ProgramBatch
from sandbox.symbolic.kernel import Floats
from sandbox.symbolic.torch_screen import TorchScreen
from sandbox.symbolic.triton_screen import TritonScreen, can_run, is_installed
from sandbox.torch_device import TorchDevice, open_device


def values(device: str, batch: ProgramBatch, points: Floats) -> Floats:
    """Values of every program at every point, as `evaluate_batch` gives them.

    Raises:
        DeviceError: torch or the device is not there.
    """
    return TorchScreen(open_device(device)).values(batch, points)


def largest_errors(
    device: str,
    batch: ProgramBatch,
    points: Floats,
    target: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """The largest `abs((value - target) * weight)` of every program, in float64; NaN where one of them is NaN.

    Raises:
        DeviceError: torch or the device is not there.
    """
    return screen_for(open_device(device), batch, points).largest_errors(batch, points, target, weights)


def screen_for(opened: TorchDevice, batch: ProgramBatch, points: Floats) -> TorchScreen | TritonScreen:
    """The fastest screen that an open device has for this batch."""
    screen = TorchScreen(opened)
    if opened.is_card and is_installed() and can_run(batch, points):
        return TritonScreen(opened, memory_bytes=screen.memory_bytes)
    return screen
