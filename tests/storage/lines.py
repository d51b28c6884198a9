"""Lines to verify: a state folder as a line that has stopped leaves it."""

import json
from pathlib import Path

from sqlalchemy import create_engine

from config.loader import load_station
from config.station import Station
from monitor.messages import Gate, Outcome, Reason
from monitor.rows import Entry
from storage.audit import AuditStore
from storage.database import audit_url
from storage.images import ImageStore
from storage.journal import journal_files, open_journal
from storage.live import LiveStore
from storage.reader import JournalReader
from storage.verify import Report, verify
from tests.storage.builders import a_correction, a_png, a_region, a_run, a_verdict, an_actuated, sha256_of
from tests.storage.conftest import Valkey
from tests.storage.test_journal import edit

CROP, MASK, WHOLE = a_png(1), a_png(2), a_png(3)
PICTURES = {sha256_of(png): png for png in (CROP, MASK, WHOLE)}
PARTS = {1: "released", 2: "rejected", 3: "rejected", 4: "rejected", 5: "released"}  # slot → gate
RAIL_03 = load_station("rail-03")


def sound_rows() -> list[Entry]:
    """Parts 1 and 5 passed, 2 was rejected, 3 was dark, the PASS of 4 came too late."""
    return [
        a_run(first_slots={"head": 1}),
        a_verdict(1),  # row 2
        a_verdict(2, Outcome.REJECT, area_mm2=60.0, regions=(a_region(60.0, CROP, MASK),), picture=WHOLE),
        a_verdict(3, Outcome.NOT_INSPECTED, Reason.DARK),
        a_verdict(4),  # row 5
        an_actuated(1),
        an_actuated(2, Gate.REJECTED),
        an_actuated(3, Gate.REJECTED),
        an_actuated(4, Gate.REJECTED, late_ms=3.0),
        a_correction(4, 5),
        a_verdict(5),  # row 11
        an_actuated(5),
    ]


class Line:
    """The state folder of a line that has stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, rows: list[Entry], *, parts: dict[int, str] | None = None, torn: str = "") -> None:
        with open_journal(self.folder) as journal:
            for row in rows:
                journal.append([row], PICTURES)
        lines = [{"slot": slot, "trigger_count": slot, "gate": gate} for slot, gate in (parts or PARTS).items()]
        (self.folder / "twin.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + torn)

    def project(self, valkey: Valkey | None = None) -> None:
        with JournalReader(self.folder) as reader:
            images = ImageStore(self.folder, reader.attachment)
            images.open()
            audit = AuditStore(audit_url(self.folder), "rail-03")
            for store in (images, audit):
                store.project(reader.rows(0))
            audit.close()
            if valkey is not None:
                live = LiveStore(
                    valkey.url,
                    "rail-03",
                    RAIL_03.live,
                    row=lambda seq: next(iter(reader.rows(seq - 1, 1)), None),
                    picture=reader.attachment,
                )
                live.project(reader.rows(0))
                live.close()
        with open_journal(self.folder) as journal:
            journal.prune(journal.head()[0])

    def journal(self, *statements: str) -> None:
        edit(journal_files(self.folder / "journal")[0], *statements)

    def audit(self, statement: str) -> None:
        engine = create_engine(audit_url(self.folder))
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def image(self, png: bytes) -> Path:
        return ImageStore(self.folder).path(sha256_of(png))

    def verify(self, live_url: str | None = None, station: Station = RAIL_03) -> Report:
        return verify(station, live_url)


def faults(report: Report) -> list[tuple[str, str]]:
    return sorted({(finding.store, finding.fault.value) for finding in report.rows})
