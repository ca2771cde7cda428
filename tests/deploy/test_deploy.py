"""What stands in deploy/: it parses, asks only for metrics there are, and gives no rights away."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from opsync.cli.root import GROUPS
from opsync.config import build
from opsync.errors import ConfigError
from opsync.model import OutcomeKind
from opsync.report import InstanceReport, Trouble
from opsync.service.metrics import outcome_of
from opsync.service.probe import LISTEN, address
from tests.container.dockerfile import parse
from tests.service.test_metrics import filled, samples

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
}
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICE: dict[str, Any] = COMPOSE["services"]["opsync"]
ALERTS = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text(encoding="utf-8"))
BOARD = json.loads((DEPLOY / "grafana/opsync.json").read_text(encoding="utf-8"))
POD: dict[str, Any] = KUBERNETES["deployment"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
IMAGE = parse((ROOT / "Dockerfile").read_text(encoding="utf-8"))[-1]

RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in BOARD["panels"] for target in panel["targets"]
]

_METRIC = re.compile(r"\b((?:opsync|process)_\w+)(\{[^}]*\})?")
_LABELS = re.compile(r"(\w+)(=~|!~|!=|=)\"([^\"]*)\"")


def labels_of() -> dict[str, dict[str, set[str]]]:
    """Every series there is, with its labels and the values that they have."""
    found: dict[str, dict[str, set[str]]] = {}
    for name, labels in samples(filled()):
        known = found.setdefault(name, {})
        for key, value in labels:
            known.setdefault(key, set()).add(value)
    return found


SERIES = labels_of()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_that_is_asked_for_is_there_with_its_labels(expression: str) -> None:
    asked = _METRIC.findall(expression)
    assert asked
    for name, given in asked:
        assert name in SERIES, name
        for label, _, _ in _LABELS.findall(given):
            assert label in SERIES[name], f"{name} has no {label}"
    for label in re.findall(r"\bby \(([^)]*)\)", expression):
        names = {one.strip() for one in label.split(",")}
        assert names <= {key for name, _ in asked for key in SERIES[name]}


OUTCOMES = {
    "opsync_passes_total": {
        *(outcome_of(InstanceReport("a", "A", trouble=one)) for one in get_args(Trouble)),
        "broke",
    },
    "opsync_changes_total": {one.value for one in OutcomeKind},
    "opsync_deliveries_total": SERIES["opsync_deliveries_total"]["outcome"],
    "opsync_values_waiting": {"to_approve"},
}


def test_every_outcome_that_is_asked_for_can_be() -> None:
    seen = 0
    for expression in EXPRESSIONS:
        for name, given in _METRIC.findall(expression):
            for label, _, value in _LABELS.findall(given):
                if label in ("outcome", "why"):
                    seen += 1
                    assert set(value.split("|")) <= OUTCOMES[name], expression
    assert seen >= 5


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES) >= 12
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert set(rule["annotations"]) == {"summary", "description"}
        for label in re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])):
            assert label == "connection"


def test_the_dashboard_overlaps_nothing_and_takes_its_source_from_a_variable() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        assert panel["datasource"]["uid"] == "${source}"
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)


# Rights -------------------------------------------------------------------------------------------


def test_compose_runs_it_without_rights() -> None:
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    user = IMAGE.last("USER")
    assert user is not None
    assert SERVICE["user"] == user.rest
    assert "privileged" not in SERVICE
    assert "network_mode" not in SERVICE
    assert all(port.startswith("127.0.0.1:") for port in SERVICE["ports"])


def test_kubernetes_runs_it_without_rights() -> None:
    pod, own = POD["securityContext"], CONTAINER["securityContext"]
    assert pod["runAsNonRoot"] is True
    user = IMAGE.last("USER")
    assert user is not None
    assert user.rest == f"{pod['runAsUser']}:{pod['runAsGroup']}"
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert POD["automountServiceAccountToken"] is False
    assert KUBERNETES["serviceaccount"]["automountServiceAccountToken"] is False
    assert POD["serviceAccountName"] == KUBERNETES["serviceaccount"]["metadata"]["name"]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & POD.keys()
    assert set(KUBERNETES["networkpolicy"]["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    assert {"memory"} <= CONTAINER["resources"]["limits"].keys()


def test_all_select_the_same_pod() -> None:
    name = {"app.kubernetes.io/name": "opsync"}
    spec = KUBERNETES["deployment"]["spec"]
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"] == name
    assert KUBERNETES["service"]["spec"]["selector"] == name
    assert KUBERNETES["networkpolicy"]["spec"]["podSelector"]["matchLabels"] == name


def test_there_is_never_a_second_one() -> None:
    spec = KUBERNETES["deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_what_is_written_goes_to_the_volume_alone() -> None:
    writable = [one for one in CONTAINER["volumeMounts"] if not one.get("readOnly")]
    assert [one["mountPath"] for one in writable] == ["/data"]
    assert [one for one in SERVICE["volumes"] if not one.endswith(":ro")] == ["data:/data"]
    names = {one["name"] for one in POD["volumes"]}
    assert {one["name"] for one in CONTAINER["volumeMounts"]} == names
    claim = POD["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert claim == KUBERNETES["volume"]["metadata"]["name"]


def test_the_environment_has_no_secret_and_none_that_kubernetes_makes_up() -> None:
    for name in [*SERVICE["environment"], *(one["name"] for one in CONTAINER["env"])]:
        assert not re.search(r"TOKEN|SECRET|PASSWORD|KEY|WEBHOOK", name), name
    # With them OPSYNC_PORT and others would be taken for settings.
    assert POD["enableServiceLinks"] is False


def test_secrets_are_files_and_the_example_is_plainly_one() -> None:
    assert all(one["file"].startswith("./secrets/") for one in COMPOSE["secrets"].values())
    assert SERVICE["secrets"] == list(COMPOSE["secrets"])
    example = KUBERNETES["secret.example"]
    assert set(example["stringData"].values()) == {"example-example-example"}
    assert "secret.example.yaml" not in KUBERNETES["kustomization"]["resources"]
    mount = next(one for one in CONTAINER["volumeMounts"] if one["name"] == "secrets")
    assert (mount["mountPath"], mount["readOnly"]) == ("/run/secrets", True)
    volume = next(one["secret"] for one in POD["volumes"] if one["name"] == "secrets")
    assert volume["secretName"] == example["metadata"]["name"]
    assert volume["defaultMode"] & 0o007 == 0


# It works together --------------------------------------------------------------------------------


def test_everything_that_is_listed_is_there_and_the_other_way_round() -> None:
    listed = {Path(one).stem for one in KUBERNETES["kustomization"]["resources"]}
    assert KUBERNETES.keys() - {"kustomization", "secret.example"} == listed


def environments() -> Iterator[tuple[str, dict[str, str]]]:
    yield "compose", dict(SERVICE["environment"])
    yield "kubernetes", {one["name"]: one["value"] for one in CONTAINER["env"]}


@pytest.mark.parametrize(("name", "environ"), list(environments()))
def test_the_configuration_is_taken_with_its_secrets_and_refused_without_a_way_to_sign_in(
    name: str, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(tmp_path))
    example = KUBERNETES["secret.example"]["stringData"]
    secrets = COMPOSE["secrets"] if name == "compose" else example
    for secret in secrets:
        (tmp_path / secret).write_text("example-example-example\n", encoding="utf-8")
    raw = tomllib.loads(KUBERNETES["configmap"]["data"]["opsync.toml"])

    config = build(raw, path=Path(environ["OPSYNC_CONFIG"]))

    assert str(config.store) == "/data/opsync.db"
    assert config.general.service.address.everywhere
    assert len(config.secrets) == len(secrets)
    (tmp_path / "opsync_service__access__token").unlink()
    with pytest.raises(ConfigError, match="nobody would have to sign in"):
        build(raw, path=Path(environ["OPSYNC_CONFIG"]))


@pytest.mark.parametrize(("name", "environ"), list(environments()))
def test_health_is_asked_where_it_listens(name: str, environ: dict[str, str]) -> None:
    assert address(environ) == ("127.0.0.1", 8484)
    port = CONTAINER["ports"][0]
    assert SERVICE["ports"] == [f"127.0.0.1:{port['containerPort']}:8484"]
    assert KUBERNETES["service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    assert LISTEN.endswith(f":{port['containerPort']}")


def test_alive_restarts_it_and_ready_only_tells() -> None:
    paths = {
        probe: CONTAINER[probe]["httpGet"]["path"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert paths == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    assert KUBERNETES["service"]["spec"]["publishNotReadyAddresses"] is True
    health = IMAGE.last("HEALTHCHECK")
    assert health is not None
    assert json.dumps(SERVICE["healthcheck"]["test"][1:]) in health.rest


def test_it_has_the_time_to_drain() -> None:
    assert POD["terminationGracePeriodSeconds"] > 10
    assert int(SERVICE["stop_grace_period"].removesuffix("s")) > 10


def test_the_command_is_one_that_there_is() -> None:
    commands = {name for group in GROUPS.values() for name in group}
    default = IMAGE.last("CMD")
    assert default is not None
    assert SERVICE["command"] == CONTAINER["args"] == default.words() == ["serve"]
    assert set(default.words()) <= commands
