"""The files of examples/cluster: Ray takes them, they say what the documentation promises, and hold no key."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from evolve.cli.run_commands import resume_command, run_command

pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
pytestmark = [pytest.mark.ray, pytest.mark.xdist_group("ray")]

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "cluster"
LAUNCHED = ("aws.yaml", "on-premise.yaml")
ALL = (*LAUNCHED, "kuberay.yaml", "Dockerfile")
STARTS = ("head_start_ray_commands", "worker_start_ray_commands")


def loaded(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


def of_kind(kind: str) -> dict[str, Any]:
    documents = yaml.safe_load_all((EXAMPLES / "kuberay.yaml").read_text(encoding="utf-8"))
    [document] = [each for each in documents if each["kind"] == kind]
    return dict(document)


def containers() -> list[dict[str, Any]]:
    """Of every pod in kuberay.yaml, the controller's last."""
    spec = of_kind("RayCluster")["spec"]
    pods = [spec["headGroupSpec"], *spec["workerGroupSpecs"], of_kind("Job")["spec"]]
    return [container for pod in pods for container in pod["template"]["spec"]["containers"]]


@pytest.mark.parametrize("name", LAUNCHED)
def test_rays_own_schema_and_checks_accept_what_its_launcher_reads(name: str) -> None:
    import jsonschema
    import ray
    from ray.autoscaler._private.util import prepare_config, validate_config

    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(loaded(name), schema)
    prepared = prepare_config(loaded(name))
    validate_config(prepared)
    assert prepared["head_node_type"] in prepared["available_node_types"]
    assert prepared["max_workers"] >= 1


@pytest.mark.parametrize("name", LAUNCHED)
def test_every_node_asks_for_the_token_and_reports_to_nobody(name: str) -> None:
    commands = [command for group in STARTS for command in loaded(name)[group] if "ray start" in command]
    assert len(commands) == len(STARTS)
    for command in commands:
        assert "RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0" in command
    assert "~/.ray/auth_token" in loaded(name)["file_mounts"]


@pytest.mark.parametrize("name", ALL)
def test_they_name_the_version_of_ray_that_was_tested(name: str) -> None:
    [tested] = re.findall(r"^ray==(.*)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    named = re.findall(r'ray(?:\[default\])?==([0-9.]+)|rayVersion: "([0-9.]+)"', text)
    assert {version for pair in named for version in pair if version} == {tested}


def test_pods_run_one_image_and_ask_for_the_token_of_a_secret() -> None:
    spec = of_kind("RayCluster")["spec"]
    assert spec["authOptions"] == {"mode": "token", "secretName": "evolve-ray"}
    assert {container["image"] for container in containers()} == {"REGISTRY/evolve:0.1.0"}
    controller = containers()[-1]
    assert {"name": "RAY_AUTH_MODE", "value": "token"} in controller["env"]


def test_only_the_controllers_pod_can_read_the_keys_of_language_models() -> None:
    spec = of_kind("RayCluster")["spec"]
    assert "evolve-models" not in json.dumps(spec)
    assert "evolve-models" in json.dumps(of_kind("Job"))
    assert not [each for each in containers() if "KEY" in json.dumps(each.get("env", []))]
    assert not [
        group for group in spec["workerGroupSpecs"] if group["template"]["spec"]["automountServiceAccountToken"]
    ]


def test_the_controller_starts_ray_before_it_reads_a_key_and_its_commands_are_evolves() -> None:
    [script] = containers()[-1]["args"]
    assert script.index("ray start") < script.index("/secrets/models")
    lines = script.replace("\\\n", " ").splitlines()
    given = {words[2]: words[3:] for words in map(shlex.split, lines) if words[:2] == ["exec", "evolve"]}
    assert sorted(given) == ["resume", "run"]
    context = run_command.make_context("run", list(given["run"]))
    assert context.params["ray_address"] == "auto"
    names = {option for parameter in resume_command.params for option in parameter.opts}
    assert {word for word in given["resume"] if word.startswith("--")} <= names
