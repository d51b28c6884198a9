"""A model, a limit or a setting that is other than last time is on record, old and new."""

import json

import msgspec

from monitor.rows import RunBody
from monitor.rules.changes import LONGEST, changes

CONFIG = {"workers": 1, "policy": {"min_region_mm2": 4.0}, "cameras": [{"name": "head", "zones": []}]}


def a_start(config: object = CONFIG, *, model: str = "ab" * 32, software: str = "1") -> RunBody:
    return RunBody(
        run="r",
        started_at=9,
        software=software,
        config_sha256="",
        config=json.dumps(config),
        model_name="net",
        model_sha256=model,
        engine="torch",
        first_slots={},
        recovered=0,
    )


def test_the_same_again_is_no_change() -> None:
    assert changes(a_start(), a_start(), who="kim", why="") == []


def test_each_sort_of_change_has_its_row() -> None:
    new = a_start(CONFIG | {"workers": 2, "policy": {"min_region_mm2": 5.0}}, model="cd" * 32, software="2")

    rows = {row.what: row for row in changes(a_start(), new, who="kim", why="trial")}

    assert set(rows) == {"model.change", "policy.change", "config.change", "software.change"}
    assert (rows["policy.change"].old, rows["policy.change"].new) == (
        '{"policy.min_region_mm2": 4.0}',
        '{"policy.min_region_mm2": 5.0}',
    )
    assert rows["config.change"].new == '{"workers": 2}'
    assert rows["model.change"].old == f"net {'ab' * 32} on torch"
    assert {(row.who, row.why, row.at) for row in rows.values()} == {("kim", "trial", 9)}


def test_a_zone_that_came_is_a_limit() -> None:
    zoned = CONFIG | {"cameras": [{"name": "head", "zones": [{"name": "web"}]}]}

    (row,) = changes(a_start(), a_start(zoned), who="kim", why="")

    assert (row.what, row.new) == ("policy.change", '{"cameras[0].zones[0].name": "web"}')


def test_calibrations_and_baselines_count() -> None:
    new = msgspec.structs.replace(a_start(), calibrations={"head": "ef"}, baselines={"head": "01"})

    assert [row.what for row in changes(a_start(), new, who="", why="")] == ["baseline.change", "calibration.change"]


def test_a_row_stays_small() -> None:
    (row,) = changes(a_start(), a_start(CONFIG | {"title": "x" * 9000}), who="", why="")

    assert len(row.new) == LONGEST
