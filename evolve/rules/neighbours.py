"""All update rules that one small edit leads to: a systematic look around one rule, where `moves` draws at random."""

from collections.abc import Iterator

from evolve.rules.graph import Call, calls_of, copied, drop_dead_slots, graph_of, program_of
from evolve.rules.language import Language
from evolve.rules.smaller import cuts
from sandbox.symbolic.program import Program


def neighbours(program: Program, language: Language, *, max_operations: int) -> list[Program]:
    """The different programs that one edit leads to.

    An edit puts a word of one argument around what some call reads, exchanges a word for another of the same types, or
    leaves a call out. A published rule is often that near to another: `sign` around momentum, `orthogonal` around it.
    """
    found = dict.fromkeys([*cuts(program, language), *_exchanges(program, language)])
    if len(calls_of(graph_of(program))) - 1 < max_operations:
        found |= dict.fromkeys(_insertions(program, language))
    found.pop(program, None)
    return list(found)


def _insertions(program: Program, language: Language) -> Iterator[Program]:
    unary = {
        type_: [k for k in words if language.functions[k].argument_types == (type_,)]
        for type_, words in language.by_result.items()
    }
    for number, call in enumerate(calls_of(graph_of(program))):
        for k, type_ in enumerate(language.functions[call.function].argument_types):
            if type_ == "real" or call.arguments[k] in language.state:
                continue
            for word in unary.get(type_, ()):
                root = copied(graph_of(program))
                reader = calls_of(root)[number]
                reader.arguments[k] = Call(word, [reader.arguments[k]])
                yield _finished(root, program, language)


def _exchanges(program: Program, language: Language) -> Iterator[Program]:
    for number, call in enumerate(calls_of(graph_of(program))):
        for word in language.alike[call.function] if call.function != language.step else ():
            root = copied(graph_of(program))
            calls_of(root)[number].function = word
            yield _finished(root, program, language)


def _finished(root: Call, program: Program, language: Language) -> Program:
    drop_dead_slots(root, language.state)
    return program_of(root, program)
