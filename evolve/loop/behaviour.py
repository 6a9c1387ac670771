"""What a symbolic program does, told from a few points: programs that only look different are not judged twice."""

import hashlib
from collections.abc import Mapping

import numpy as np

from evolve.config.problem import Problem
from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.canonical import canonical, live, operation_count
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.state import needed_slots
from sandbox.symbolic.vocabulary import Vocabulary, load_vocabulary

N_PROBES = 48
_PROBES_SEED = 20261


class SymbolicBehaviour:
    """Signatures of symbolic programs: equal for twins.

    Twins give the same numbers, bit for bit, on fixed inputs of many sizes and signs, and are built of the same
    operations to the same depth: the shorter or flatter one of two that compute the same is a discovery, not a twin.
    """

    def __init__(self, vocabulary: Vocabulary, inputs: tuple[str, ...], entry: str) -> None:
        self._vocabulary = vocabulary
        self._inputs = inputs
        self._entry = entry
        rng = np.random.default_rng(_PROBES_SEED)
        sizes = 10.0 ** rng.uniform(-3.0, 2.0, (len(inputs), N_PROBES))
        self._probes = list(sizes * rng.choice([-1.0, 1.0], sizes.shape))

    def signature_of(self, files: Mapping[str, str]) -> str | None:
        """The signature of a candidate; None for one that is no program, or that the probes say nothing about."""
        from sandbox.symbolic.interpreter import evaluate  # compiled, slow to import: only these runs need it

        try:
            program = canonical(parse(files[self._entry], self._vocabulary, inputs=self._inputs), self._vocabulary)
        except CandidateSyntaxError:
            return None
        if program.constants_low is not None:
            return None  # it differs from others beyond the last digit that the probes show
        values = np.broadcast_to(np.asarray(evaluate(program, self._vocabulary, self._probes), np.float64), N_PROBES)
        known = np.isfinite(values)
        if 2 * known.sum() < N_PROBES:
            return None
        numbers = np.where(known, values + 0.0, np.nan)  # one zero, one NaN
        build = f"{self._operations(program)} {_depth(program)} {len(program.constants)}"
        return hashlib.sha256(build.encode() + numbers.tobytes()).hexdigest()

    def _operations(self, program: Program) -> list[int]:
        return sorted(program.instructions[i].function for i in live(program))


class RuleBehaviour:
    """Signatures of update rules: equal for twins.

    Twins make the same steps on a fixed stream of gradients, up to a constant factor and rounding to three digits, and
    have as many operations and as much state: the smaller one of two that train alike is a discovery, not a twin.
    """

    def __init__(self, vocabulary: Vocabulary, inputs: tuple[str, ...], entry: str) -> None:
        from evolve.rules.probe import Probe  # only these runs need it

        self._vocabulary = vocabulary
        self._inputs = inputs
        self._entry = entry
        self._probe = Probe(vocabulary)

    def signature_of(self, files: Mapping[str, str]) -> str | None:
        """The signature of a candidate; None for one that is no rule, or none that could train anything."""
        try:
            program = canonical(parse(files[self._entry], self._vocabulary, inputs=self._inputs), self._vocabulary)
        except CandidateSyntaxError:
            return None
        seen = self._probe.look(program).signature
        if seen is None:
            return None
        return f"{seen} {operation_count(program)} {len(needed_slots(program))}"


def _depth(program: Program) -> int:
    first = len(program.inputs)
    depths: dict[int, int] = {}
    for i in live(program):
        depths[first + i] = 1 + max((depths.get(each, 0) for each in program.instructions[i].arguments), default=0)
    return depths.get(program.output, 0)


def behaviour_for(problem: Problem) -> SymbolicBehaviour | RuleBehaviour | None:
    """How to tell twins among a problem's candidates; None where that is not cheap.

    Python candidates would have to run, functions of a problem's own may do anything, and in another arithmetic than
    float64 the probes would call programs equal that are not.
    """
    if problem.language != "symbolic":
        return None
    symbolic = problem.symbolic_mapping()
    vocabulary = load_vocabulary(symbolic["vocabulary"])
    if vocabulary.signature is not None:
        return RuleBehaviour(vocabulary, tuple(symbolic["inputs"]), problem.tables.seed.files[0])
    if any(function.opcode < 0 for function in vocabulary.functions):
        return None
    return SymbolicBehaviour(vocabulary, tuple(symbolic["inputs"]), problem.tables.seed.files[0])
