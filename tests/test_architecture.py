"""The structure itself: imports point one way, the runtime never learns of torch, installed names are right."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOUNDATION = {"shipped", "signals", "errors", "metadata", "values", "toml", "complaints", "config", "message"}
REMEMBERED = {"bounds", "database", "history", "journal", "orders", "backlog"}
STAGES = {"source", "resample", "ring", "frontend", "model", "postprocess", "level"}
OFFLINE = {"pipeline", "tap", "formats", "scan", "scorefile", "plot"}

MAY_IMPORT: dict[str, set[str]] = {
    **dict.fromkeys(FOUNDATION, FOUNDATION),
    **{stage: {"signals", "errors", "metadata"} for stage in STAGES},
    "clock": FOUNDATION,
    "source": FOUNDATION | {"source", "resample", "ring", "clock"},
    "pipeline": {"signals"},
    "tap": {"signals", "pipeline"},
    **dict.fromkeys(REMEMBERED, FOUNDATION | REMEMBERED),
    "sinks": FOUNDATION | REMEMBERED | {"sinks"},
    "eventline": set(),
    "watch": FOUNDATION | {"sinks", "eventline"},
    "broker": {"errors"},
    **dict.fromkeys(OFFLINE - {"pipeline", "tap"}, FOUNDATION | STAGES | OFFLINE),
    "explain": FOUNDATION | STAGES | OFFLINE,
    "replay": FOUNDATION | REMEMBERED | STAGES | OFFLINE | {"sinks", "service", "observer"},
    "observer": FOUNDATION | {"ring"},
    "clips": FOUNDATION | {"observer"},
    "curve": {"errors"},
    "doorkeeper": {"errors", "curve"},
    "broadcast": FOUNDATION | REMEMBERED | STAGES | {"observer", "curve", "doorkeeper"},
    "listen": FOUNDATION | {"broadcast", "curve", "eventline"},
    "service": FOUNDATION | REMEMBERED | STAGES | OFFLINE | {"sinks", "observer"},
    "flow": {"signals"},
    "systemd": set(),
    "logs": set(),
    "allocator": set(),
    "stopping": set(),
    "health": FOUNDATION | REMEMBERED | STAGES | {"sinks", "observer", "ear", "health"},
    "choir": FOUNDATION | STAGES | {"service"},
    "ear": FOUNDATION | REMEMBERED | STAGES | OFFLINE | {"service", "observer", "choir"},
    "satellite": FOUNDATION | {"ring", "clock", "source", "curve", "doorkeeper"},
    "daemon": FOUNDATION
    | REMEMBERED
    | STAGES
    | OFFLINE
    | {"sinks", "service", "observer", "ear", "flow", "systemd", "health", "clips", "broadcast"}
    | {"choir", "satellite", "doorkeeper", "stopping", "web"},
    "web": FOUNDATION | REMEMBERED | STAGES | OFFLINE | {"observer", "ear", "health", "history"},
    "doctor": FOUNDATION | REMEMBERED | STAGES | OFFLINE | {"sinks", "doctor"},
    "selftest": FOUNDATION | STAGES | {"sinks", "watch", "daemon", "selftest"},
    "raycluster": {"errors"},
    "archive": FOUNDATION | STAGES | OFFLINE | {"archive", "raycluster"},
    "fleet": FOUNDATION | {"fleet", "broker", "sinks", "watch", "eventline"},
    "evaluate": FOUNDATION | STAGES | OFFLINE | {"evaluate"},
    "train": FOUNDATION | STAGES | OFFLINE | {"evaluate", "train", "raycluster"},
    "corrections": FOUNDATION | {"history", "clips", "evaluate", "train"},
    "review": FOUNDATION | {"history", "eventline"},
}
"""Who may know whom inside sed/; commands, cli and __main__ may know all."""


def part(path: Path) -> str:
    """The top-level name under sed/ that a file belongs to."""
    return path.relative_to(ROOT / "sed").parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "sed"}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


FILES = sorted((ROOT / "sed").rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    name = part(path)
    if name in {"__init__", "__main__", "cli", "commands"}:
        return
    known = {module.split(".")[1] for module in imported(path) if module.startswith("sed.")}
    assert known <= MAY_IMPORT[name] | {name}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_training_names_torch(path: Path) -> None:
    heavy = {module.split(".")[0] for module in imported(path)} & {"torch", "torchaudio"}
    assert not heavy or part(path) == "train"


def test_the_runtime_never_learns_of_torch(tmp_path: Path) -> None:
    code = (
        "import sys, pkgutil, importlib, sed\n"
        "names = [m.name for m in pkgutil.walk_packages(sed.__path__, 'sed.') if '.train' not in m.name]\n"
        "[importlib.import_module(n) for n in names if n != 'sed.__main__']\n"
        "print(sorted({'torch', 'torchaudio', 'matplotlib', 'scipy', 'sklearn', 'pandas', 'onnx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "[]"


def test_no_attic() -> None:
    assert not {path.stem for path in FILES} & {"utils", "util", "helpers", "common", "misc"}


def test_nothing_is_installed_under_the_name_of_the_stream_editor() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == "earwitness"
    assert list(project["scripts"]) == ["earwitness"]


def test_a_wheel_carries_models_schema_and_example(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    build = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    import zipfile

    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        names = set(wheel.namelist())
    wanted = {
        "sed/share/models/earwitness-1.onnx",
        "sed/event.schema.json",
        "sed/share/examples/make_street.py",
        "sed/py.typed",
        "sed/fleet/migrations/env.py",
        "sed/fleet/migrations/versions/v0001_first.py",
    }
    assert wanted <= names
    assert not [name for name in names if name.startswith("sed/tests") or name.endswith(".wav")]
