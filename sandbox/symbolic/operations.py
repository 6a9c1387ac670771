"""The compiled interpreter's operations: one number for each kind of row (see `ProgramBatch`).

Few kinds on purpose: a special loop for a plain sum saves less than the extra jumps cost.
"""

from typing import Final

# Two registers.
ADD: Final = 0
SUB: Final = 1
MUL: Final = 2
DIV: Final = 3
MIN: Final = 4
MAX: Final = 5

# A register and the row's constants.
AFFINE: Final = 6
DIV_CONSTANT: Final = 7
CONSTANT_DIV: Final = 8
MIN_CONSTANT: Final = 9
MAX_CONSTANT: Final = 10
FILL: Final = 11

# One register.
ABS: Final = 12
SQRT: Final = 13
EXP: Final = 14
LOG: Final = 15
SIN: Final = 16
COS: Final = 17
TANH: Final = 18

LAST_OF_TWO: Final = MAX
LAST_WITH_CONSTANT: Final = FILL
SCALING: Final = frozenset({ADD, SUB, MUL, DIV, AFFINE, DIV_CONSTANT, CONSTANT_DIV})
"""The operations whose rows scale and shift their result."""
