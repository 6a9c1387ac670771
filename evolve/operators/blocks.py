"""The law of evolve blocks: a child differs from its parent inside them only, byte for byte."""

from evolve.config.python_text import Block, blocks_of
from sandbox.errors import CandidateSyntaxError

__all__ = ["Block", "blocks_of", "outside_of", "outside_unchanged"]


def outside_of(text: str) -> tuple[str, ...]:
    """What stands around the evolve blocks, marker lines included: one piece more than there are blocks.

    Raises:
        CandidateSyntaxError: the markers do not pair up.
    """
    pieces: list[str] = []
    position = 0
    for block in blocks_of(text):
        pieces.append(text[position : block.start])
        position = block.end
    return (*pieces, text[position:])


def outside_unchanged(parent: str, child: str) -> bool:
    """Whether a file's new text differs from its old one inside evolve blocks only; broken markers are a change."""
    try:
        return parent == child or outside_of(parent) == outside_of(child)
    except CandidateSyntaxError:
        return False
