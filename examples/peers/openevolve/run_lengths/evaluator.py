"""How small a text of many repetitions gets. Artifacts say more than numbers do, some of them as bytes."""

import importlib.util

from openevolve.evaluation_result import EvaluationResult

DATA = b"a" * 40 + b"bcd" * 5 + b"\x00" * 300 + bytes(range(20))


def evaluate(program_path):
    spec = importlib.util.spec_from_file_location("coder", program_path)
    coder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(coder)
    packed = coder.pack(DATA)
    print("packed into", len(packed), "bytes")
    result = EvaluationResult.from_dict({"combined_score": 0.0, "bytes": len(packed)})
    result.artifacts["beginning"] = packed[:12]
    result.artifacts["advice"] = "single bytes cost two: mark runs only where they pay"
    if coder.unpack(packed) != DATA:
        result.metrics["error"] = "unpack(pack(data)) is not data"
        return result
    result.metrics["combined_score"] = len(DATA) / max(1, len(packed))
    assert result.has_artifacts() and result.get_total_artifact_size() > 20
    return result
