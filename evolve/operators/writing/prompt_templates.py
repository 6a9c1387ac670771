"""Prompt templates: text files with `$names`; a problem's folder may have its own in `prompts/`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from evolve.config.mistakes import did_you_mean
from evolve.errors import ProblemError

FOLDER = "prompts"
SUFFIX = ".md"
MAX_TEMPLATE_BYTES = 1 << 18

PLACEHOLDERS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    name: (frozenset(required.split()), frozenset(optional.split()))
    for name, (required, optional) in {
        "system": ("statement language", "title score limits known"),
        "python": ("files", "modules"),
        "symbolic": ("functions signature", "max_operations max_constants constants"),
        "update_rule": ("functions inputs", "signature max_operations max_constants"),
        "instruction": ("", ""),
        "directions_python": ("", ""),
        "directions_symbolic": ("", ""),
        "directions_update_rule": ("", ""),
        "answer_diff": ("", "files"),
        "answer_rewrite": ("", "files"),
        "answer_symbolic": ("", "signature max_operations"),
        "answer_update_rule": ("", "signature max_operations"),
        "diff": ("parent answer", "inspirations failures direction"),
        "rewrite": ("parent answer", "inspirations failures direction"),
        "crossover": ("parent answer", "inspirations failures direction"),
        "repair": ("failed answer", "parent inspirations direction"),
        "idea": ("parent", "inspirations failures direction"),
        "review": ("idea parent", "inspirations failures"),
        "build": ("answer", ""),
        "retry": ("problem", ""),
        "insight": ("change", ""),
        "advice": ("instructions", "parent failures"),
    }.items()
}
"""For each template the placeholders that it must have, and those that it may have."""


@dataclass(frozen=True, slots=True)
class Templates:
    """All templates, checked: filling one cannot fail."""

    texts: Mapping[str, str]

    def fill(self, name: str, values: Mapping[str, str]) -> str:
        """The template's text with its values put in, once: what looks like a placeholder in a value stays as it is.

        A value that is not given is empty. A paragraph that is nothing but an empty placeholder is left out.
        """
        required, optional = PLACEHOLDERS[name]
        all_values = dict.fromkeys(required | optional, "") | dict(values)
        paragraphs = re.split(r"\n{2,}", self.texts[name].strip("\n"))
        filled = [Template(paragraph).substitute(all_values) for paragraph in paragraphs]
        return "\n\n".join(paragraph for paragraph in filled if paragraph.strip())

    def paragraphs(self, name: str) -> tuple[str, ...]:
        """The paragraphs of a template without placeholders."""
        return tuple(" ".join(part.split()) for part in self.fill(name, {}).split("\n\n") if part.strip())


def load_templates(folder: Path | None = None) -> Templates:
    """The built-in templates, each replaced by the file of its name in `folder`/prompts, if there is one.

    Raises:
        ProblemError: a file there is not a template: unknown name or placeholder, or a necessary one is missing. The
            message lists all mistakes.
    """
    texts = {name: _built_in(name) for name in PLACEHOLDERS}
    mistakes: list[str] = []
    for path in sorted((folder / FOLDER).glob(f"*{SUFFIX}")) if folder is not None else ():
        if path.name == "README.md":
            continue
        if path.stem not in PLACEHOLDERS:
            hint = did_you_mean(path.stem, PLACEHOLDERS)
            known = ", ".join(PLACEHOLDERS)
            mistakes.append(
                f"{path}: there is no template of this name, the names are {known}; {hint}".removesuffix("; ")
            )
            continue
        text, mistake = _read(path)
        texts[path.stem] = text
        mistakes += [mistake] if mistake else mistakes_in(path.stem, text, str(path))
    if mistakes:
        raise ProblemError("prompt templates are wrong:\n" + "\n".join(f"  {each}" for each in mistakes))
    return Templates(texts)


def _built_in(name: str) -> str:
    return resources.files("evolve.operators.writing").joinpath(FOLDER, name + SUFFIX).read_text(encoding="utf-8")


def _read(path: Path) -> tuple[str, str]:
    """The file's text and no mistake, or a mistake."""
    try:
        data = path.read_bytes()
        if len(data) > MAX_TEMPLATE_BYTES:
            return "", f"{path}: it has {len(data)} bytes, expected at most {MAX_TEMPLATE_BYTES}"
        return data.decode("utf-8").replace("\r\n", "\n"), ""
    except (OSError, ValueError) as error:
        return "", f"{path}: cannot be read as UTF-8 text: {error}"


def mistakes_in(name: str, text: str, place: str) -> list[str]:
    """What is wrong with the placeholders of a template."""
    template = Template(text)
    required, optional = PLACEHOLDERS[name]
    known = required | optional
    if not template.is_valid():
        return [f"{place}: a $ without a name behind it: write $$ for the sign itself"]
    found = set(template.get_identifiers())
    unknown = [
        f"{place}: unknown placeholder ${word}, expected {_listing(known)}; {did_you_mean(word, known)}".removesuffix(
            "; "
        )
        for word in sorted(found - known)
    ]
    return unknown + [f"{place}: the placeholder ${word} is missing" for word in sorted(required - found)]


def _listing(names: Iterable[str]) -> str:
    words = sorted(names)
    return ", ".join(f"${word}" for word in words) if words else "none"
