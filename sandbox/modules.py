"""A candidate's files as importable modules, inside its own process."""

import importlib.util
import linecache
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType

PACKAGE_FILE = "__init__.py"


def module_name_of(file_name: str) -> str:
    """The module a file becomes: `a/b.py` is `a.b`, `a/__init__.py` is `a`.

    Raises:
        ValueError: the name cannot be a module; the text says why.
    """
    parts = file_name.removesuffix(".py").split("/")
    if not file_name.endswith(".py") or not all(part.isidentifier() for part in parts):
        raise ValueError(f"the file name {file_name!r:.80} is not a module's: expected a name like solver.py or a/b.py")
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    if parts[0] in sys.stdlib_module_names:
        raise ValueError(f"the file {file_name!r:.80} hides the standard module {parts[0]!r}: give it another name")
    return ".".join(parts)


class CandidateFinder(Loader):
    """Finds and loads modules from compiled texts; nothing touches the disk."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Compile every file, so that a mistake in any of them is found at once.

        Raises:
            SyntaxError, ValueError, RecursionError, MemoryError: a text does not compile.
        """
        self._codes: dict[str, tuple[CodeType, bool]] = {}
        for file_name, text in files.items():
            code = compile(text, file_name, "exec", dont_inherit=True)
            self._codes[module_name_of(file_name)] = (code, file_name.endswith(PACKAGE_FILE))
            linecache.cache[file_name] = (len(text), None, text.splitlines(keepends=True), file_name)
        for name in list(self._codes):  # folders without an __init__.py are packages too
            while "." in name:
                name = name.rpartition(".")[0]
                self._codes.setdefault(name, (compile("", f"<{name}>", "exec"), True))

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Claim the candidate's own modules, leave all others to the finders behind."""
        del path, target
        if name not in self._codes:
            return None
        code, is_package = self._codes[name]
        return importlib.util.spec_from_loader(name, self, origin=code.co_filename, is_package=is_package)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Let the import system make the module."""
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run the file's text in its module."""
        code, _ = self._codes[module.__name__]
        exec(code, module.__dict__)  # noqa: S102 this process exists to run it
