"""The head is signed in time, the second place is made up for, and nobody waits for either."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.loader import ConfigError, load_station, parse_station
from config.proof import Proof
from monitor.rules.stores import StoreWatch, Told
from storage.journal import SqliteJournal
from storage.proof import signer
from storage.proof.checkpoints import CheckpointFile
from storage.proof.signed_lines import read_lines
from storage.proof.signer import CheckpointSigner
from tests.storage.builders import a_verdict
from tests.storage.sealed import Sealed

OFTEN, SELDOM = Proof(every_rows=5, every_s=3600.0), Proof(every_rows=1000, every_s=3600.0)
Starts = Callable[[Proof], CheckpointSigner]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signer, "AGAIN_S", 0.05)
    monkeypatch.setattr(signer, "LOOK_S", 0.02)


@pytest.fixture
def starts(folder: Path, tmp_path: Path) -> Iterator[Starts]:
    """Starts a signer whose second place is elsewhere/rail-03; elsewhere is not there yet."""
    started: list[CheckpointSigner] = []

    def start(proof: Proof) -> CheckpointSigner:
        thread = CheckpointSigner("rail-03", folder, proof, tmp_path / "elsewhere" / "rail-03")
        thread.start()
        started.append(thread)
        return thread

    yield start
    for thread in started:
        thread.stop()
        assert not thread.is_alive()


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def size(folder: Path) -> int:
    """Rows that are signed; -1 before the first checkpoint."""
    last = CheckpointFile(folder, "rail-03").last()
    return -1 if last is None else last.size


def grow(journal: SqliteJournal, thread: CheckpointSigner, slots: range) -> None:
    for slot in slots:
        journal.append([a_verdict(slot)])
    thread.follow(journal.head()[0])


def test_a_checkpoint_comes_after_so_many_rows(journal: SqliteJournal, folder: Path, starts: Starts) -> None:
    thread = starts(OFTEN)
    until(lambda: size(folder) == 0)

    grow(journal, thread, range(1, 5))
    time.sleep(0.1)
    assert size(folder) == 0
    grow(journal, thread, range(5, 6))

    until(lambda: size(folder) == 5)


def test_or_after_so_many_seconds(journal: SqliteJournal, folder: Path, starts: Starts) -> None:
    thread = starts(Proof(every_rows=1000, every_s=0.1))
    until(lambda: size(folder) == 0)

    grow(journal, thread, range(1, 2))

    until(lambda: size(folder) == 1)


def test_or_when_the_line_is_drained(journal: SqliteJournal, folder: Path, starts: Starts) -> None:
    thread = starts(SELDOM)
    until(lambda: size(folder) == 0)
    grow(journal, thread, range(1, 4))

    thread.drain()

    until(lambda: thread.behind() == 0)
    assert size(folder) == 3


def test_a_second_place_that_was_away_is_made_up_for(
    journal: SqliteJournal, folder: Path, tmp_path: Path, starts: Starts, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said once, in order, each line once."""
    thread = starts(OFTEN)
    grow(journal, thread, range(1, 6))
    until(lambda: size(folder) == 5)
    grow(journal, thread, range(6, 11))
    until(lambda: size(folder) == 10)
    time.sleep(0.3)

    (tmp_path / "elsewhere").mkdir()

    copy = tmp_path / "elsewhere" / "rail-03" / "checkpoints.signed"
    until(lambda: read_lines(copy) == read_lines(CheckpointFile(folder, "rail-03").path))
    assert Sealed(folder, copy=tmp_path / "elsewhere").found() == set()
    until(lambda: "proof.copy_back" in capsys.readouterr().out)


def test_it_is_said_once_while_it_is_away(
    journal: SqliteJournal, starts: Starts, capsys: pytest.CaptureFixture[str]
) -> None:
    starts(OFTEN)
    time.sleep(0.6)

    assert capsys.readouterr().out.count("proof.copy_failed") == 1


def test_what_cannot_be_signed_or_copied_calls_a_person_and_then_is_well(
    journal: SqliteJournal, folder: Path, tmp_path: Path, starts: Starts
) -> None:
    watch = StoreWatch(after_s=0.3)
    thread = starts(OFTEN)  # the second place is away
    told: list[Told] = []

    def looked(name: str) -> bool:
        told.extend(watch.look(thread.lags()))
        return any(each.name == name for each in told)

    until(lambda: looked("store.lag"))
    (tmp_path / "elsewhere").mkdir()
    until(lambda: looked("store.back"))

    assert [(each.name, each.about) for each in told] == [
        ("store.lag", "second place"),
        ("store.back", "second place"),
    ]


def test_a_journal_that_cannot_be_signed_on_calls_a_person(
    journal: SqliteJournal, folder: Path, tmp_path: Path, starts: Starts
) -> None:
    first = starts(OFTEN)
    grow(journal, first, range(1, 6))
    until(lambda: size(folder) == 5)
    first.stop()
    Sealed(folder, copy=tmp_path / "elsewhere").edit("UPDATE journal SET hash = x'00' WHERE seq = 5")
    second, watch, told = starts(OFTEN), StoreWatch(after_s=0.3), list[Told]()
    second.follow(100)

    def called() -> bool:
        told.extend(watch.look(second.lags()))
        return ("store.lag", "checkpoints") in {(each.name, each.about) for each in told}

    until(called)


def test_a_journal_that_is_not_the_one_signed_is_not_signed(
    journal: SqliteJournal, folder: Path, tmp_path: Path, starts: Starts, capsys: pytest.CaptureFixture[str]
) -> None:
    first = starts(OFTEN)
    grow(journal, first, range(1, 6))
    until(lambda: size(folder) == 5)
    first.stop()
    Sealed(folder, copy=tmp_path / "elsewhere").edit("UPDATE journal SET hash = x'00' WHERE seq = 5")

    second = starts(OFTEN)
    second.follow(100)

    until(lambda: "proof.sign_failed" in capsys.readouterr().out)
    assert size(folder) == 5
    assert second.behind() == 0  # the end of a run does not wait for what will not come


def test_a_row_that_was_edited_before_it_was_signed_is_not_signed(
    journal: SqliteJournal, folder: Path, tmp_path: Path, starts: Starts, capsys: pytest.CaptureFixture[str]
) -> None:
    thread = starts(OFTEN)
    until(lambda: size(folder) == 0)
    for slot in range(1, 6):
        journal.append([a_verdict(slot)])
    Sealed(folder, copy=tmp_path / "elsewhere").edit("UPDATE journal SET slot = 77 WHERE seq = 2")

    thread.follow(5)

    until(lambda: "row 2: hash_broken" in capsys.readouterr().out)
    assert size(folder) == 0


@pytest.mark.parametrize("copy_to", ["$NOWHERE/proof", "STATE/rail-03/copies"])
def test_a_second_place_that_is_none_is_refused(folder: Path, copy_to: str) -> None:
    table = load_station("rail-03").model_dump(mode="json", exclude_none=True)
    table["proof"]["copy_to"] = copy_to.replace("STATE", str(folder.parent))

    with pytest.raises(ConfigError, match=r"rail-03\.proof\.copy_to"):
        parse_station(table, at="rail-03")
