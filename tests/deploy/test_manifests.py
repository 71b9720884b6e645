# SPDX-License-Identifier: Apache-2.0
"""What is deployed is valid, says nothing that wigwag does not know, and gives nobody more than is needed."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests import servers
from tests.deploy.alerting import ROOT
from wigwag.config import Settings

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
KUBERNETES = "1.30"
SETTINGS = {name for field in Settings.model_fields.values() for name in field.validation_alias.choices}  # type: ignore[union-attr]
EXPOSURE = 2.0  # of ten, as systemd reckons it; a unit without any care has 9.6
SECRET = re.compile(r"PASSWORD|PASSPHRASE|KEY|TOKEN|SECRET")
SERVICE_MONITOR = {  # the fields of its definition (Prometheus Operator, monitoring.coreos.com/v1) that we may use
    "spec": {"jobLabel", "selector", "namespaceSelector", "endpoints", "targetLabels", "podTargetLabels"},
    "endpoint": {"port", "path", "interval", "scrapeTimeout", "authorization", "scheme", "tlsConfig", "honorLabels"},
}


def manifests() -> Iterator[dict[str, Any]]:
    for path in sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text())


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [manifest for manifest in manifests() if manifest["kind"] == kind]


def pods() -> dict[str, dict[str, Any]]:
    """The pods that are started, by who starts them."""
    found = {"gateway": of_kind("StatefulSet")[0]["spec"]["template"]}
    return {**found, "backup": of_kind("CronJob")[0]["spec"]["jobTemplate"]["spec"]["template"]}


# --- Compose


@pytest.mark.parametrize("path", ["compose.yaml", "deploy/elk/compose.yaml"])
def test_compose_is_valid(path: str) -> None:
    assert complaints(ROOT / path) == ""


def test_a_compose_file_that_is_not_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {wigwag: {imagination: wigwag}}\n")
    assert "imagination" in complaints(tmp_path / "compose.yaml")


def complaints(path: Path) -> str:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    return "" if checked.returncode == 0 else checked.stdout


def test_compose_has_all_services_and_knows_when_each_is_well() -> None:
    assert {"wigwag", "rabbitmq", "redis", "postgres", "prometheus", "alertmanager", "grafana", "loki"} <= set(SERVICES)
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == {"wigwag", "alloy"}


def test_no_secret_of_compose_has_a_default_and_all_are_made() -> None:
    text = (ROOT / "compose.yaml").read_text()
    made = subprocess.run([ROOT / "deploy/compose/secrets"], check=True, capture_output=True, text=True).stdout
    given = dict(line.split("=", 1) for line in made.splitlines())
    asked = set(re.findall(r"(?<!\$)\$\{(\w+):\?", text)) | {
        each["environment"] for each in COMPOSE["secrets"].values()
    }
    assert set(re.findall(r"(?<!\$)\$\{(\w+)", text)) <= asked
    assert asked == given.keys()
    values = [value for name, value in given.items() if SECRET.search(name)]
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in values)
    assert len(set(values)) == len(values)


def test_compose_is_open_to_this_machine_alone_and_mounts_what_there_is() -> None:
    for name, service in SERVICES.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert service["networks"], name
        mounted = [volume.partition(":")[0] for volume in service.get("volumes", [])]
        assert [path for path in mounted if path[0] == "." and not (ROOT / path).exists()] == []
        assert [volume for volume in mounted if volume[0] != "." and volume not in COMPOSE["volumes"]] == []
    gateway = SERVICES["wigwag"]
    assert (gateway["read_only"], gateway["cap_drop"]) == (True, ["ALL"])
    assert set(gateway["environment"]) <= SETTINGS


# --- the image


def test_the_image_runs_as_nobody_in_particular_from_what_is_pinned() -> None:
    steps = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    stages = re.findall(r"^FROM (\S+)", steps, re.MULTILINE)
    assert all(":" in image and not image.endswith(":latest") for image in stages)
    assert stages[-2] == stages[-1], "what was built for one release runs on the same"
    last = steps[steps.rindex("\nFROM ") :]
    assert re.findall(r"^USER (\S+)", last, re.MULTILINE) == ["10001"]
    assert "pip" not in last
    assert "--require-hashes" in steps
    assert not re.search(r"^ADD |curl |wget ", steps, re.MULTILINE)
    environment = set(re.findall(r"\b([A-Z]+_?[A-Z_]+)=", last)) - {"PATH", "PYTHONDONTWRITEBYTECODE"}
    assert environment <= SETTINGS
    copied = [
        source for line in re.findall(r"^COPY (?!--from)(.+)", steps, re.MULTILINE) for source in line.split()[:-1]
    ]
    assert [source for source in copied if not (ROOT / source).exists()] == []
    taken = (ROOT / ".dockerignore").read_text().splitlines()
    assert [source for source in copied if f"!{source}" not in taken] == []


# --- systemd


@pytest.fixture(scope="module")
def systemd_analyze() -> str:
    return servers.find("systemd-analyze") or servers.unavailable("systemd-analyze not found. Run `make servers`.")


def test_the_units_are_units(systemd_analyze: str, tmp_path: Path) -> None:
    for unit in UNITS:  # systemd wants programs to be there
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/wigwag/bin/wigwag", "/bin/true"))
    command = [systemd_analyze, "verify", "--man=no", "--generators=no", *map(str, sorted(tmp_path.iterdir()))]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (checked.returncode, [line for line in checked.stderr.splitlines() if "wigwag" in line]) == (0, [])


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_a_unit_may_do_little(unit: Path, systemd_analyze: str) -> None:
    command = [systemd_analyze, "security", "--offline=true", f"--threshold={EXPOSURE * 10:.0f}", str(unit)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_units_set_what_wigwag_knows() -> None:
    names = {
        name for unit in UNITS for name in re.findall(r"(?:^Environment=| )([A-Z_]+)=", unit.read_text(), re.MULTILINE)
    }
    assert names
    assert names <= SETTINGS


# --- Kubernetes


def test_manifests_are_valid() -> None:
    for manifest in manifests():
        if manifest["kind"] != "ServiceMonitor":  # not of Kubernetes itself; see below
            kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_a_manifest_that_is_not_is_noticed() -> None:
    [wrong] = of_kind("StatefulSet")
    wrong["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


def test_prometheus_finds_the_service() -> None:
    [monitor] = of_kind("ServiceMonitor")
    [endpoint] = monitor["spec"]["endpoints"]
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert set(monitor["spec"]) <= SERVICE_MONITOR["spec"]
    assert set(endpoint) <= SERVICE_MONITOR["endpoint"]
    found = [service for service in of_kind("Service") if selected(monitor["spec"]["selector"], service)]
    assert [service["metadata"]["name"] for service in found] == ["wigwag"], "each pod is scraped once"
    assert found[0]["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "wigwag", "the job of all rules"
    assert endpoint["port"] in [port["name"] for port in found[0]["spec"]["ports"]]
    assert endpoint["authorization"]["credentials"]["key"] in secret()


def selected(selector: Mapping[str, Any], what: Mapping[str, Any]) -> bool:
    labels = what["metadata"]["labels"]
    without = [rule for rule in selector.get("matchExpressions", []) if labels.get(rule["key"]) in rule["values"]]
    return not without and selector["matchLabels"].items() <= labels.items()


def secret() -> dict[str, str]:
    [example] = of_kind("Secret")
    assert set(example["stringData"].values()) == {""}, "no secret has a default"
    keys: dict[str, str] = example["stringData"]
    return keys


@pytest.mark.parametrize("name", ["gateway", "backup"])
def test_a_pod_may_do_little_and_finds_what_it_names(name: str) -> None:
    pod = pods()[name]
    spec, [container] = pod["spec"], pod["spec"]["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]
    assert {variable["name"] for variable in container["env"]} <= SETTINGS
    assert set(of_kind("ConfigMap")[0]["data"]) <= SETTINGS
    keys = {each["valueFrom"]["secretKeyRef"]["key"] for each in container["env"] if "valueFrom" in each}
    keys |= {item["key"] for volume in spec["volumes"] for item in volume.get("secret", {}).get("items", [])}
    assert keys <= secret().keys()
    volumes = {volume["name"] for volume in spec["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in of_kind("StatefulSet")[0]["spec"]["volumeClaimTemplates"]}
    assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_probes_and_selectors_meet_the_gateway() -> None:
    gateway = pods()["gateway"]
    [container] = gateway["spec"]["containers"]
    probes = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert probes == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    labels = gateway["metadata"]["labels"]
    for kind, field in (("Service", "selector"), ("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        for manifest in of_kind(kind):
            selector = manifest["spec"][field]
            assert selector.get("matchLabels", selector).items() <= labels.items(), manifest["metadata"]["name"]


# --- the rest


@pytest.mark.parametrize(
    "path", sorted((ROOT / "deploy").rglob("*.y*ml")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_yaml_file_can_be_read(path: Path) -> None:
    assert all(isinstance(document, dict) for document in yaml.safe_load_all(path.read_text()))


def test_prometheus_takes_its_configuration(promtool: str) -> None:
    config = ROOT / "deploy" / "prometheus" / "prometheus.yml"
    checked = subprocess.run([promtool, "check", "config", "--syntax-only", config], check=False, capture_output=True)
    assert checked.returncode == 0, checked.stderr
