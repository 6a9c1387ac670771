"""Many programs as a few flat arrays: what the compiled interpreter runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sandbox.symbolic.canonical import live
from sandbox.symbolic.lowering import Lowering
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramBatch:
    """Programs lowered to rows of the interpreter's code.

    `code[p, i]` is (operation, target, left and right register) and `constants[p, i]` (operand, scale, shift);
    `lengths[p]` rows are used. Registers `0 .. n_inputs-1` hold the inputs and are never written; a target is never
    one of its arguments. Dead code is gone, constants are folded, and rows scale and shift their results, so a
    program may have fewer rows than operations; every rounding happens as written.
    """

    code: npt.NDArray[np.int32]
    constants: npt.NDArray[np.float64]
    lengths: npt.NDArray[np.int32]
    outputs: npt.NDArray[np.int32]
    n_inputs: int
    n_registers: int

    @classmethod
    def from_programs(cls, programs: Sequence[Program], vocabulary: Vocabulary) -> "ProgramBatch":
        """Lower programs that take the same number of inputs.

        Raises:
            ValueError: the programs differ in their number of inputs, or call a function that is not compiled.
        """
        n_inputs = len(programs[0].inputs) if programs else 0
        if any(len(program.inputs) != n_inputs for program in programs):
            raise ValueError("the programs of a batch must take the same number of inputs: make one batch for each")
        lowered = [Lowering(program, vocabulary) for program in programs]
        longest = max((len(one.rows) for one in lowered), default=0)
        code = np.zeros((len(lowered), longest, 4), dtype=np.int32)
        constants = np.zeros((len(lowered), longest, 3))
        for p, one in enumerate(lowered):
            if one.rows:
                code[p, : len(one.rows)] = [(row.operation, row.target, row.left, row.right) for row in one.rows]
                constants[p, : len(one.rows)] = [(row.constant, row.scale, row.shift) for row in one.rows]
        return cls(
            code=code,
            constants=constants,
            lengths=np.array([len(one.rows) for one in lowered], dtype=np.int32),
            outputs=np.array([one.output for one in lowered], dtype=np.int32),
            n_inputs=n_inputs,
            n_registers=max((one.n_registers for one in lowered), default=n_inputs),
        )

    def take(self, programs: npt.NDArray[np.int64]) -> "ProgramBatch":
        """The programs at these positions, copied, with no more rows and registers than they need.

        A position may come more than once.
        """
        lengths, outputs = self.lengths[programs], self.outputs[programs]
        longest = int(lengths.max(initial=0))
        code = self.code[programs, :longest]
        used = max(int(code[:, :, 1:].max(initial=-1)), int(outputs.max(initial=-1))) + 1
        return ProgramBatch(
            code=code,
            constants=self.constants[programs, :longest],
            lengths=lengths,
            outputs=outputs,
            n_inputs=self.n_inputs,
            n_registers=max(used, self.n_inputs),
        )

    def part(self, start: int, stop: int) -> "ProgramBatch":
        """The programs from `start` to `stop` (views, no copies): to share a batch among threads."""
        return ProgramBatch(
            code=self.code[start:stop],
            constants=self.constants[start:stop],
            lengths=self.lengths[start:stop],
            outputs=self.outputs[start:stop],
            n_inputs=self.n_inputs,
            n_registers=self.n_registers,
        )


def is_compiled(program: Program, vocabulary: Vocabulary) -> bool:
    """Whether a `ProgramBatch` can hold the program: every function it uses has an opcode."""
    return all(vocabulary.functions[program.instructions[i].function].opcode >= 0 for i in live(program))
