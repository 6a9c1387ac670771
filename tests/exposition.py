"""A strict reader of the text format of Prometheus, version 0.0.4, for tests."""

import re

Sample = tuple[str, tuple[tuple[str, str], ...]]
_HELP = re.compile(r"# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)")
_TYPE = re.compile(r"# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)")
_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{(.*)\} (-?(?:[0-9.]+(?:e[+-]?[0-9]+)?|Inf)|\+Inf|NaN)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)')
_UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def parsed(text: str) -> dict[Sample, float]:
    """The samples by name and labels; whatever the format does not allow is an error."""
    assert text.endswith("\n")
    samples: dict[Sample, float] = {}
    families: list[str] = []
    lines = iter(text[:-1].split("\n"))
    for line in lines:
        said = _HELP.fullmatch(line)
        if said:
            kind = _TYPE.fullmatch(next(lines))
            assert kind, f"no type after the help of {said[1]}"
            assert kind[1] == said[1]
            assert said[1] not in families, f"{said[1]} comes twice"
            assert (kind[2] == "counter") == said[1].endswith("_total")
            families.append(said[1])
            continue
        found = _SAMPLE.fullmatch(line)
        assert found, f"no sample: {line!r}"
        assert found[1] == families[-1], f"{found[1]} does not stand under its own help"
        key = found[1], _labels(found[2])
        assert key not in samples, f"{key} comes twice"
        samples[key] = float(found[3])
    assert {name for name, _ in samples} == set(families), "a family without samples"
    return samples


def _labels(text: str) -> tuple[tuple[str, str], ...]:
    labels = []
    while text:
        found = _LABEL.match(text)
        assert found, f"no label: {text!r}"
        labels.append((found[1], re.sub(r"\\.", lambda match: _UNESCAPED[match[0]], found[2])))
        text = text[found.end() :]
    assert len(dict(labels)) == len(labels)
    return tuple(labels)
