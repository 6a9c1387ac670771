"""The judge. It runs in a process of its own and imports nothing of Evolve; candidates run in yet another process.

The three rules of a judge that cannot be fooled: call the program, never execute its text here; believe no number that
it claims about itself, compute it; check the form of what comes back before using it.
"""

import ast

import numpy as np

N_JOBS = 40
N_INSTANCES = 20
N_HELD_OUT = 100


def evaluate(candidate):
    """Judge one candidate: a score (higher is better) and a value for every archive axis, or a failure."""
    return judged(candidate, instances(rng_seed=1, n=N_INSTANCES))


def verify(candidate):
    """Judge once more, on instances that the search never saw. `evolve verify` asks for this."""
    answer = judged(candidate, instances(rng_seed=2, n=N_HELD_OUT))
    if "failure" in answer:
        return {"verdict": "refuted", "detail": answer["failure"]}
    score, metrics = answer["score"], answer["metrics"]
    return {
        # Costs are whole numbers and the instances can be drawn again: anyone can check this claim.
        "verdict": "certified" if score > 0 else "refuted",
        "value": metrics["cost"],
        "score": score,
        "detail": f"on {N_HELD_OUT} instances that were held out: {score:.3g} percent below the earliest-due-time rule",
        "certificate": {"instances": "instances(rng_seed=2, n=100) of evaluate.py", **metrics},
    }


def judged(candidate, cases):
    """The same for any instances."""
    cost = plain_cost = n_late = 0
    for durations, dues, weights in cases:
        answer = candidate.call("order", durations, dues, weights)  # numbers, text, lists, dicts, arrays: plain data
        wrong = what_is_wrong(answer)
        if wrong:
            return {"failure": wrong}  # a failure is not a low score; its text helps whoever writes the next program
        cost += cost_of(answer, durations, dues, weights)
        plain_cost += cost_of(np.argsort(dues, kind="stable"), durations, dues, weights)
        n_late += late_jobs(answer, durations, dues)
    return {
        "score": 100.0 * (1.0 - cost / plain_cost),
        "descriptor": {"late_share": n_late / (N_JOBS * len(cases)), "operations": operations_of(candidate.files)},
        "metrics": {"cost": float(cost), "cost_of_earliest_due": float(plain_cost)},
    }


def instances(rng_seed, n):
    """Jobs with whole durations, due times and weights; the machine is too slow for all due times."""
    rng = np.random.default_rng(rng_seed)
    cases = []
    for _ in range(n):
        durations = rng.integers(1, 100, size=N_JOBS)
        total = int(durations.sum())
        dues = rng.integers(int(0.1 * total), int(0.8 * total), size=N_JOBS)
        weights = rng.integers(1, 11, size=N_JOBS)
        cases.append((durations, dues, weights))
    return cases


def what_is_wrong(answer):
    """Why an answer is no order of the jobs; empty if it is one."""
    if not isinstance(answer, list) or any(type(each) is not int for each in answer):
        return f"order() returned a {type(answer).__name__}, expected a list of {N_JOBS} whole numbers"
    if sorted(answer) != list(range(N_JOBS)):
        return f"order() returned {len(answer)} numbers, expected each of 0 .. {N_JOBS - 1} once"
    return ""


def lateness(order, durations, dues):
    """How late each job ends, in the order of the jobs' doing."""
    ends = np.cumsum(durations[np.asarray(order)])
    return np.maximum(ends - dues[np.asarray(order)], 0)


def cost_of(order, durations, dues, weights):
    """The sum of weight times lateness, a whole number."""
    return int((weights[np.asarray(order)] * lateness(order, durations, dues)).sum())


def late_jobs(order, durations, dues):
    """How many jobs end late."""
    return int((lateness(order, durations, dues) > 0).sum())


def operations_of(files):
    """Calls, arithmetic and comparisons in the rule: its text is read here, never run."""
    rule = files["seed.py"].split("# EVOLVE-BLOCK-START")[1].split("# EVOLVE-BLOCK-END")[0]
    counted = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.BoolOp, ast.IfExp)
    return sum(isinstance(node, counted) for node in ast.walk(ast.parse(rule)))
