"""What a starting decision must know of earlier starts, read from the journal. Implements `monitor.recovery.Memory`."""

from pathlib import Path

from monitor.recovery import OpenPass
from monitor.rows import VerdictBody, read_body
from storage.reader import JournalReader


class JournalMemory:
    """Reads once, at start."""

    def __init__(self, folder: Path, cameras: tuple[str, ...]) -> None:
        with JournalReader(folder) as reader:
            self._runs = {body.run for _, body in reader.runs()}
            self._last = reader.last_slots(cameras)
            self._missing = reader.missing_slots()
            self._passes = reader.open_passes()
        self._cameras = len(cameras)

    def has_run(self, run: str) -> bool:
        return run in self._runs

    def missing_slots(self, camera: str) -> tuple[list[int], int]:
        return self._missing.get(camera, []), self._last.get(camera, 0)

    def open_passes(self) -> list[OpenPass]:
        """Only of parts that every camera has passed: a camera that has not spoken yet may still say no."""
        found = []
        for part in self._passes:
            if len(part.verdicts) < self._cameras:
                continue
            for row in part.verdicts:
                body = read_body(row)
                if isinstance(body, VerdictBody):
                    found.append(
                        OpenPass(
                            seq=row.seq,
                            frame=row.frame or "",
                            camera=body.camera,
                            slot=part.slot,
                            at_count=body.at_count,
                        )
                    )
        return found
