"""Who is kept: candidates, grid and centroidal archives, Pareto cells, islands and statistics."""

from archive.axes import Axis, CategoryAxis, EdgesAxis, LinearAxis, LogAxis, axis_from_mapping
from archive.build import build_archive
from archive.candidate import Candidate
from archive.cells import BestCell, CellRule, ParetoCell, TopCell
from archive.contract import AddManyResult, AddResult, AddStatus, Archive, ArchiveStats, Descriptor, Elite
from archive.elites import CVTArchive, GridArchive
from archive.errors import ArchiveError, ArchiveSpecError
from archive.islands import Islands
from archive.pareto import Direction, Objective

__all__ = [
    "AddManyResult",
    "AddResult",
    "AddStatus",
    "Archive",
    "ArchiveError",
    "ArchiveSpecError",
    "ArchiveStats",
    "Axis",
    "BestCell",
    "CVTArchive",
    "Candidate",
    "CategoryAxis",
    "CellRule",
    "Descriptor",
    "Direction",
    "EdgesAxis",
    "Elite",
    "GridArchive",
    "Islands",
    "LinearAxis",
    "LogAxis",
    "Objective",
    "ParetoCell",
    "TopCell",
    "axis_from_mapping",
    "build_archive",
]
