"""Programs that are the seed program with something added: they watch, or change what the judge gets to see.

What is added wraps every function of the program, so that nobody has to know which ones the judge calls. It stands at
the end of the entry file; a real child could write the same inside an evolve block.
"""

import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from evolve.config.python_text import blocks_of, parse_python
from sandbox.errors import CandidateSyntaxError

MARK = "~evolve-check~"
_LINE = re.compile(rf"^{re.escape(MARK)}(\{{.*\}})$", re.MULTILINE)

_INSTALL = '''


def _evolve_check_install(own):
    import functools, hashlib, json, os, sys, time, types

    try:
        import numpy
    except BaseException:
        numpy = None

    def is_array(value):
        return numpy is not None and isinstance(value, numpy.ndarray)

    def is_float(value):
        return isinstance(value, float) or numpy is not None and isinstance(value, numpy.floating)

    def mapped(value, change, column=None, inner=False):
        """The answer with every float changed; `column` is a float's place in its row, None outside of rows."""
        if is_array(value) and value.dtype.kind == "f":
            if value.ndim < 2:
                return numpy.asarray(change(value, column))
            parts = [change(value[..., j], j) for j in range(value.shape[-1])]
            return numpy.stack(parts, axis=-1) if parts else value
        if isinstance(value, dict):
            return {key: mapped(each, change, column) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [mapped(each, change, j if inner else None, True) for j, each in enumerate(value)]
        return change(value, column) if is_float(value) else value

    def every(value, change):
        """The answer with every leaf changed, whatever it is; arrays become lists."""
        if is_array(value):
            value = value.tolist()
        if isinstance(value, dict):
            return {key: every(each, change) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [every(each, change) for each in value]
        return change(value)

    def digest(value):
        if is_array(value):
            return digest([str(value.dtype), list(value.shape), hashlib.sha256(value.tobytes()).hexdigest()])
        if isinstance(value, dict):
            text = "{" + ",".join(str(key) + ":" + digest(each) for key, each in value.items())
        elif isinstance(value, (list, tuple)):
            text = "[" + ",".join(map(digest, value))
        else:
            text = repr(value)
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]

    def shape(value):
        if is_array(value):
            return "array " + "x".join(map(str, value.shape)) + " of " + str(value.dtype)
        if isinstance(value, (list, tuple)):
            return "list of %d" % len(value) + (": " + shape(value[0]) if value else "")
        if isinstance(value, dict):
            return "dict of " + ", ".join(str(key)[:20] + ": " + shape(each) for key, each in list(value.items())[:4])
        return type(value).__name__

    def size(value):
        if is_array(value):
            return int(value.size)
        if isinstance(value, dict):
            return sum(map(size, value.values()))
        return sum(map(size, value)) if isinstance(value, (list, tuple)) else 1

    rng = numpy.random.default_rng() if numpy is not None else None
    CLAIM = 987654321.0
@BODY@

    inside = []

    def wrapped(name, function):
        @functools.wraps(function)
        def replaced(*args, **named):
            if inside:
                return function(*args, **named)
            inside.append(name)
            try:
                return tamper(name, lambda: function(*args, **named), args)
            finally:
                inside.pop()

        return replaced

    for name, value in list(own.items()):
        is_function = isinstance(value, types.FunctionType) and not name.startswith("_")
        if is_function and (value.__globals__ is own or value.__module__ in @MODULES@):
            own[name] = wrapped(name, value)


_evolve_check_install(globals())
'''

_WATCH = """
seen = {"calls": 0, "seconds": 0.0, "longest": 0.0, "again": 0, "inputs": 0, "names": [], "first": ""}
known = set()

def tamper(name, call, args):
    started = time.perf_counter()
    answer = call()
    seconds = time.perf_counter() - started
    asked = digest([name, list(args)])
    seen["again"] += asked in known
    known.add(asked)
    seen["calls"] += 1
    seen["seconds"] += seconds
    seen["longest"] = max(seen["longest"], seconds)
    seen["inputs"] = max(seen["inputs"], sum(map(size, args)))
    seen["names"] = sorted({*seen["names"], name})[:5]
    if not seen["first"]:
        seen["first"], seen["first_answer"] = asked, digest(answer)
    seen["form"] = shape(answer)[:150]
    print("\\n@MARK@" + json.dumps(seen), flush=True)
    return answer
"""


def with_body(files: Mapping[str, str], entry: str, body: str) -> dict[str, str]:
    """The program with every function wrapped by `tamper(name, call, args)`, which `body` defines."""
    modules = sorted({PurePosixPath(name).stem for name in files})
    indented = "\n".join(f"    {line}" if line else "" for line in body.strip("\n").splitlines())
    added = _INSTALL.replace("@MODULES@", repr(modules)).replace("@BODY@", indented)
    return {**files, entry: files[entry] + added}


def with_text(files: Mapping[str, str], entry: str, text: str) -> dict[str, str]:
    """The program with statements at its end, run when it is loaded."""
    return {**files, entry: f"{files[entry]}\n\n{text}\n"}


def with_text_everywhere(files: Mapping[str, str], entry: str, text: str) -> dict[str, str]:
    """The program with statements at its end and, where they fit, at the beginning of each of its evolve blocks."""
    source = files[entry]
    for block in reversed(blocks_of(source)):
        marker = source[: block.start].rstrip("\n").rpartition("\n")[2]
        margin = marker[: len(marker) - len(marker.lstrip())]
        tried = source[: block.start] + textwrap.indent(text.strip("\n"), margin) + "\n" + source[block.start :]
        source = tried if _parses(tried) else source
    return with_text({**files, entry: source}, entry, text)


def _parses(text: str) -> bool:
    try:
        parse_python(text)
    except CandidateSyntaxError:
        return False
    return True


def watched(files: Mapping[str, str], entry: str) -> dict[str, str]:
    """The program as it is, printing what it is asked and how it answers."""
    return with_body(files, entry, _WATCH.replace("@MARK@", MARK))


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What the judge asked the program for in one evaluation.

    `first` and `first_answer` are hashes of the first question and its answer. `again` counts calls with arguments that
    were seen before, `inputs` the numbers in the largest list of arguments. `form` describes the last answer.
    """

    calls: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    again: int = 0
    inputs: int = 0
    names: tuple[str, ...] = ()
    first: str = ""
    first_answer: str = ""
    form: str = ""


def watch_of(output: str) -> Watch:
    """What the last whole line of a watched program's output says; an empty watch if there is none.

    The output is a candidate's: what does not have the expected form is left out.
    """
    for line in reversed(_LINE.findall(output)):
        try:
            told = json.loads(line)
            return Watch(**{**told, "names": tuple(map(str, told["names"]))})
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
    return Watch()
