"""Other limits over stored masks: which verdicts move, and whether that is better on what is labelled."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

import storage.reports.rejudged
from config.loader import ConfigError
from config.policy import Policy
from config.station import Station
from config.zones import Zone
from monitor.messages import Outcome, Region
from monitor.rows import Entry, RunBody, VerdictBody
from monitor.rules.policy import Judgement, judge
from monitor.rules.regions import encode_mask
from storage.audit import open_audit
from storage.report_commands import app
from storage.reports.asked import Asked, Options
from storage.reports.forms import FORMS
from storage.reports.page import Page, Photo, as_json
from storage.reports.what_if import what_if
from tests.storage.builders import a_frame, a_region, a_run, a_verdict
from tests.storage.labelled import a_standing_line
from tests.storage.lines import CROP, MASK, RAIL_03, Line
from tests.storage.reports.labelled_parts import a_label, a_part
from tests.storage.reports.pages import SHIFT_0, table, the_facts

LOOSE, STRICT = (4.0, 60.0, 120.0), (4.0, 20.0, 40.0)  # least, reject a region, reject in total; grey 0.2


GOOD = "[policy]\nmin_region_mm2 = 4.0\nreject_region_mm2 = 40.0\nreject_total_mm2 = 80.0\n"


def a_file(folder: Path, limits: tuple[float, float, float] = LOOSE, text: str | None = None) -> Path:
    path = folder / "policy.toml"
    names = ("min_region_mm2", "reject_region_mm2", "reject_total_mm2")
    lines = [f"{name} = {limit}" for name, limit in zip(names, limits, strict=True)]
    path.write_text("\n".join(["[policy]", *lines]) if text is None else text)
    return path


@contextmanager
def asked_for(
    folder: Path, policy: Path | None, camera: str | None = None, station: Station = RAIL_03
) -> Iterator[Asked]:
    store = open_audit(folder, "rail-03")
    assert store is not None
    with store.snapshot() as snapshot:
        options = Options(policy=policy, camera=camera)
        yield Asked(station=station, folder=folder, snapshot=snapshot, options=options)
    store.close()


def made(folder: Path, policy: Path | None, camera: str | None = None, station: Station = RAIL_03) -> Page:
    with asked_for(folder, policy, camera, station) as asked:
        return what_if(asked)


def masked(entry: Entry, *areas_px: int) -> Entry:
    """With a mask of regions so large, in columns that do not touch; 0.225 mm² a px."""
    mask = np.zeros((1000, 160), np.bool_)
    for n, area in enumerate(areas_px):
        mask[:area, 2 * n] = True
    body = entry.body
    assert isinstance(body, VerdictBody)
    return msgspec.structs.replace(entry, body=msgspec.structs.replace(body, mask_rle=encode_mask(mask)))


def a_day() -> list[Entry]:
    """45 mm² and 36 mm² are rejected, 90 mm² clearly; 20 mm² and nothing pass; one is dark."""
    return [
        a_run(started_at=SHIFT_0),
        a_part(1),
        masked(a_part(2, Outcome.REJECT, areas=(45.0,), grey=True), 200),
        masked(a_part(3, Outcome.REJECT, areas=(36.0,), grey=True), 160),
        masked(a_part(4, Outcome.REJECT, areas=(90.0,)), 400),
        masked(a_part(5, areas=(20.25,)), 90),
        a_part(6, Outcome.NOT_INSPECTED),
    ]


@pytest.fixture
def line(folder: Path) -> Path:
    return a_standing_line(folder, a_day())


def test_verdicts_that_move_are_those_worked_out_by_hand(line: Path) -> None:
    loose = made(line, a_file(line, LOOSE))
    strict = made(line, a_file(line, STRICT))

    assert [(r["frame"], r["before"], r["after"]) for r in as_json(loose)["rows"]] == [
        (a_frame(2), "REJECT", "PASS"),
        (a_frame(3), "REJECT", "PASS"),
    ]
    assert [row["severity_after"] for row in table(loose, "Verdicts that move")] == pytest.approx([0.75, 0.6])
    assert [(r["frame"], r["before"], r["after"]) for r in as_json(strict)["rows"]] == [(a_frame(5), "PASS", "REJECT")]
    facts = the_facts(loose)
    assert (facts["judged"], facts["moved"], facts["to_reject"], facts["to_pass"]) == (5, 2, 0, 2)
    assert (facts["rejected_before"], facts["rejected_after"], facts["no_mask"]) == (0.6, 0.2, 0)
    assert table(loose, "Verdicts, then and with the new limits") == [
        {"then": "PASS", "pass": 2, "reject": 0},
        {"then": "REJECT", "pass": 2, "reject": 1},
    ]
    assert loose.footer.query["reject_region_mm2"] == 60.0


def test_labels_say_whether_it_is_better(folder: Path) -> None:
    labels = [a_label(2), a_label(3, "squat"), a_label(4, "squat"), a_label(1), a_label(5, "borderline")]
    line = a_standing_line(folder, [*a_day(), *labels])

    facts = the_facts(made(line, a_file(line)))

    assert (facts["labelled"], facts["right_before"], facts["right_after"]) == (4, 3, 3)
    assert (facts["p_exact"], facts["p_mid"]) == (1.0, pytest.approx(0.75))


def test_without_labels_better_is_not_said(line: Path) -> None:
    page = made(line, a_file(line))

    assert the_facts(page)["p_mid"] is None
    assert "linectl labels import" in as_json(page)["missing"][0]["remedy"]


def test_what_has_no_mask_is_judged_by_its_regions_and_counted(folder: Path) -> None:
    line = a_standing_line(folder, [a_run(started_at=SHIFT_0), a_part(1, Outcome.REJECT, areas=(45.0,))])

    facts = the_facts(made(line, a_file(line)))

    assert (facts["no_mask"], facts["judged"], facts["to_pass"]) == (1, 1, 1)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "expired"])
def test_crops_of_what_moves_are_shown(folder: Path, kept: bool) -> None:
    region = a_region(45.0, CROP, MASK)
    line = Line(folder)
    line.write([a_run(), a_verdict(1, Outcome.REJECT, area_mm2=45.0, regions=(region,))])
    line.project()
    if not kept:
        line.image(CROP).unlink()

    photos = [part for part in made(folder, a_file(folder)).parts if isinstance(part, Photo)]

    assert [(photo.title, photo.png) for photo in photos] == [(f"{a_frame(1)}: REJECT → PASS", CROP if kept else None)]


def a_zoned_station() -> Station:
    """The upper half of the frame has limits of its own."""
    corners = ((0.0, 0.0), (72.0, 0.0), (72.0, 250.0), (0.0, 250.0))
    zone = Zone(name="web", polygon_mm=corners, min_region_mm2=4.0, reject_region_mm2=300.0, reject_total_mm2=600.0)
    camera = RAIL_03.cameras[0].model_copy(update={"zones": (zone,)})
    return RAIL_03.model_copy(update={"cameras": (camera,)})


def a_zoned_run() -> Entry:
    run = a_run(started_at=SHIFT_0)
    assert isinstance(run.body, RunBody)
    config = a_zoned_station().model_dump_json()
    return msgspec.structs.replace(run, body=msgspec.structs.replace(run.body, config=config))


def test_limits_of_a_zone_can_be_asked_for_too(folder: Path) -> None:
    line = a_standing_line(folder, [a_zoned_run(), masked(a_part(1, areas=(45.0,)), 200)])
    policy = a_file(line, text=f"{GOOD}[zones.web]\nreject_region_mm2 = 30.0\n")

    page = made(line, policy, station=a_zoned_station())

    assert [(row["before"], row["after"]) for row in as_json(page)["rows"]] == [("PASS", "REJECT")]
    assert page.footer.query["web.reject_region_mm2"] == 30.0
    assert [(r["before"], r["after"]) for r in table(page, "Limits") if r["of"] == "web"][1] == (300.0, 30.0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("[zones.head]\ngrey_band = 0.1", r"zones.head: rail-03 has \['web'\] with limits", id="another"),
        pytest.param("[zones.web]\nignore = true", "zones.web: a table of grey_band, min_region_mm2", id="no-limit"),
        pytest.param("[zones.web]\nreject_region_mm2 = 900.0", "does not lie between", id="out-of-order"),
        pytest.param("[zones.web]\nreject_region_mm2 = -1.0", "zone.reject_region_mm2: Input should", id="negative"),
    ],
)
def test_limits_that_no_zone_may_have_are_refused(folder: Path, text: str, why: str) -> None:
    line = a_standing_line(folder, [a_zoned_run(), a_part(1)])

    with pytest.raises(ConfigError, match=why):
        made(line, a_file(line, text=GOOD + text), station=a_zoned_station())


def test_a_zone_keeps_its_limits_and_needs_the_mask(folder: Path) -> None:
    inside = masked(a_part(1, areas=(45.0,)), 200)  # 300 mm² would be rejected there
    unmasked = a_part(2, areas=(45.0,))
    line = a_standing_line(folder, [a_zoned_run(), inside, unmasked])

    page = made(line, a_file(line, STRICT))

    facts = the_facts(page)
    assert (facts["judged"], facts["moved"], facts["no_mask"]) == (1, 0, 1)
    assert any("which of them a region touches" in gap["what"] for gap in as_json(page)["missing"])


def test_a_verdict_that_does_not_follow_from_its_mask_is_left_out(folder: Path) -> None:
    line = a_standing_line(folder, [a_run(started_at=SHIFT_0), masked(a_part(1, areas=(45.0,)), 200)])

    page = made(line, a_file(line))

    assert the_facts(page)["judged"] == 0
    assert any("1 verdicts do not follow" in gap["what"] for gap in as_json(page)["missing"])


def test_without_that_look_it_would_seem_to_move(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: the policy of then says whatever stands there."""
    line = a_standing_line(folder, [a_run(started_at=SHIFT_0), masked(a_part(1, areas=(45.0,)), 200)])

    def believing(regions: tuple[Region, ...], policy: Policy, zones: tuple[Zone, ...]) -> Judgement:
        judged = judge(regions, policy, zones)
        return dataclasses.replace(judged, outcome=Outcome.PASS) if policy == RAIL_03.policy else judged

    monkeypatch.setattr(storage.reports.rejudged, "judge", believing)

    assert the_facts(made(line, a_file(line, STRICT)))["to_reject"] == 1


def test_a_camera_alone(line: Path) -> None:
    assert the_facts(made(line, a_file(line), camera="web"))["judged"] == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "a table \\[policy\\] is needed, .* there is nothing", id="empty"),
        pytest.param("[policy", "is no TOML", id="no-toml"),
        pytest.param("name = 'x'\n[policy]\nmin_region_mm2 = 1.0", "there is \\['name', 'policy'\\]", id="a-station"),
        pytest.param(
            "[policy]\nmin_region_mm2 = -1.0", "policy.min_region_mm2: Input should be greater", id="negative"
        ),
        pytest.param("[policy]\nmin_region = 1.0", "policy.min_region: Extra inputs", id="unknown-key"),
        pytest.param("[policy]\nmin_region_mm2 = 1.0", "is missing: the three limits", id="not-all"),
        pytest.param(
            f"{GOOD}[zones.web]\ngrey_band = 0.1", "zones.web: rail-03 has no zones with limits", id="no-zone"
        ),
        pytest.param(
            "[policy]\nmin_region_px = 1.0\nreject_region_px = 2.0\nreject_total_px = 3.0",
            "limits in px; those of rail-03 are in mm²",
            id="other-unit",
        ),
    ],
)
def test_a_file_that_is_no_policy_is_refused(line: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        made(line, a_file(line, text=text))


def test_no_file_is_refused_and_the_command_exits_78(line: Path) -> None:
    ended = CliRunner().invoke(app, ["what-if", "--station", "rail-03", "--policy", str(line / "none.toml")])

    assert ended.exit_code == 78


def test_the_command_writes_it(line: Path, tmp_path: Path) -> None:
    to, policy = tmp_path / "page.json", str(a_file(line))

    ended = CliRunner().invoke(app, ["what-if", "--station", "rail-03", "--policy", policy, "--out", str(to)])

    assert ended.exit_code == 0, ended.output
    assert json.loads(to.read_text())["facts"]["moved"] == 2


def test_without_a_policy_the_page_says_how_to_get_one(line: Path) -> None:
    page = made(line, None)

    assert "Copy the table [policy]" in as_json(page)["missing"][0]["remedy"]
    assert not [part for part in page.parts if isinstance(part, Photo)]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_head_gives_the_same_bytes(line: Path, form: str) -> None:
    first, second = (FORMS[form](made(line, a_file(line))) for _ in range(2))

    assert first == second
