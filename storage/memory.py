"""What a starting decision must know of earlier starts, read from the journal. Implements `monitor.recovery.Memory`."""

from pathlib import Path

from monitor.recovery import OpenPart, OpenVerdict
from monitor.rows import AlarmBody, PersonBody, RunBody, VerdictBody, read_body
from monitor.rules.alarms import LATCHED
from storage.proof.rotations import unrecorded_rotations
from storage.reader import JournalReader, camera_of

ACKNOWLEDGED = "alarm.acknowledge"


class JournalMemory:
    """Reads once, at start."""

    def __init__(self, folder: Path, cameras: tuple[str, ...]) -> None:
        with JournalReader(folder) as reader:
            runs = [body for _, body in reader.runs()]
            self._runs, self._last_run = {body.run for body in runs}, runs[-1] if runs else None
            self._last = reader.last_slots(cameras)
            self._missing = reader.missing_slots()
            self._parts = reader.open_parts()
            self._standing = standing_alarms(reader)
            self._unrecorded = unrecorded_rotations(folder, reader)

    def has_run(self, run: str) -> bool:
        return run in self._runs

    def missing_slots(self, camera: str) -> tuple[list[int], int]:
        return self._missing.get(camera, []), self._last.get(camera, 0)

    def standing_alarms(self) -> list[AlarmBody]:
        return self._standing

    def last_run(self) -> RunBody | None:
        return self._last_run

    def unrecorded(self) -> list[PersonBody]:
        return list(self._unrecorded)

    def open_parts(self) -> list[OpenPart]:
        parts = []
        for slot, verdicts in self._parts.items():
            at_counts = [body.at_count for row, _ in verdicts if isinstance(body := read_body(row), VerdictBody)]
            said = tuple(
                OpenVerdict(
                    seq=row.seq,
                    frame=row.frame or "",
                    camera=camera_of(row.frame or ""),
                    outcome=outcome,
                    reason=row.reason,
                )
                for row, outcome in verdicts
            )
            parts.append(OpenPart(slot=slot, at_count=at_counts[0] if at_counts else None, verdicts=said))
        return parts


def standing_alarms(reader: JournalReader) -> list[AlarmBody]:
    """Latched alarms that nobody has acknowledged, oldest first."""
    standing: dict[str, AlarmBody] = {}
    for _, body in reader.alarms_and_people():
        match body:
            case AlarmBody() if body.level in LATCHED:
                standing[body.key] = body
            case PersonBody() if body.what == ACKNOWLEDGED:
                for key in body.old.splitlines():
                    standing.pop(key, None)
    return list(standing.values())
