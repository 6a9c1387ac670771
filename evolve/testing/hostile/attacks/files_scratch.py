"""Attacks from inside a candidate's own scratch folder, where it may write: on the limit, and on whoever cleans up."""

from dataclasses import replace

from evolve.testing.hostile.attack import (
    PEER,
    SMALL,
    Attack,
    Configuration,
    Family,
    Judge,
    Visit,
    is_claimed,
    is_evident,
    steps,
)
from sandbox.layers import Layer
from sandbox.limits import MEBIBYTE

_FILES = (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE)
_WITH_SCRATCH = replace(SMALL, scratch_bytes=4 * MEBIBYTE)


def _scratch(
    name: str,
    text: str,
    *,
    stopped_by: tuple[str, ...],
    visit: Visit = Visit.NONE,
    breached: Judge = is_evident,
    shown_in: Configuration | None = PEER,
) -> Attack:
    return Attack(
        name=name,
        family=Family.FILES,
        text="from prelude import *\n" + text if visit is not Visit.NONE else text,
        stopped_by=stopped_by,
        visit=visit,
        breached=breached,
        shown_in=shown_in,
        limit_only="" if shown_in else "whoever cleans up follows no link and needs no stack",
        limits=_WITH_SCRATCH,
    )


_LEFT = """
def attack(world):
    return tries(lambda: write("left.txt", world["word"]))
def later(world):
    def search():
        found = []
        for place, _, names in os.walk(os.path.dirname(os.getcwd())):
            for name in names:
                if name == "left.txt":
                    found.append(read(os.path.join(place, name)))
        return found or None
    try:
        return tries(search)
    finally:
        try:
            os.unlink("left.txt")
        except OSError:
            pass
"""

_SYMLINK = """
def follow(world):
    os.symlink(world["dotenv"], "link.txt")
    return read("link.txt")
def by_parents(world):
    os.makedirs("a/b")
    os.symlink("../../../../../../../../../../../" + world["dotenv"].lstrip("/"), "a/b/link.txt")
    return read("a/b/link.txt")
def through_folder(world):
    os.symlink(os.path.dirname(world["evaluator"]), "folder")
    return read("folder/evaluate.py")
"""

_HARD_LINK = """
def link(world):
    os.link(world["dotenv"], "hard.txt")
    return read("hard.txt")
def move_in(world):
    os.rename(world["dotenv"], "moved.txt")
    return read("moved.txt")
"""

_BAIT = """
def bait(world):
    os.symlink(world["home"], "home")
    os.symlink(world["database"], "file")
    os.makedirs("deep/er")
    os.symlink(world["home"], "deep/er/home")
    os.chmod("deep/er", 0)
def renamed(world):
    os.makedirs("one")
    os.rename("one", "two")
    os.symlink(world["home"], "one")
"""

_DEEP = """
def dig(world):
    os.mkdir(world["name"])
    os.chdir(world["name"])
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
"""

_PROGRAM = """
import subprocess
def run():
    with open("program", "w") as file:
        file.write("#!/bin/sh\\necho ran\\n")
    os.chmod("program", 0o755)
    return subprocess.run(["./program"], capture_output=True, text=True, check=True).stdout
"""

_BACK = """
def back():
    others = {"evaluator", *map(str, range(1000))} - {os.path.basename(os.getcwd())}
    return sorted(others & set(os.listdir(".."))) or None
"""

ATTACKS = (
    _scratch(
        "scratch_of_the_one_before", _LEFT, stopped_by=(Layer.MOUNT_NAMESPACE, "scratch-is-removed"), visit=Visit.AFTER
    ),
    _scratch("scratch_of_the_one_beside", _LEFT, stopped_by=_FILES, visit=Visit.BESIDE),
    _scratch(
        "symlink_out_of_the_scratch",
        steps("follow(world)", "by_parents(world)", "through_folder(world)", definitions=_SYMLINK),
        stopped_by=(*_FILES, Layer.SECCOMP),
    ),
    _scratch(
        "hard_link_into_the_scratch",
        steps("link(world)", "move_in(world)", definitions=_HARD_LINK),
        stopped_by=_FILES,
    ),
    _scratch(
        "bait_for_whoever_cleans_up",
        steps("bait(world)", "renamed(world)", definitions=_BAIT),
        stopped_by=("no-link-is-followed",),
        shown_in=None,
    ),
    _scratch(
        "folders_too_deep_to_remove",
        steps("dig(world)", definitions=_DEEP),
        stopped_by=(Layer.MOUNT_NAMESPACE, "removed-without-recursion"),
        shown_in=None,
    ),
    _scratch(
        "a_program_in_the_scratch",
        steps("run()", definitions=_PROGRAM),
        stopped_by=(Layer.SECCOMP,),
        breached=is_claimed,
    ),
    _scratch("folders_beside_the_scratch", steps("back()", definitions=_BACK), stopped_by=_FILES, breached=is_claimed),
)
