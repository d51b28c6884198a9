"""Row 69: behind a journal's damaged part nothing collides: slots, frames, and what the stores had taken in of it."""

import shutil
import time
from contextlib import closing
from pathlib import Path

import pytest

from config.loader import load_station
from config.station import Live
from monitor.messages import Outcome
from storage.aside import set_aside_damaged
from storage.audit import AuditStore
from storage.follower import Follower, Opens
from storage.images import ImageStore
from storage.journal import open_journal
from storage.live import PATIENT_S, LiveStore
from storage.live_seed import open_live
from storage.memory import JournalMemory
from storage.projection import StoreForeign, begin
from storage.questions import Question
from storage.reader import JournalReader
from storage.report_questions import Period
from storage.schema import DAY_NS
from storage.standing import bring_up
from tests.storage.builders import NOON, a_correction, a_png, a_purge, a_region, a_verdict, an_actuated, sha256_of
from tests.storage.conftest import Valkey
from tests.storage.harmed import ROWS, ROWS_PER_FILE, a_sealed_line, copied, flip, sql
from tests.storage.sealed import Sealed

EDIT = sql("000003.sqlite", "UPDATE journal SET slot = 7 WHERE seq = 125")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_sealed_line(tmp_path_factory.mktemp("made"))


@pytest.fixture
def sealed(made: Path, folder: Path) -> Sealed:
    return copied(made, folder)


def test_pictures_of_sound_rows_go_on_and_slots_begin_behind_them(sealed: Sealed) -> None:
    flip("000003.sqlite")(sealed.folder / "journal")
    said = set_aside_damaged(sealed.folder)

    assert said is not None
    assert 100 < said.last_seq < ROWS
    assert JournalMemory(sealed.folder, ("head",)).missing_slots("head") == ([], said.last_seq)
    with JournalReader(sealed.folder) as reader:
        for slot in range(1, said.last_seq - 12):
            assert reader.attachment(sha256_of(a_png(slot))) == a_png(slot)


def test_sql_keeps_what_it_had_of_lost_rows_under_another_name(sealed: Sealed, url: str) -> None:
    """Counted once each: the next start closes their triggers anew, as it knows nothing of them."""
    folder = sealed.folder
    with open_journal(folder, rows_per_file=ROWS_PER_FILE) as journal:
        journal.append([a_correction(10, 10), an_actuated(150), a_correction(149, 149)])
    keep_up(folder, audit_at(url))
    EDIT(folder / "journal")
    said = set_aside_damaged(folder)
    assert said is not None
    with open_journal(folder) as journal:
        journal.append([a_verdict(slot, Outcome.REJECT) for slot in range(125, ROWS + 1)])

    keep_up(folder, audit_at(url))
    keep_up(folder, audit_at(url))

    with closing(AuditStore(url, "rail-03")) as ours:
        found = list(ours.history(Question(oldest_first=True)))
        assert [each.slot for each in found] == list(range(1, ROWS + 1))
        assert [each.outcome for each in found] == ["PASS"] * 124 + ["REJECT"] * 26
        assert counts(ours) == {"PASS": 124, "REJECT": 26}
        apart = f"rail-03~{found[-1].seq - 26}"
    with closing(AuditStore(url, apart)) as theirs:
        lost = list(theirs.history(Question(oldest_first=True)))
        assert [each.slot for each in lost] == list(range(125, ROWS + 1))
        assert counts(theirs) == {"PASS": 25, "NOT_INSPECTED": 1}


def test_what_a_lost_row_purged_is_due_again(folder: Path, url: str) -> None:
    """The pictures are gone, and no row says so: the next sweep writes a tombstone that lasts."""
    crop = sha256_of(a_png(1))
    with open_journal(folder) as journal:
        for row in (a_verdict(1, Outcome.REJECT, picture=a_png(1)), a_verdict(2), a_purge([crop])):
            journal.append([row])
    keep_up(folder, audit_at(url))
    sql("000001.sqlite", "UPDATE journal SET slot = 7 WHERE seq = 3")(folder / "journal")
    assert set_aside_damaged(folder) is not None

    keep_up(folder, audit_at(url))

    with closing(AuditStore(url, "rail-03")) as store:
        assert store.pictures.expired([(1, crop)]) == {}
        day = NOON // DAY_NS
        assert [each.sha256 for each in store.pictures.of_day(day, None)] == [crop]


def test_a_command_brings_sql_up_across_the_break_as_the_recorder_does(sealed: Sealed) -> None:
    """While the line stands: labels and retention need it."""
    folder = sealed.folder
    keep_up(folder, audit_at(f"sqlite:///{folder / 'audit.sqlite'}"))
    EDIT(folder / "journal")
    assert set_aside_damaged(folder) is not None

    assert bring_up(load_station("rail-03"), folder) == ""

    with closing(AuditStore(f"sqlite:///{folder / 'audit.sqlite'}", "rail-03")) as ours:
        assert [each.slot for each in ours.history(Question(oldest_first=True))] == list(range(1, 125))


def test_the_live_view_begins_anew_and_has_what_the_journal_has(sealed: Sealed, valkey: Valkey) -> None:
    def live(reader: JournalReader) -> LiveStore:
        return LiveStore(
            valkey.url, "rail-03", Live(), row=lambda seq: reader.rows(seq - 1, 1)[0], picture=lambda _: None
        )

    keep_up(sealed.folder, live)
    EDIT(sealed.folder / "journal")
    assert set_aside_damaged(sealed.folder) is not None
    with open_journal(sealed.folder) as journal:
        journal.append([a_verdict(slot, Outcome.REJECT) for slot in range(125, ROWS + 1)])

    keep_up(sealed.folder, live)

    with JournalReader(sealed.folder) as reader, closing(live(reader)) as store:
        found = store.snapshot(1000)
        assert found.counters == {"triggers": ROWS, "passed": 124, "rejected": 26}
        assert found.cursor == reader.head()
        assert [entry.slot for _, entry in found.entries] == [str(slot) for slot in range(ROWS, 0, -1)]


def test_a_live_view_seeded_across_the_break_goes_on_behind_its_seed(sealed: Sealed, valkey: Valkey) -> None:
    """The numbers jump by a million there: what is asked by them would be more rows than the seed counts."""
    url = f"sqlite:///{sealed.folder / 'audit.sqlite'}"
    EDIT(sealed.folder / "journal")
    assert set_aside_damaged(sealed.folder) is not None
    keep_up(sealed.folder, audit_at(url))
    with open_journal(sealed.folder) as journal:
        journal.append([a_verdict(slot, Outcome.REJECT) for slot in range(125, ROWS + 1)])
    station = load_station("rail-03").model_copy(update={"live": Live(stream_maxlen=40)})

    with (
        JournalReader(sealed.folder) as reader,
        closing(open_live(valkey.url, station, sealed.folder, reader, timeout_s=PATIENT_S)) as store,
    ):
        seeded = store.cursor()
        assert seeded is not None
        assert [seq for seq, _ in store.snapshot(1000).entries if seq > seeded.seq] == []
        store.project(reader.rows(seeded.seq))
        found = store.snapshot(1000)
        assert found.counters == {"triggers": ROWS, "passed": 124, "rejected": 26}
        assert [entry.slot for _, entry in found.entries] == [str(slot) for slot in range(ROWS, ROWS - 40, -1)]


def test_the_image_store_takes_in_what_comes_behind(sealed: Sealed) -> None:
    def images(reader: JournalReader) -> ImageStore:
        store = ImageStore(sealed.folder, reader.attachment)
        store.open()
        return store

    keep_up(sealed.folder, images)
    EDIT(sealed.folder / "journal")
    assert set_aside_damaged(sealed.folder) is not None
    crop = a_png(999)
    with open_journal(sealed.folder) as journal:
        journal.append([a_verdict(125, Outcome.REJECT, regions=(a_region(crop=crop),))], {sha256_of(crop): crop})

    keep_up(sealed.folder, images)

    assert ImageStore(sealed.folder).get(sha256_of(crop)) == crop


def test_a_cursor_of_another_journal_is_still_refused(sealed: Sealed, url: str) -> None:
    """The twin: without the row that says so, nothing tells the two apart."""
    keep_up(sealed.folder, audit_at(url))
    shutil.rmtree(sealed.folder / "journal")
    with open_journal(sealed.folder) as journal:
        journal.append([a_verdict(1)])

    with (
        JournalReader(sealed.folder) as reader,
        closing(AuditStore(url, "rail-03")) as store,
        pytest.raises(StoreForeign),
    ):
        begin(store, "audit", reader)


def counts(store: AuditStore) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in store.reports.quality(Period(0, 2**62)):
        found[each.outcome] = found.get(each.outcome, 0) + each.verdicts
    return found


def audit_at(url: str) -> Opens:
    return lambda _: AuditStore(url, "rail-03")


def keep_up(folder: Path, opens: Opens) -> None:
    """What the recorder's thread does until it has everything."""
    follower = Follower("store", folder, opens)
    with JournalReader(folder) as reader:
        follower.follow(reader.last_seq())
        follower.start()
        until_s = time.monotonic() + 10
        while follower.behind() and time.monotonic() < until_s:
            follower.follow(reader.last_seq())
            time.sleep(0.01)
        assert not follower.behind()
    follower.stop()
