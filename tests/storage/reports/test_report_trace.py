"""A part's page says everything that the journal says of it, and proves that it is what was said then."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import storage.reports.part_rows
from monitor.label_book import labelled
from monitor.labels import Label, Saying, State
from storage import chain
from storage.aside import set_aside_damaged
from storage.audit import open_audit
from storage.chain import GENESIS
from storage.report_commands import app
from storage.reports.asked import Asked, Options
from storage.reports.forms import FORMS
from storage.reports.page import Gap, Page, Photo, as_json
from storage.reports.trace import trace
from tests.storage.builders import a_frame, an_alarm, sha256_of
from tests.storage.lines import CROP, MASK, RAIL_03, WHOLE, Line, sound_rows
from tests.storage.reports.pages import HOSTILE, table, the_facts

LABEL = Label(
    id="0" * 32, state=State.CONFIRMED, reviewer="ann", label=HOSTILE, region=1, size_mm=3.5, blind=True, trial=1
)
SAYING = Saying(frame=a_frame(2), slot=2, label=LABEL, who="kim", why="=1+1", old="", at=1_790_000_000_000_000_000)


@pytest.fixture
def line(folder: Path) -> Line:
    """Part 2 in rows 3, 7 and 13; row 14 is the head."""
    line = Line(folder)
    line.write([*sound_rows(), labelled(SAYING), an_alarm()])
    line.project()
    return line


@contextmanager
def asked_for(line: Line, part: str | None) -> Iterator[Asked]:
    store = open_audit(line.folder, "rail-03")
    assert store is not None
    with store.snapshot() as snapshot:
        yield Asked(station=RAIL_03, folder=line.folder, snapshot=snapshot, options=Options(part=part))
    store.close()


def turned(page: Page, title: str) -> dict[str, Any]:
    """The facts of the first frame."""
    return {row["fact"]: row["frame_1"] for row in table(page, title)}


def unchecked(lines: Iterator[chain.Line], **_: object) -> Iterator[chain.ChainFault]:
    """Reads to the end, and finds nothing."""
    for _line in lines:
        pass
    yield from ()


def traced(line: Line, part: str | None = "2") -> Page:
    with asked_for(line, part) as asked:
        return trace(asked)


def test_everything_of_the_part_is_there(line: Line) -> None:
    page = traced(line)

    facts = the_facts(page)
    assert facts == {
        "slot": 2, "outcome": "REJECT", "frames": 1, "gate": "rejected", "labels": 1, "chain_holds": True,
        "signed": None,
    }  # fmt: skip
    verdict, rests = turned(page, "Verdicts"), turned(page, "What they rest on")
    assert (verdict["row"], verdict["frame"], verdict["outcome"]) == (3, a_frame(2), "REJECT")
    assert (rests["model"], rests["engine"], rests["software"]) == ("anomalyseg-8", "openvino", "0.1.0")
    assert rests["policy"] == "min_region 4, reject_region 40, reject_total 80, grey_band 0.2"
    assert [(row["region"], row["area_mm2"]) for row in table(page, "Regions")] == [(1, 60.0)]
    assert [row["gate"] for row in table(page, "Commands to the gate, and what it did")] == ["rejected"]
    (label,) = table(page, "Labels")
    assert (label["row"], label["label"], label["reviewer"], label["brought_by"]) == (13, HOSTILE, "ann", "kim")
    photos = [part for part in page.parts if isinstance(part, Photo)]
    assert [(photo.sha256, photo.png) for photo in photos] == [(sha256_of(png), png) for png in (WHOLE, CROP, MASK)]


def test_a_correction_is_there_beside_what_it_corrects(line: Line) -> None:
    page = traced(line, a_frame(4))

    assert the_facts(page)["outcome"] == "NOT_INSPECTED"
    assert turned(page, "Verdicts")["outcome"] == "PASS"
    assert [(row["row"], row["corrects_row"], row["reason"]) for row in table(page, "Corrections")] == [(10, 5, "late")]


def test_anybody_can_work_the_proof_out_again(line: Line) -> None:
    page = traced(line)

    rows = as_json(page)["rows"]
    whole = [row for row in rows if "canonical" in row]
    links = {row["seq"]: row["hash"] for row in rows if row["kind"] == "link"}
    assert [row["seq"] for row in whole] == [3, 7, 13]
    for row in whole:
        hashed = hashlib.sha256(bytes.fromhex(row["hash_before"]) + row["canonical"].encode()).hexdigest()
        assert hashed == row["hash"]
        assert json.loads(row["canonical"])[0] == row["seq"]
    assert whole[1]["hash_before"] == links[6]
    assert rows[-1] == {"seq": 14, "kind": "head", "hash": page.footer.chain_head}
    assert links[14] == page.footer.chain_head


def test_the_first_row_of_all_follows_the_beginning(folder: Path) -> None:
    line = Line(folder)
    line.write(sound_rows()[1:2])
    line.project()

    page = traced(line, "1")

    assert the_facts(page)["chain_holds"] is True
    assert page.rows[0]["hash_before"] == GENESIS.hex()


@pytest.mark.parametrize(
    "row",
    [pytest.param(3, id="of-the-part"), pytest.param(9, id="between"), pytest.param(14, id="the-head")],
)
def test_an_edit_behind_the_part_is_seen(line: Line, row: int) -> None:
    line.journal(f"UPDATE journal SET body = replace(body, 'run-1', 'run-2') WHERE seq = {row}")

    page = traced(line)

    assert the_facts(page)["chain_holds"] is False
    gap = next(part for part in page.parts if isinstance(part, Gap))
    assert f"hash_broken at row {row}" in gap.missing


def test_a_chain_made_anew_does_not_fit_the_head_of_the_store(line: Line) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage.reports.part_rows, "faults", unchecked)
        line.journal("UPDATE journal SET hash = zeroblob(32) WHERE seq = 14")
        page = traced(line)

    assert "the journal ends with row 14" in next(p.missing for p in page.parts if isinstance(p, Gap))


def test_without_working_hashes_out_an_edit_would_pass(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin."""
    monkeypatch.setattr(storage.reports.part_rows, "faults", unchecked)
    line.journal("UPDATE journal SET body = replace(body, 'run-1', 'run-2') WHERE seq = 9")

    assert the_facts(traced(line))["chain_holds"] is True


def test_a_long_way_to_the_head_is_cut_and_said(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.reports.part_rows, "PROOF_ROWS", 5)
    monkeypatch.setattr("storage.reports.trace.PROOF_ROWS", 5)

    page = traced(line)

    assert the_facts(page)["chain_holds"] is True
    assert page.rows[-1]["seq"] == 7
    assert any("to row 7" in part.missing for part in page.parts if isinstance(part, Gap))


def test_the_chain_is_followed_across_rows_that_were_set_aside(line: Line) -> None:
    """There the numbers jump by a million, as far as the chain is followed at most: they are no count of rows."""
    line.journal("UPDATE journal SET slot = 99 WHERE seq = 10")
    assert set_aside_damaged(line.folder) is not None
    line.project()

    page = traced(line)

    assert the_facts(page)["chain_holds"] is True
    assert page.rows[-1]["seq"] == 2_000_001
    assert [part.title for part in page.parts if isinstance(part, Gap)] == ["The head is not signed"]


def test_a_picture_that_has_expired_is_named(line: Line) -> None:
    line.image(CROP).unlink()

    photos = [part for part in traced(line).parts if isinstance(part, Photo)]

    assert [photo.png for photo in photos] == [WHOLE, None, MASK]


@pytest.mark.parametrize("part", ["99", "rail-03/head/1/000099", "'; DROP TABLE label; --", "", None, "9" * 40])
def test_no_such_part_says_how_to_find_one(line: Line, part: str | None) -> None:
    page = traced(line, part)

    assert [gap["remedy"] for gap in as_json(page)["missing"]] == [
        "Give --part SLOT or --part FRAME; linectl history --station rail-03 lists what there is."
    ]
    assert FORMS["html"](page)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_head_gives_the_same_bytes_and_what_was_typed_stays_text(line: Line, form: str) -> None:
    first, second = (FORMS[form](traced(line)) for _ in range(2))

    assert first == second
    assert form != "html" or b"<script" not in first


def test_the_command_writes_it(line: Line, tmp_path: Path) -> None:
    to = tmp_path / "part.json"

    ended = CliRunner().invoke(app, ["trace", "--station", "rail-03", "--part", "2", "--out", str(to)])

    assert ended.exit_code == 0, ended.output
    written: dict[str, Any] = json.loads(to.read_text())
    assert list(written) == [
        "report", "query", "row_count", "time_zone", "chain_head", "version", "facts", "missing", "rows",
    ]  # fmt: skip
    assert written["query"]["part"] == "2"
