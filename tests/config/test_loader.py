"""A wrong station never starts: whatever key is wrong is named, with what would be right."""

import copy
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import run_line
from config.loader import PACKAGE, STATIONS, ConfigError, load_station, parse_station

RAIL = tomllib.loads((STATIONS / "rail-03.toml").read_text())
VIDEO: dict[str, Any] = {"kind": "video", "name": "web", "width": [640, 640], "height": [480, 480]}
GIGE = VIDEO | {"kind": "gige", "serial": "7"}
LIVE = VIDEO | {"source": "rtsp://10.0.0.2/live"}
Path_ = tuple[str | int, ...]


def keys_of(table: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Every key of a station file, tables included."""
    items = table.items() if isinstance(table, dict) else enumerate(table)
    for key, value in items:
        if isinstance(table, dict):
            yield (*at, key)
        if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
            yield from keys_of(value, (*at, key))


def dotted(path: Path_) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def mutated(path: Path_, change: Callable[[dict[str, Any], str], None]) -> dict[str, Any]:
    table = copy.deepcopy(RAIL)
    inner: Any = table
    for step in path[:-1]:
        inner = inner[step]
    change(inner, str(path[-1]))
    return table


def misspelt(inner: dict[str, Any], key: str) -> None:
    inner[key + "x"] = inner.pop(key)


def wrong_type(inner: dict[str, Any], key: str) -> None:
    inner[key] = 7 if isinstance(inner[key], (str, list, dict)) else "seven"


def out_of_range(inner: dict[str, Any], key: str) -> None:
    match inner[key]:
        case str():
            inner[key] = "!" * 5000
        case [int(), int()]:
            inner[key] = [-1, 2]
        case dict() | list():
            inner[key] = type(inner[key])()
        case _:
            inner[key] = -1 if isinstance(inner[key], int) else -1.0


ALL_DEFAULTS = {"alarms", "live", "images", "restarts", "leases"}  # an empty table of these is right
CASES = [
    pytest.param(path, change, id=f"{dotted(path)}-{change.__name__}")
    for path in keys_of(RAIL)
    for change in (misspelt, wrong_type, out_of_range)
    if not (change is out_of_range and path[-1] in ALL_DEFAULTS)
]


@pytest.mark.parametrize(("path", "change"), CASES)
def test_each_key_is_checked(
    path: Path_,
    change: Callable[[dict[str, Any], str], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "rail-03.toml"
    file.write_text(as_toml(mutated(path, change)))

    with pytest.raises(SystemExit) as refused:
        run_line.load_or_refuse(str(file))

    named = dotted((*path[:-1], f"{path[-1]}x")) if change is misspelt else dotted(path)
    assert refused.value.code == 78
    assert f"rail-03.{named}" in capsys.readouterr().err


@pytest.mark.parametrize("change", [misspelt, wrong_type, out_of_range])
def test_a_wrong_file_exits_78_with_the_path_of_its_key(
    change: Callable[[dict[str, Any], str], None], tmp_path: Path
) -> None:
    table = mutated(("belt", "speed_mm_s"), change)
    file = tmp_path / "mine.toml"
    file.write_text(as_toml(table))

    ended = subprocess.run(
        [sys.executable, PACKAGE / "run_line.py", "--station", file, "--frames", "1"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 78
    assert "mine.belt.speed_mm_s" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("name", sorted(path.stem for path in STATIONS.glob("*.toml")))
def test_every_shipped_station_loads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINE_DATA", "/nowhere")

    assert load_station(name).name == name


@pytest.mark.parametrize(
    ("change", "named", "why"),
    [
        pytest.param(
            lambda t: t["belt"].update(speed_mm_s=25000.0),
            "budget",
            "= 580 ms, but 6000 mm / 25000 mm/s = 240 ms",
            id="belt-too-fast",
        ),
        pytest.param(
            lambda t: t["leases"].update(lease_ms=2000.0),
            "leases.lease_ms",
            "no time for a second attempt",
            id="no-second-attempt",
        ),
        pytest.param(
            lambda t: t["cameras"][0].pop("calibration"),
            "cameras[0].calibration",
            "is missing",
            id="mm-without-calibration",
        ),
        pytest.param(
            lambda t: t["cameras"][0].update(kind="gigs"),
            "cameras[0].kind",
            "is not one of ['folder', 'gige', 'twin', 'video'] (did you mean 'gige'?)",
            id="unknown-kind",
        ),
        pytest.param(
            lambda t: t["cameras"].append(t["cameras"][0]), "cameras[1].name", "another camera", id="twice-the-name"
        ),
        pytest.param(
            lambda t: t["policy"].update(reject_region_px=3.0), "policy.min_region_px", "is missing", id="mixed-units"
        ),
        pytest.param(
            lambda t: t["policy"].update(min_region_mm2=50.0),
            "policy.reject_region_mm2",
            "does not lie between",
            id="limits-out-of-order",
        ),
        pytest.param(
            lambda t: t.update(actuator={"kind": "log"}), "actuator.kind", "moves no gate", id="belt-without-gate"
        ),
        pytest.param(lambda t: t.pop("budget"), "budget", "is missing", id="belt-without-budget"),
        pytest.param(
            lambda t: t.update(bus={"kind": "tcp", "host": "0.0.0.0", "port": 7000}),
            "bus.host",
            "'127.0.0.1'",
            id="not-loopback",
        ),
        pytest.param(
            lambda t: t["cameras"].__setitem__(0, VIDEO | {"source": "clip.avi"}),
            "cameras[0].kind",
            "'video' has no belt",
            id="video-above-a-belt",
        ),
        pytest.param(lambda t: t.update(cameras=[]), "cameras", "is empty", id="no-camera"),
    ],
)
def test_what_cannot_work_together_is_refused(change: Callable[[dict[str, Any]], object], named: str, why: str) -> None:
    table = copy.deepcopy(RAIL)
    change(table)

    with pytest.raises(ConfigError) as refused:
        parse_station(table, at="rail-03")

    assert f"rail-03.{named}" in str(refused.value) or "limits in px beside" in str(refused.value)
    assert why in str(refused.value) or "limits in px beside" in str(refused.value)


@pytest.mark.parametrize(
    ("cameras", "named", "why"),
    [
        pytest.param([GIGE | {"serial": ""}], "cameras[0].serial", "at least 1 character", id="no-serial"),
        pytest.param([GIGE | {"address": "head"}], "cameras[0].address", "'head'", id="no-address"),
        pytest.param(
            [GIGE | {"features": {"Gain": [1]}}], "cameras[0].features.Gain", "[1]", id="a-list-is-no-feature"
        ),
        pytest.param([VIDEO], "cameras[0].source", "is missing", id="no-source"),
        pytest.param([VIDEO | {"source": -1}], "cameras[0].source", "the first is 0", id="no-index"),
        pytest.param([VIDEO | {"source": ""}], "cameras[0].source", "is empty", id="empty-source"),
        pytest.param([VIDEO | {"source": "concat://a"}], "cameras[0].source", "'concat' is not one of", id="scheme"),
        pytest.param([VIDEO | {"source": "$NOT_SET/a.avi"}], "cameras[0].source", "not set", id="unset-variable"),
        pytest.param([LIVE | {"rate": 3.0}], "cameras[0].source", "leave out rate", id="a-pace-for-a-live-source"),
        pytest.param([GIGE, GIGE | {"name": "head"}], "cameras", "'web' and 'head' each count", id="two-counts"),
        pytest.param([LIVE, LIVE | {"name": "head"}], "cameras", "'web' and 'head' each count", id="two-live-counts"),
        pytest.param([GIGE, LIVE | {"name": "head"}], "cameras", "cannot share a station", id="two-kinds"),
    ],
)
def test_a_camera_that_counts_its_own_triggers_is_checked(cameras: list[dict[str, Any]], named: str, why: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_station(a_field_table(cameras), at="field-01")

    assert f"field-01.{named}" in str(refused.value)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="in-the-file"),
        pytest.param({"rate": 3.0}, id="beside-another-fault"),
        pytest.param({"source": "rtsp://viewer:at@swordfish@10.0.0.2/live"}, id="with-an-at-in-it"),
        pytest.param({"source": [LIVE, "rtsp://viewer:swordfish@10.0.0.2/live"]}, id="of-another-type"),
    ],
)
def test_a_password_is_refused_and_not_repeated(change: dict[str, Any]) -> None:
    camera = VIDEO | {"source": "rtsp://viewer:swordfish@10.0.0.2/live"} | change

    with pytest.raises(ConfigError) as refused:
        parse_station(a_field_table([camera]), at="field-01")

    assert "field-01.cameras[0].source" in str(refused.value)
    assert "swordfish" not in str(refused.value)


def a_field_table(cameras: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "field-01",
        "cameras": cameras,
        "actuator": {"kind": "log"},
        "model": RAIL["model"],
        "policy": {"min_region_px": 1.0, "reject_region_px": 2.0, "reject_total_px": 3.0},
    }


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(ConfigError, match=r"'rail-3' is not a station \(did you mean 'rail-03'\?\)"):
        load_station("rail-3")


def as_toml(table: dict[str, Any]) -> str:
    """Enough TOML for a station: inline tables throughout."""

    def value(each: Any) -> str:
        match each:
            case bool():
                return str(each).lower()
            case str():
                return f'"{each}"'
            case dict():
                return "{" + ", ".join(f"{k} = {value(v)}" for k, v in each.items()) + "}"
            case list():
                return "[" + ", ".join(value(v) for v in each) + "]"
            case _:
                return str(each)

    return "\n".join(f"{key} = {value(each)}" for key, each in table.items()) + "\n"
