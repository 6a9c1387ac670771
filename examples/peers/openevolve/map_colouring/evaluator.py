"""Colour a graph so that neighbours differ, with few colours."""

import importlib.util
import json
from pathlib import Path

GRAPH = json.loads(Path(__file__).with_name("neighbours.json").read_text(encoding="utf-8"))


def evaluate(program_path):
    spec = importlib.util.spec_from_file_location("painter", program_path)
    painter = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(painter)
    colours = painter.colour([list(each) for each in GRAPH])
    clashes = sum(colours[node] == colours[other] for node, others in enumerate(GRAPH) for other in others) // 2
    return {"combined_score": 1.0 / (len(set(colours.values())) + clashes), "clashes": clashes}
