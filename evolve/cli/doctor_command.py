"""`doctor`: is this machine fit, and does the sandbox hold?"""

from collections.abc import Iterator
from typing import Any

import click

from evolve.cli import doctor
from evolve.cli.durations import duration_option
from evolve.cli.figures import figure, table
from evolve.cli.machine_cards import card_lines, machine_cards
from evolve.cli.output import Output, json_option
from evolve.errors import EXIT_ENVIRONMENT, EXIT_FINISHED, EvolveEnvironmentError

GIBIBYTE = 1 << 30
NODE_SECONDS = 60.0


@click.command("doctor")
@click.option(
    "--sandbox", "attacks", is_flag=True, help="Attack the sandbox with the whole hostile suite (about a minute)."
)
@click.option("--proofs", is_flag=True, help="With --sandbox: show too that each attack succeeds where it should.")
@click.option(
    "--preload", default="numpy", show_default=True, help="Modules that the sandbox imports, separated by commas."
)
@click.option("--ray", "is_ray", is_flag=True, help="Ask every node of a Ray cluster too; starts one here by itself.")
@click.option("--ray-address", metavar="auto|HOST[:PORT]", help="Ask the nodes of this cluster (implies --ray).")
@click.option(
    "--ray-timeout",
    "node_seconds",
    metavar="DURATION",
    callback=duration_option,
    help="How long to wait for the nodes' answers. Default: 1m.",
)
@json_option
@click.pass_context
def doctor_command(
    context: click.Context, /, *, attacks: bool, proofs: bool, preload: str, as_json: bool, **ray: Any
) -> None:
    """Say what this machine offers. What is missing, and how well the sandbox holds.

    Every start of the sandbox tests itself; --sandbox runs each attack of the hostile suite against it. With --ray
    every node of a cluster tests a sandbox of its own, and is compared with this machine. The exit code is 5 if
    something is wrong.
    """
    output = Output(as_json=as_json)
    modules = tuple(name.strip() for name in preload.split(",") if name.strip())
    facts: dict[str, Any] = {
        "machine": doctor.machine(),
        "packages": doctor.packages(),
        "places": doctor.places(),
        "sandbox": doctor.sandbox(preload=modules),
        "gpus": machine_cards(),
    }
    found = doctor.complaints(facts)
    if not as_json:
        for line in _lines(facts):
            output.say(line)
    if attacks and facts["sandbox"]["error"] is None:
        facts["attacks"], wrong = _attack(output, proofs=proofs)
        found += wrong
    if ray["is_ray"] or ray["ray_address"] is not None:
        facts["cluster"], wrong = _ask_cluster(output, ray["ray_address"], ray["node_seconds"] or NODE_SECONDS)
        found += wrong
    facts["complaints"] = found
    output.answer("evolve.doctor/1", facts, lambda: _verdict(found))
    context.exit(EXIT_ENVIRONMENT if found else EXIT_FINISHED)


def _attack(output: Output, *, proofs: bool) -> tuple[dict[str, Any] | None, list[str]]:
    """Run the hostile suite; its figures and what is wrong."""
    from evolve.testing.hostile.catalogue import all_attacks
    from evolve.testing.hostile.report import lines, run_suite
    from evolve.testing.hostile.run import ArenaError

    output.say()
    output.say(f"running {len(all_attacks())} attacks against the sandbox, which takes about a minute")
    try:
        report = run_suite(with_proofs=proofs)
    except ArenaError as error:
        return None, [f"the hostile suite cannot run here: {error}"]
    for line in lines(report):
        output.say(line)
    figures = {
        "level": report.level,
        "attacks": len(report.rows),
        "breaches": [row.attack.name for row in report.breaches],
        "known": [row.attack.name for row in report.known],
        "unproved": [row.attack.name for row in report.unproved],
    }
    wrong = [f"the attack {row.attack.name} broke out: {row.how}; see docs/security.md" for row in report.breaches]
    wrong += [f"the attack {row.attack.name} did not succeed where it should" for row in report.unproved]
    return figures, wrong


def _ask_cluster(output: Output, address: str | None, seconds: float) -> tuple[dict[str, Any] | None, list[str]]:
    """Ask every node; the facts and what is wrong."""
    from evolve.cli import cluster_check, cluster_verdict

    output.say()
    n_workers = None if address else doctor.machine()["cores"]
    try:
        facts = cluster_check.check(address, n_workers=n_workers, seconds=seconds, say=output.say)
    except EvolveEnvironmentError as error:
        return None, [f"{error.message}; {error.hint}" if error.hint else error.message]
    wrong = cluster_verdict.complaints(facts)
    facts["notices"] = cluster_verdict.notices(facts)
    for line in cluster_check.lines(facts, {name: len(words) for name, words in wrong.items()}):
        output.say(line)
    for notice in facts["notices"]:
        output.say(f"note: {notice}")
    return facts, cluster_verdict.told(facts, wrong)


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    machine = facts["machine"]
    memory = "unknown" if machine["memory_bytes"] is None else f"{machine['memory_bytes'] / GIBIBYTE:.1f} GiB"
    yield f"python    {machine['python']}"
    yield f"system    {machine['system']}, {figure(machine['cores'])} cores, {memory}, {machine['user']}"
    installed = (f"{name} {version}" for name, version in facts["packages"].items() if version is not None)
    absent = [name for name, version in facts["packages"].items() if version is None]
    yield f"packages  {', '.join(installed)}" + (f" (not installed: {', '.join(absent)})" if absent else "")
    for place in facts["places"]:
        if place["folder"] is None:
            yield f"{place['place']:<9} {place['trouble']}"
            continue
        state = "" if place["writable"] else ", NOT WRITABLE"
        yield f"{place['place']:<9} {place['folder']}, {place['free_bytes'] / GIBIBYTE:.1f} GiB free{state}"
    yield from card_lines(facts["gpus"])
    held = facts["sandbox"]
    if held["error"] is not None:
        return
    yield f"sandbox   {held['level']}, self-test passed, started in {held['start_seconds']:.2f} s"
    yield ""
    yield from table(("layer", "state"), held["layers"].items(), left=(0, 1))


def _verdict(found: list[str]) -> Iterator[str]:
    yield ""
    if not found:
        yield "all is well"
    for complaint in found:
        yield f"WRONG: {complaint}"
