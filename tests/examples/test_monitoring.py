"""The dashboard and the alert rules: whatever they ask for is there in a scrape of the real daemon."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
import yaml

from tests.broker import Broker, eventually, free_port
from tests.daemon import START_SECONDS, Run
from tests.scrape import Scrape, scrape
from tests.toy import RATE, bursts, metadata, write_toy

EXAMPLES = Path(__file__).parents[2] / "examples"
DASHBOARD = EXAMPLES / "grafana" / "earwitness.json"
ALERTS = EXAMPLES / "prometheus" / "alerts.yml"
PROMETHEUS = EXAMPLES / "prometheus" / "prometheus.yml"

PROMETHEUS_OWN = {"up"}
TARGET = {"instance", "job"}
"""Labels that Prometheus adds."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scrape]:
    """A daemon with a broker, a source and an event that was told."""
    folder = tmp_path_factory.mktemp("monitored")
    write_toy(folder / "toy.onnx", metadata(on=0.5, off=0.4))
    soundfile.write(folder / "yard.wav", bursts((0.2, 300.0), seconds=300.0), RATE)
    with Broker(folder) as broker:
        tables = (
            f'model = "{folder / "toy.onnx"}"\n[[source]]\nname = "yard"\nurl = "file:yard.wav"\n'
            f'[journal]\npath = "journal.db"\n[mqtt]\nurl = "mqtt://127.0.0.1:{broker.port}"\n'
            f"[metrics]\nport = {(port := free_port())}\n"
        )
        (folder / "gate.toml").write_text(tables)
        with Run(folder, "-c", folder / "gate.toml") as run:
            eventually(lambda: run.said("info source yard: hearing"), START_SECONDS)
            told = "earwitness_onset_to_publish_seconds_count"
            eventually(lambda: scrape(port).has(told, sink="mqtt"), START_SECONDS)
            yield scrape(port)


def dashboard() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return document


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def queries() -> list[str]:
    """Of all panels and variables, with Grafana's own variables filled in."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    asked += [variable["definition"] for variable in dashboard()["templating"]["list"] if "definition" in variable]
    asked = [re.sub(r"label_values\((.*), \w+\)", r"\1", query) for query in asked]
    return [query.replace("$__rate_interval", "5m").replace("$__range", "6h") for query in asked]


ASKED = [*dict.fromkeys([*queries(), *(rule["expr"] for rule in rules())])]


@pytest.mark.parametrize("query", ASKED)
def test_every_metric_and_every_label_that_is_asked_for_is_there(query: str, found: Scrape) -> None:
    plain = re.sub(r'"[^"]*"', '""', query)
    metrics = set(re.findall(r"\b(?:earwitness|process)_\w+|\bup\b", plain))
    assert metrics
    assert metrics <= found.names | PROMETHEUS_OWN
    of_metrics = {label for sample in found.samples if metrics & {sample.name} for label in sample.labels}
    selected = {label for group in re.findall(r"\{([^}]*)\}", plain) for label in re.findall(r"(\w+)=", group)}
    grouped = {label for group in re.findall(r"(?:by|ignoring) \(([^)]*)\)", plain) for label in group.split(", ")}
    if of_metrics:
        assert selected | grouped <= of_metrics | TARGET


def test_what_is_told_is_shown(found: Scrape) -> None:
    """Each metric of ours, a histogram by any of its three."""
    shown = set(re.findall(r"earwitness_\w+", " ".join(queries())))
    ours = {family.name for family in found.families if family.name.startswith("earwitness_")}
    assert not {name for name in ours if not any(other.startswith(name) for other in shown)}


def test_values_that_are_compared_exist(found: Scrape) -> None:
    """A state or a sink that is misspelt would never fire."""
    known = {(name, value) for sample in found.samples for name, value in sample.labels.items()}
    compared = {pair for query in ASKED for pair in re.findall(r'(state|sink|cause|reason|kind)="(\w+)"', query)}
    assert compared
    assert compared <= known


def test_the_dashboard_names_no_server_of_ours() -> None:
    """Whoever imports it chooses theirs."""
    sources = [panel["datasource"]["uid"] for panel in panels()]
    assert set(sources) == {"${datasource}"}
    variables = {variable["name"] for variable in dashboard()["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", DASHBOARD.read_text())) - {"__rate_interval", "__range", "__all"}
    assert used == variables


def test_alerts_say_what_happened_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(rule["annotations"]) == {"summary", "description"}
        assert "{{ $labels.instance }}" in rule["annotations"]["summary"]


def test_prometheus_is_told_our_default_port() -> None:
    from sed.config import MetricsConfig

    document = yaml.safe_load(PROMETHEUS.read_text())
    (job,) = document["scrape_configs"]
    default = MetricsConfig()
    assert job["static_configs"] == [{"targets": [f"{default.address}:{default.port}"]}]
    assert f'job="{job["job_name"]}"' in ALERTS.read_text()
    assert document["rule_files"] == [ALERTS.name]


def test_prometheus_own_checker_finds_nothing(tmp_path: Path) -> None:
    """Debian has promtool only with a server that listens to everybody, so `make test` does not install it."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    group = {"name": "dashboard", "rules": [{"record": f"q{n}", "expr": query} for n, query in enumerate(queries())]}
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [group]}))
    for check in (("config", PROMETHEUS), ("rules", ALERTS), ("rules", tmp_path / "queries.yml")):
        done = subprocess.run([promtool, "check", *map(str, check)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
