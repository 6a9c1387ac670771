"""The whole suite: which attacks are contained here, what stopped each, and whether each would work without."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from evolve.testing.hostile.attack import CURRENT, Attack, Configuration, Family
from evolve.testing.hostile.catalogue import all_attacks
from evolve.testing.hostile.machine import missing
from evolve.testing.hostile.run import Arena, ArenaError, Result

Progress = Callable[[Result], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One attack: `proof` says where it succeeds, why that cannot be shown here, or which limit stops it everywhere."""

    attack: Attack
    contained: bool
    how: str
    is_known: bool
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All attacks in one configuration; `breaches` are those that should have been stopped at this level."""

    configuration: Configuration
    level: str
    layers: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def breaches(self) -> tuple[Row, ...]:
        """The attacks that succeeded although the level promises that they do not."""
        return tuple(row for row in self.rows if not row.contained and not row.is_known)

    @property
    def known(self) -> tuple[Row, ...]:
        """The attacks that succeeded and are known to, at this level; see docs/security.md."""
        return tuple(row for row in self.rows if not row.contained and row.is_known)

    @property
    def unproved(self) -> tuple[Row, ...]:
        """The attacks that were expected to succeed in a weaker configuration, and did not."""
        return tuple(row for row in self.rows if row.proof == FAILED)


FAILED = "did not succeed"


def run_suite(
    configuration: Configuration = CURRENT,
    *,
    attacks: Sequence[Attack] | None = None,
    with_proofs: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Let all attacks loose, one after another; takes about a minute, with proofs two.

    Args:
        configuration: the layers to leave away; none by default.
        attacks: some of the attacks.
        with_proofs: run each also where it should succeed, so that a silent suite can be told from a blind one.
        progress: called with every result.

    Raises:
        ArenaError: the suite cannot run here.
    """
    chosen = tuple(all_attacks() if attacks is None else attacks)
    with Arena(configuration) as arena:
        level, layers = arena.level, arena.layers
        results = [_told(arena.run(attack), progress) for attack in chosen]
    proofs = prove(chosen, progress=progress) if with_proofs else {}
    rows = (
        Row(
            attack=result.attack,
            contained=result.contained,
            how=result.how,
            is_known=level in result.attack.not_promised,
            proof=proofs.get(result.attack.name, ""),
        )
        for result in results
    )
    return Report(configuration=configuration, level=level, layers=layers, rows=tuple(rows))


def prove(attacks: Iterable[Attack], *, progress: Progress | None = None) -> dict[str, str]:
    """Run each attack where it should succeed; says, by name, where it did, or why it cannot be shown here."""
    proofs = {}
    by_configuration: dict[Configuration, list[Attack]] = {}
    for attack in attacks:
        reason = next(filter(None, map(missing, attack.needs)), "")
        if attack.shown_in is None:
            proofs[attack.name] = f"limit: {attack.limit_only}"
        elif reason:
            proofs[attack.name] = f"not here: {reason}"
        else:
            by_configuration.setdefault(attack.shown_in, []).append(attack)
    for configuration, group in by_configuration.items():
        try:
            with Arena(configuration) as arena:
                for attack in group:
                    shown = succeeds(arena, attack, progress)
                    proofs[attack.name] = f"succeeds: {configuration.name}" if shown else FAILED
        except ArenaError as error:
            proofs |= {attack.name: f"not here: {error}" for attack in group if attack.name not in proofs}
    return proofs


def succeeds(arena: Arena, attack: Attack, progress: Progress | None = None) -> bool:
    """Whether an attack gets through in this arena; it may try twice, for a busy machine may be too slow for it."""
    return any(not _told(arena.run(each), progress).contained for each in (attack, attack.patient()))


def lines(report: Report) -> list[str]:
    """The report as plain text, one attack a line, with totals."""
    width = max((len(row.attack.name) for row in report.rows), default=0)
    text = [f"level {report.level}: {', '.join(report.layers) or 'no layers'}"]
    for family in Family:
        rows = [row for row in report.rows if row.attack.family is family]
        text += ["", f"{family} ({len(rows)})"] if rows else []
        for row in rows:
            verdict = "contained" if row.contained else "KNOWN    " if row.is_known else "BREACH   "
            text.append(f"  {verdict}  {row.attack.name:<{width}}  {row.how}")
            text.append(f"{'':<{width + 13}}  stopped by {', '.join(row.attack.stopped_by)}")
            if row.proof:
                text.append(f"{'':<{width + 13}}  {row.proof}")
    return [*text, "", _total(report)]


def _total(report: Report) -> str:
    parts = [f"{len(report.breaches)} breaches of {len(report.rows)}"]
    if report.known:
        parts.append(f"{len(report.known)} known at this level: {', '.join(row.attack.name for row in report.known)}")
    if any(row.proof for row in report.rows):
        n_shown = sum(row.proof.startswith("succeeds") for row in report.rows)
        parts.append(f"{n_shown} shown to succeed elsewhere, {len(report.unproved)} that should have and did not")
    return "; ".join(parts)


def _told(result: Result, progress: Progress | None) -> Result:
    if progress is not None:
        progress(result)
    return result
