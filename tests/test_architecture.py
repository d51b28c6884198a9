"""The arrows of the layout never point back, each library has one home, and no file outgrows a sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("config", "monitor", "workers", "storage", "benchmarks", "run_line")
MAY_IMPORT = {
    "config": {"config"},
    "monitor": {"config", "monitor"},
    "workers": {"config", "monitor", "workers"},
    "storage": {"config", "monitor", "storage"},
    "benchmarks": set(OURS),
    "run_line": set(OURS),
}
HOMES = {
    "zmq": ["monitor/bus/wire.py"],
    "torch": ["workers/"],
    "torchvision": ["workers/models/torchvision_nets.py"],
    "openvino": ["workers/engines/"],
    "sqlalchemy": ["storage/", "benchmarks/history"],  # which asks the same without our indexes
    "alembic": ["storage/"],
    "pyarrow": ["storage/"],
    "xlsxwriter": ["storage/"],
    "sqlite3": ["storage/"],
    "jinja2": ["storage/reports/html.py"],
    "typst": ["storage/reports/pdf.py"],
    "redis": ["storage/"],
    "scipy": ["storage/statistics/"],
    "pymodbus": ["monitor/actuators/modbus.py", "monitor/twin/plc_modbus.py"],
    "paho": ["monitor/actuators/mqtt_client.py"],
    "google": ["monitor/actuators/sparkplug_payload.py"],
    "asyncua": ["monitor/actuators/opcua", "monitor/actuators/vision", "monitor/twin/plc_opcua.py"],
    "safetensors": ["workers/"],
    "viva_genicam": ["monitor/cameras/gige.py"],
    "cryptography": [
        "storage/proof/keys.py",
        "storage/offline/verify_journal.py",
        "monitor/actuators/opcua",  # certificates
    ],
    "pickle": [],  # I11: nothing that we read can carry code
}
RULES_MAY_IMPORT = {"monitor.labels", "monitor.messages", "monitor.rows", "monitor.rules", "config", "numpy", "cv2"}
STANDARD_CLOCKS_AND_HANDS = {
    "time",
    "socket",
    "logging",
    "structlog",
    "os",
    "pathlib",
    "subprocess",
    "threading",
    "random",
}
LINES_MOST = 300
ONE_FILE = ROOT / "storage/offline/verify_journal.py"  # an auditor gets it alone: it cannot be split
ONE_FILE_MOST = 400


def sources() -> list[Path]:
    return [
        p
        for name in OURS
        for p in ([ROOT / f"{name}.py"] if name == "run_line" else sorted((ROOT / name).rglob("*.py")))
    ]


def imports(path: Path) -> Iterator[str]:
    """Every module that this file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module
            case ast.ImportFrom():
                raise AssertionError(f"{path}: a relative import")


def backward(top: str, modules: Iterator[str] | list[str]) -> list[str]:
    return [m for m in modules if m.split(".")[0] in OURS and m.split(".")[0] not in MAY_IMPORT[top]]


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_point_forward(path: Path) -> None:
    top = path.relative_to(ROOT).parts[0].removesuffix(".py")

    assert backward(top, imports(path)) == []


def test_an_arrow_that_points_back_is_seen() -> None:
    assert backward("monitor", ["storage.journal", "numpy", "config.station"]) == ["storage.journal"]


@pytest.mark.parametrize(("library", "homes"), HOMES.items(), ids=list(HOMES))
def test_each_library_has_one_home(library: str, homes: list[str]) -> None:
    users = [str(p.relative_to(ROOT)) for p in sources() if library in {m.split(".")[0] for m in imports(p)}]

    assert [user for user in users if not any(user.startswith(home) for home in homes)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "monitor/rules").glob("*.py")), ids=lambda p: p.name)
def test_rules_are_pure(path: Path) -> None:
    found = set(imports(path))

    assert {m for m in found if m.split(".")[0] in STANDARD_CLOCKS_AND_HANDS} == set()
    ours = {m for m in found if m.split(".")[0] in OURS}
    assert {m for m in ours if not any(m == may or m.startswith(f"{may}.") for may in RULES_MAY_IMPORT)} == set()


@pytest.mark.parametrize(
    "path", [*sources(), *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda p: str(p.relative_to(ROOT))
)
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    text = path.read_text()

    assert len(text.splitlines()) <= (ONE_FILE_MOST if path == ONE_FILE else LINES_MOST)
    assert path.name not in {"utils.py", "util.py", "helpers.py"}
    assert not text.strip() or path.name == "__init__.py" or text.startswith(('"""', "#!"))


def test_nothing_of_the_workplace_is_in_a_file() -> None:
    words = ("/" + "work/", "/" + "root/")

    assert [p for p in sources() if any(word in p.read_text() for word in words)] == []
