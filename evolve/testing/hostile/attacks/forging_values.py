"""Answers that lie about what they are: their type, their comparisons, their numbers, their size."""

from evolve.testing.hostile.attack import Attack, Family
from evolve.testing.hostile.program import body, is_believed
from sandbox.limits import MEBIBYTE, Limits

_LIMITS = Limits(
    wall_seconds=3.0, cpu_seconds=5.0, memory_bytes=256 * MEBIBYTE, output_bytes=16 * 1024, result_bytes=MEBIBYTE
)
_PLAIN = ("only plain data is sent",)
_READER = ("the strict reader",)


def _lie(name: str, text: str) -> Attack:
    """A peer believes it, because the answer is compared where its own methods answer."""
    return Attack(name=name, family=Family.FORGING, text=text, stopped_by=_PLAIN, breached=is_believed, limits=_LIMITS)


def _misfit(name: str, text: str, *, stopped_by: tuple[str, ...] = _READER) -> Attack:
    """No plain data: whoever reads strictly refuses it, so that nobody has to think about what it would do."""
    return Attack(
        name=name,
        family=Family.FORGING,
        text=text,
        stopped_by=stopped_by,
        shown_in=None,
        limit_only="what is not plain, finite and of bounded size is not an answer",
        breached=is_believed,
        limits=_LIMITS,
    )


def _class(*lines: str, base: str = "", arguments: str = "") -> str:
    text = "".join(f"    {line}\n" for line in lines)
    return body(f"return Best({arguments})", definitions=f"class Best({base}):\n{text}")


_EQUAL = ("def __eq__(self, other): return True", "__hash__ = None")
_NEAR = (
    "def __sub__(self, other): return Best(0)",
    "def __abs__(self): return Best(0)",
    "def __gt__(self, other): return False",
)

ATTACKS = (
    _lie("equal_to_everything", _class(*_EQUAL)),
    _lie("number_equal_to_everything", _class(*_EQUAL, base="float", arguments="0.5")),
    _lie("text_equal_to_everything", _class(*_EQUAL, base="str", arguments="'x'")),
    _lie("list_equal_to_everything", _class(*_EQUAL, base="list", arguments="[0]")),
    _lie("dict_equal_to_everything", _class(*_EQUAL, base="dict", arguments="{'a': 0}")),
    _lie("array_equal_to_everything", "import numpy\n" + _class(*_EQUAL, base="numpy.ndarray", arguments="(2,)")),
    _lie("number_near_everything", _class(*_NEAR, base="float", arguments="0.5")),
    _lie("integer_near_everything", _class(*_NEAR, base="int", arguments="5")),
    _lie(
        "object_that_poses_as_a_number",
        _class("__class__ = property(lambda self: float)", *_EQUAL, "def __float__(self): return 0.5"),
    ),
    _lie("not_a_number", body("return float('nan')")),
    _lie("not_a_number_in_an_array", body("import numpy", "return numpy.array([float('nan')])")),
    _lie("not_a_number_of_numpy", body("import numpy", "return numpy.float32('nan')")),
    _lie(
        "list_sorted_by_itself",
        body(
            "return 0",
            definitions="class Best(list):\n    def __eq__(self, other): return True\ndef sort(items): return Best()\n",
        ),
    ),
    _lie("input_emptied", body("return 0", definitions="def sort(items):\n    items.clear()\n    return []\n")),
    _lie(
        "input_made_equal",
        body("return 0", definitions="def sort(items):\n    items[:] = [1.0] * len(items)\n    return list(items)\n"),
    ),
    _lie(
        "claimed_score", body("return {'score': 1e9, 'combined_score': 1e9, 'metrics': {'score': 1e9}, 'valid': True}")
    ),
    _misfit("infinite", body("return float('inf')")),
    _misfit("infinite_in_an_array", body("import numpy", "return numpy.array([1.0, float('inf')])")),
    _misfit("infinite_deep_inside", body("return {'a': [1, {'b': [float('-inf')]}]}")),
    _misfit("overflowing_number", body("return 10 ** 400")),
    _misfit("number_of_many_digits", body("sys.set_int_max_str_digits(0)", "return 10 ** 100_000")),
    _misfit("empty_array", body("import numpy", "return numpy.zeros(0)")),
    _misfit("array_of_objects", body("import numpy", "return numpy.array([object()], dtype=object)")),
    _misfit("array_of_complex_numbers", body("import numpy", "return numpy.zeros(2, dtype=complex)")),
    _misfit("array_of_records", body("import numpy", "return numpy.zeros(2, dtype=[('a', 'f8'), ('b', 'i4')])")),
    _misfit("array_read_backwards", body("import numpy", "return numpy.arange(6.0)[::-2]")),
    _misfit(
        "array_that_overlaps_itself",
        body("import numpy", "return numpy.lib.stride_tricks.as_strided(numpy.zeros(1), (1 << 16,), (0,))"),
    ),
    _misfit(
        "array_of_enormous_shape",
        body("import numpy", "return numpy.lib.stride_tricks.as_strided(numpy.zeros(1), (10**10,), (0,))"),
    ),
    _misfit(
        "object_that_makes_arrays",
        _class("def __array__(self, *args, **more): return float('nan')", "def __float__(self): return 0.0"),
    ),
    _misfit(
        "array_subclass_with_methods",
        "import numpy\n"
        + _class(
            "def astype(self, *args, **more): return 5",
            "dtype = property(lambda self: 'f8')",
            base="numpy.ndarray",
            arguments="(2,)",
        ),
    ),
    _misfit("memory_as_an_answer", body("return memoryview(bytearray(10))")),
    _misfit("bytes_as_an_answer", body("return b'answer'")),
    _misfit("generator_without_end", body("def numbers():", "    while True: yield 1", "return numbers()")),
    _misfit("set_as_an_answer", body("return {1, 2}")),
    _misfit("deep_answer", body("value = []", "for _ in range(100_000): value = [value]", "return value")),
    _misfit("cyclic_answer", body("value = []", "value.append(value)", "return value")),
    _misfit("wide_cyclic_answer", body("value = []", "value += [value] * 50", "return value")),
    _misfit("keys_that_are_not_text", body("return {1: 2, None: 3, (4,): 5}")),
    _misfit("keys_that_pose_as_arrays", body("return {'$': ['<f8', [1 << 40]]}")),
    _misfit("half_a_character", body("return '\\ud800'")),
    _misfit("half_a_character_as_a_key", body("return {'\\udfff': 1}")),
)
