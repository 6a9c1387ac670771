"""What happened in a run, in one line for people."""

from collections.abc import Mapping
from typing import Any

from evolve.view.figures import figure, figures_apart, named_figures, plural
from evolve.view.text import clean_line

N_METRICS = 6


def described(kind: str, data: Mapping[str, Any]) -> str:
    """Say an event in one line for people."""
    match kind:
        case "started":
            workers = plural(int(data.get("workers") or 0), "worker")
            head = f"{data.get('problem')} on {workers}, window {data.get('window')}, seed {data.get('rng_seed')}"
            text = f"started   {head}, run {data.get('run')}"
        case "seed":
            level = f", sandbox {data['level']}" if data.get("level") else ""
            text = f"seed      score {figure(data.get('score'))}, candidate {data.get('id')}{level}"
        case "improved":
            text = _improvement(data)
        case "stopping":
            waiting = "waiting for the evaluations in flight; Ctrl-C again stops at once"
            text = f"stopping  {waiting if data.get('in_flight') else data.get('reason', '')}"
        case "paused":
            text = "paused    nothing new is begun; `evolve resume` lets it go on, `evolve stop` ends it"
        case "resumed":
            text = "resumed   the search goes on"
        case "preparing":
            text = f"preparing {data.get('text', '')}"
        case "warning":
            text = f"warning   {data.get('text', '')}"
        case _:
            text = f"{kind:<9} {named_figures(data)}"
    return clean_line(text.rstrip())


def _improvement(data: Mapping[str, Any]) -> str:
    previous = data.get("previous")
    score, before = (figure(data.get("score")), "") if previous is None else figures_apart(data["score"], previous)
    was = f" (was {before})" if before else ""
    parts = [
        f"improved  score {score}{was}",
        f"candidate {data.get('id')} by {data.get('operator')}",
        f"after {plural(int(data.get('evaluations') or 0), 'evaluation')}",
        named_figures(data.get("metrics") or {}, limit=N_METRICS),
    ]
    return ", ".join(part for part in parts if part)
