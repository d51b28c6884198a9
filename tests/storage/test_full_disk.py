"""Row 66: on a full disk nothing passes without its row, the line holds, and the last alarm is a row all the same."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.disk import Disk
from config.loader import load_station
from monitor.desk import Desk
from monitor.disk_watch import DiskWatch, open_disk
from monitor.messages import Closed, Disposition, Outcome, Projected, Reason
from monitor.recovery import Recovered
from monitor.rows import AlarmBody, Row, VerdictBody, read_body
from monitor.rules.disk import Level
from storage.alarms import must_look
from storage.journal import SqliteJournal, journal_files, open_journal
from storage.journal_errors import JournalError, JournalFull
from storage.reader import JournalReader
from tests.monitor.builders import PROVENANCE, a_captured, a_region, a_segmentation, a_station
from tests.storage.builders import a_png, a_run, a_verdict, sha256_of
from tests.storage.small_disk import MB, SmallDisk, a_small_disk
from tests.storage.test_journal import edit

DISK = Disk(no_pass_frames_mb=14, no_frames_mb=12, small_crops_mb=10, no_crops_mb=8, hold_mb=4, reserve_mb=2)
RECOVERED = Recovered(closed_to={"head": 0}, gaps=[], open_parts=[], run_row=a_run())


class LineOnDisk:
    """A decision without its sockets, on a small disk; remembers what left it."""

    def __init__(self, disk: SmallDisk, folder: Path, journal: SqliteJournal, watch: DiskWatch) -> None:
        self.disk, self.folder, self.watch = disk, folder, watch
        self.desk = Desk(a_station(), PROVENANCE, journal, RECOVERED, watch)
        self.left: list[object] = []

    def settle(self, *heard: Any) -> list[object]:
        """What leaves now."""
        closings = [closing for message in heard for closing in self.desk.hear(message)]
        self.left = []
        self.desk.settle(closings, send=self.left.append, answer=self.left.append, note=self.left.append)
        return self.left

    def part(self, slot: int, area_mm2: float | None = None, **pictures: bytes) -> list[object]:
        """A part is announced and answered."""
        regions = () if area_mm2 is None else (a_region(area_mm2),)
        return self.settle((a_captured(slot), {}), (a_segmentation(slot, *regions), pictures))

    def rows(self) -> list[Row]:
        with JournalReader(self.folder) as reader:
            return reader.rows(0)

    def alarms(self) -> list[tuple[str, str, str]]:
        """(name, about, level) of each on record."""
        bodies = [read_body(row) for row in self.rows()]
        return [(body.name, body.about, body.level) for body in bodies if isinstance(body, AlarmBody)]

    def verdicts(self) -> dict[int, tuple[Outcome | None, Reason | None]]:
        return {row.slot: (row.outcome, row.reason) for row in self.rows() if row.kind == "verdict" and row.slot}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with a_small_disk(tmp_path / "disk", 24) as made:
        yield made


@pytest.fixture
def line(disk: SmallDisk) -> Iterator[LineOnDisk]:
    """One part has passed."""
    folder = disk.at / "rail-03"
    watch = open_disk(folder, DISK)
    with open_journal(folder) as journal:
        made = LineOnDisk(disk, folder, journal, watch)
        assert outcomes(made.part(1)) == [Outcome.PASS]
        yield made


def outcomes(left: list[object]) -> list[Outcome]:
    return [each.outcome for each in left if isinstance(each, Disposition)]


def test_row_66_a_disk_that_is_full_at_once_holds_the_line_by_a_row(line: LineOnDisk) -> None:
    line.disk.fill()

    passed = line.part(2, frame=a_png(2, side=400))
    held = line.part(3)

    assert not line.watch.has_reserve
    assert line.desk.hold == "disk.full"
    assert outcomes(passed) == [Outcome.PASS]  # its row is there: the reserve was for that
    assert outcomes(held) == [Outcome.NOT_INSPECTED]
    assert line.verdicts() == {1: (Outcome.PASS, None), 2: (Outcome.PASS, None), 3: (Outcome.NOT_INSPECTED, "held")}
    assert ("disk.full", "hold", "hold") in line.alarms()
    bodies = [body for row in line.rows() if isinstance(body := read_body(row), VerdictBody)]
    assert [body.frame_sha256 for body in bodies] == [None, None, None]  # rows first: pictures are left out


def test_row_66_without_the_reserve_the_alarm_is_no_row_and_nothing_passes(
    line: LineOnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin. The line holds all the same, and whatever waits is written when there is room."""
    monkeypatch.setattr(DiskWatch, "make_reserve", lambda _: None)
    line.watch.give_up_reserve()
    line.disk.fill()

    passed = line.part(2)
    rejected = line.part(3, 60.0)
    again = line.settle()
    on_record = line.alarms(), sorted(line.verdicts())
    line.disk.empty()
    with_room = line.settle()

    assert outcomes(passed) == outcomes(again) == []
    assert outcomes(rejected) == [Outcome.NOT_INSPECTED]  # held; what is no PASS need not wait for its row
    assert [each for each in [*passed, *rejected, *again] if isinstance(each, Closed)] == []
    assert line.desk.hold == "disk.full"
    assert on_record == ([], [1])
    assert outcomes(with_room)[-1:] == [Outcome.PASS]
    assert sorted(line.verdicts()) == [1, 2, 3]
    assert ("disk.full", "hold", "hold") in line.alarms()


def test_row_66_step_by_step_down_and_up_again_and_each_is_a_row(line: LineOnDisk) -> None:
    seen: list[Level] = []
    for leave_mb in (13.5, 11.5, 9.5, 7.5, 3.5):
        line.disk.fill(leave_mb=leave_mb)
        line.desk.tidy()
        seen.append(line.desk.disk.level)
    line.settle()
    reserve_when_held = line.watch.has_reserve
    line.disk.empty()
    line.desk.tidy()
    line.settle()

    assert seen == [Level.NO_PASS_FRAMES, Level.NO_FRAMES, Level.SMALL_CROPS, Level.NO_CROPS, Level.HOLD]
    assert not reserve_when_held
    assert [name for name, _, _ in line.alarms()] == ["disk.low"] * 4 + ["disk.full"] + ["disk.room"] * 5
    assert [about for _, about, _ in line.alarms()][:5] == [level.said for level in seen]
    assert line.desk.disk.level is Level.ALL
    assert line.watch.has_reserve
    assert (line.folder / "reserve").stat().st_blocks * 512 >= DISK.reserve_mb * MB
    assert line.desk.hold == "disk.full"  # there is room, but a person must have looked


def test_giving_the_reserve_up_is_no_room(line: LineOnDisk) -> None:
    """Else it would undo the last step, be made anew, and bring the step back, for ever."""
    line.disk.fill(leave_mb=3.9)

    line.desk.tidy()
    levels = []
    for _ in range(5):
        line.desk.tidy()
        levels.append(line.desk.disk.level)

    assert set(levels) == {Level.HOLD}
    assert line.disk.free_mb() > 1.25 * DISK.hold_mb  # by what the reserve was


def test_row_66_tidying_on_a_full_disk_holds_and_does_not_end_the_process(
    line: LineOnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the disk says of itself need not be so: a quota, say, ends before it does."""
    for slot in range(2, 12):
        line.part(slot, 60.0, frame=os.urandom(200_000))
    line.desk.hear((Projected(seq=30), {}))
    line.disk.fill()
    monkeypatch.setattr(DiskWatch, "free_mb", lambda _: 1e6)

    line.desk.tidy()
    line.settle()

    assert line.desk.hold == "disk.full"
    assert not line.watch.has_reserve
    assert ("disk.full", "hold", "hold") in line.alarms()


def test_row_66_where_nobody_watches_the_disk_a_full_journal_ends_the_process(line: LineOnDisk) -> None:
    """As it was before there was a ladder: decision died, was started again, and died."""
    line.watch.give_up_reserve()
    line.desk.disk._watch = None
    line.disk.fill()

    with pytest.raises(JournalFull):
        line.part(2)


def test_a_journal_that_met_a_full_disk_is_whole_and_goes_on(disk: SmallDisk) -> None:
    folder = disk.at / "rail-03"
    with open_journal(folder) as journal:
        journal.append([a_verdict(1)])
        disk.fill()
        png = a_png(9, side=2000)
        with pytest.raises(JournalFull, match="1 rows after 1 are not written"):
            journal.append([a_verdict(2, picture=png)], {sha256_of(png): png * 100})
        disk.empty()

        assert journal.append([a_verdict(2)]) == [2]

    with sqlite3.connect(journal_files(folder / "journal")[0]) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    with JournalReader(folder) as reader:
        assert [row.slot for row in reader.rows(0)] == [1, 2]


def test_a_file_that_cannot_be_begun_leaves_the_one_before_open(disk: SmallDisk) -> None:
    folder = disk.at / "rail-03"
    with open_journal(folder, rows_per_file=2) as journal:
        journal.append([a_verdict(1), a_verdict(2)])
        disk.fill()
        for _ in range(2):
            with pytest.raises(JournalFull):
                journal.append([a_verdict(3)])
        disk.empty()

        assert journal.append([a_verdict(3)]) == [3]

    assert [path.name for path in journal_files(folder / "journal")] == ["000001.sqlite", "000002.sqlite"]


@pytest.mark.parametrize("with_reserve", [pytest.param(True, id="reserve"), pytest.param(False, id="the-twin")])
def test_row_66_a_start_on_a_full_disk_opens_its_journal_by_the_reserve(disk: SmallDisk, with_reserve: bool) -> None:
    folder = disk.at / "rail-03"
    watch = open_disk(folder, DISK)
    with open_journal(folder) as journal:
        journal.append([a_verdict(1)])
    if not with_reserve:
        watch.give_up_reserve()
    disk.fill()

    open_disk(folder, DISK)

    if with_reserve:
        with open_journal(folder) as journal:
            assert journal.append([a_verdict(2)]) == [2]
    else:
        with pytest.raises(JournalError, match=r"full|disk I/O"), open_journal(folder) as journal:
            journal.append([a_verdict(2)])


@pytest.mark.parametrize("with_reserve", [pytest.param(True, id="reserve"), pytest.param(False, id="the-twin")])
@pytest.mark.parametrize("damaged", [pytest.param(False, id="sound"), pytest.param(True, id="damaged")])
def test_row_66_a_start_on_a_full_disk_looks_at_its_journal_by_the_reserve(
    disk: SmallDisk, monkeypatch: pytest.MonkeyPatch, with_reserve: bool, damaged: bool
) -> None:
    monkeypatch.setenv("LINE_STATE", str(disk.at))
    folder = disk.at / "rail-03"
    watch = open_disk(folder, DISK)
    with open_journal(folder) as journal:
        journal.append([a_verdict(slot) for slot in range(1, 10)])
    if damaged:
        edit(journal_files(folder / "journal")[0], "UPDATE journal SET slot = 99 WHERE seq = 5")
    if not with_reserve:
        watch.give_up_reserve()
    disk.fill()
    said = must_look(load_station("rail-03").model_copy(update={"disk": DISK}))

    if not with_reserve:
        assert "the journal cannot be looked at" in said
    elif damaged:
        assert "rail-03 is held by journal.damaged" in said
    else:
        assert said == ""


def test_row_66_a_damaged_part_for_which_there_is_no_room_is_set_aside_by_the_next_start(
    disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINE_STATE", str(disk.at))
    station, folder = load_station("rail-03").model_copy(update={"disk": DISK}), disk.at / "rail-03"
    open_disk(folder, DISK)
    with open_journal(folder) as journal:
        journal.append([a_verdict(1)], {sha256_of(a_png(1)): os.urandom(3 * MB)})  # more than the reserve has room for
        journal.append([a_verdict(slot) for slot in range(2, 10)])
    edit(journal_files(folder / "journal")[0], "UPDATE journal SET slot = 99 WHERE seq = 5")
    disk.fill()

    full = must_look(station)
    disk.empty()

    assert "the journal cannot be looked at" in full
    assert "disk is full" in full
    assert "rail-03 is held by journal.damaged" in must_look(station)
    with JournalReader(folder) as reader:
        assert [row.seq for row in reader.rows(0)] == [1, 2, 3, 4, 2_000_001]


def test_a_reserve_that_finds_no_room_is_not_half_made(disk: SmallDisk) -> None:
    disk.fill(leave_mb=1.0)
    watch = DiskWatch(disk.at, DISK)

    watch.make_reserve()

    assert not watch.has_reserve
    assert sorted(path.name for path in disk.at.iterdir()) == ["filler"]
