"""While the line runs decision writes, and nothing expires behind its back: by command, or by the recorder itself."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import storage.retention_keeper
import storage.telling
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Puller
from monitor.commit import Commit
from monitor.messages import Outcome, Retained
from monitor.runner import hold_station
from storage.alarms import NotHeard
from storage.audit import AuditStore
from storage.database import audit_url
from storage.follower import Follower
from storage.journal import open_journal
from storage.legal_holds import lift_hold, list_holds, place_hold
from storage.reader import JournalReader
from storage.retention import apply
from storage.retention_commands import app
from storage.retention_keeper import RetentionKeeper
from tests.storage.builders import a_verdict, an_alarm, sha256_of
from tests.storage.kept import (
    AUTHOR,
    CROP,
    PASSED,
    PICTURES,
    REJECTED,
    STATION,
    YOUNG,
    KeptLine,
    a_year,
    days_ago,
    named,
    purged,
)


@pytest.fixture
def line(folder: Path) -> KeptLine:
    return KeptLine(folder).write(*a_year())


@contextmanager
def running(line: KeptLine, *, deaf: bool = False) -> Iterator[Commit]:
    """Its lock is held; a decision writes down what it hears, and images and audit store follow."""
    over = threading.Event()
    folder = line.folder
    made: list[Commit] = []
    begun = threading.Event()

    def decide() -> None:
        with Puller(Endpoints(STATION).decision) as inlet, open_journal(folder) as journal:
            commit = Commit(journal)
            commit.add(an_alarm())  # as at any start, something is written
            commit.write(lambda _: False)
            made.append(commit)
            begun.set()
            while not over.is_set():
                for message, _ in inlet.messages():
                    if isinstance(message, Retained) and not deaf:
                        commit.add(*commit.retention.hear(message.said))
                commit.write(lambda _: False)
                time.sleep(0.01)

    followers = [
        Follower("images", folder, lambda _: line.images),
        Follower("audit", folder, lambda _: AuditStore(audit_url(folder), STATION.name)),
    ]
    with hold_station(folder):
        decision = threading.Thread(target=decide)
        decision.start()
        assert begun.wait(5)
        for follower in followers:
            follower.start()

        def follow() -> None:
            with JournalReader(folder) as reader:
                while not over.is_set():
                    for follower in followers:
                        follower.follow(reader.last_seq())
                    time.sleep(0.02)

        following = threading.Thread(target=follow)
        following.start()
        try:
            yield made[0]
        finally:
            over.set()
            decision.join()
            following.join()
            for follower in followers:
                follower.stop()


def until(happened: Any, seconds: float = 10.0) -> None:
    until_s = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_a_running_line_holds_purges_and_lifts(line: KeptLine) -> None:
    with running(line):
        row, placed = place_hold(STATION, slot=2, since=None, until=None, who="ann", why="claim")
        first = apply(STATION, AUTHOR)
        listed = [body.hold for _, body in list_holds(line.folder)]
        lift_hold(STATION, placed.id, who="ann", why="settled")
        second = apply(STATION, AUTHOR)
        until(lambda: line.is_here(PASSED, REJECTED, CROP) == [False, False, False])

    assert row == line.last_seq() - 3
    assert listed == [placed]
    assert [set(purge.pictures) for purge in first.purges] == [named(PASSED)]
    assert [set(purge.pictures) for purge in second.purges] == [named(REJECTED, CROP)]


def test_the_recorder_lets_pictures_expire_by_itself(line: KeptLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.retention_keeper, "FIRST_S", 0.2)
    monkeypatch.setattr(storage.retention_keeper, "EVERY_S", 0.2)
    monkeypatch.setattr(storage.retention_keeper, "PAUSE_S", 0.01)
    monkeypatch.setattr(storage.telling, "HEARD_S", 1.0)

    with running(line):
        keeper = RetentionKeeper(STATION, line.folder)
        keeper.start()
        until(lambda: line.is_here(PASSED, REJECTED, CROP) == [False, False, False])
        time.sleep(0.6)  # it looks again, and finds nothing
        keeper.follow(0)
        keeper.stop()

    bodies = purged(line)
    assert [(body.by, set(body.pictures)) for body in bodies] == [("line-monitor", named(PASSED, REJECTED, CROP))]


@pytest.mark.parametrize("believed", [pytest.param(False, id="guarded"), pytest.param(True, id="the-twin")])
def test_a_clock_that_has_jumped_lets_nothing_expire(
    line: KeptLine, monkeypatch: pytest.MonkeyPatch, believed: bool
) -> None:
    """40 years forward; where the clock is believed all the same, the youngest picture goes with the others."""
    monkeypatch.setattr(storage.retention_keeper, "FIRST_S", 0.0)
    monkeypatch.setattr(storage.retention_keeper, "PAUSE_S", 0.0)
    keeper = RetentionKeeper(STATION, line.folder)
    jump_s, real, real_ns = 40 * 365 * 86_400, time.time, time.time_ns
    if believed:
        monkeypatch.setattr(RetentionKeeper, "_clock_is_sound", lambda _: True)

    with running(line):
        monkeypatch.setattr(time, "time", lambda: real() + jump_s)
        monkeypatch.setattr(time, "time_ns", lambda: real_ns() + jump_s * 1_000_000_000)
        keeper.start()
        if believed:
            until(lambda: line.is_here(YOUNG) == [False])
        time.sleep(0.3)
        keeper.stop()

    assert line.is_here(YOUNG, PASSED) == ([False, False] if believed else [True, True])


def test_a_verdict_between_plan_and_row_keeps_its_picture(line: KeptLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of just now is pictured by the same bytes; the audit store had not heard of it."""
    real = storage.retention.send

    with running(line) as commit:

        def send_late(*arguments: Any) -> Any:
            commit.add(a_verdict(9, Outcome.REJECT, at=days_ago(0), picture=REJECTED))
            time.sleep(0.1)
            return real(*arguments)

        monkeypatch.setattr(storage.retention, "send", send_late)
        apply(STATION, AUTHOR)
        until(lambda: line.is_here(PASSED, CROP) == [False, False])

    assert [set(body.pictures) for body in purged(line)] == [named(PASSED, CROP)]
    assert line.is_here(REJECTED) == [True]
    assert sha256_of(REJECTED) in PICTURES


def test_a_line_that_hears_nothing_is_named(line: KeptLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.telling, "HEARD_S", 0.3)
    monkeypatch.setattr(storage.retention, "STALE_MOST", 2)

    with running(line, deaf=True):
        with pytest.raises(NotHeard):
            apply(STATION, AUTHOR)
        with pytest.raises(NotHeard):
            place_hold(STATION, slot=2, since=None, until=None, who="ann", why="claim")

    assert purged(line) == []
    assert line.is_here(PASSED, REJECTED) == [True, True]


def linectl(*arguments: str, code: int = 0) -> dict[str, Any]:
    """The JSON object; of rail-03 as it is shipped, which keeps rejects for ten years."""
    ended = CliRunner().invoke(app, [*arguments, "--station", "rail-03", "--json", "-"])
    assert ended.exit_code == code, ended.output
    facts: dict[str, Any] = json.loads(ended.stdout[ended.stdout.index("{") :]) if code == 0 else {}
    return facts


def test_the_commands(line: KeptLine) -> None:
    placed = linectl("hold", "--slot", "1", "--who", "ann", "--why", "[red]claim[/red]")
    shown = linectl("show")
    (held,) = linectl("holds")["rows"]
    linectl("apply")
    kept = line.is_here(PASSED)
    lifted = linectl("lift", held["id"][:8], "--who", "ann", "--why", "settled")
    would = linectl("apply", "--dry-run")
    applied = linectl("apply", "--who", "kim")

    assert placed["rows"] == [{"id": held["id"], "slot": 1, "since": None, "until": None, "row": 7}]
    assert (held["who"], held["why"], held["row"]) == ("ann", "[red]claim[/red]", 7)
    assert shown["holds"] == 1
    assert shown["rows"][0] == {"verdicts": "pass", "days": 30, "pictures": 2, "time_over": 1}
    assert kept == [True]
    assert lifted["rows"][0]["row"] == 8
    assert (would["dry_run"], would["rows"]) == (True, [{"row": None, "pictures": [sha256_of(PASSED)]}])
    assert (applied["pictures"], applied["rows"]) == (1, [{"row": 9, "pictures": [sha256_of(PASSED)]}])
    assert line.is_here(PASSED, REJECTED) == [False, True]
    linectl("lift", held["id"], "--who", "ann", "--why", "again", code=1)
    text = CliRunner().invoke(app, ["holds", "--station", "rail-03"], env={"COLUMNS": "200"})
    assert text.exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["hold", "--who", "ann", "--why", "x"], id="of-nothing"),
        pytest.param(["hold", "--slot", "1", "--since", "1d", "--who", "ann", "--why", "x"], id="of-both"),
        pytest.param(["hold", "--since", "1h", "--until", "1d", "--who", "ann", "--why", "x"], id="backward"),
        pytest.param(["hold", "--since", "soon", "--who", "ann", "--why", "x"], id="no-time"),
        pytest.param(["hold", "--slot", "1", "--who", " ", "--why", "x"], id="nobody"),
        pytest.param(["hold", "--slot", "1", "--who", "ann", "--why", ""], id="no-reason"),
        pytest.param(["hold", "--slot", "1", "--why", "x"], id="no-name"),
    ],
)
def test_wrong_usage_exits_2(folder: Path, arguments: list[str]) -> None:
    linectl(*arguments, code=2)
