"""Parts with labels, for reports whose figures are worked out by hand."""

import hashlib
from typing import Any

from monitor.label_book import labelled
from monitor.labels import Label, Saying, State
from monitor.messages import Outcome, Reason
from monitor.rows import Entry
from tests.storage.builders import a_frame, a_run
from tests.storage.reports.pages import SHIFT_0, verdict


def a_part(slot: int, outcome: Outcome = Outcome.PASS, *, areas: tuple[float, ...] = (), **facts: Any) -> Entry:
    """Captured in the early shift; facts are of the verdict's body."""
    reason = Reason.DARK if outcome is Outcome.NOT_INSPECTED else None
    return verdict(slot, outcome, at=SHIFT_0 + slot, reason=reason, areas=areas, **facts)


def a_label(
    slot: int,
    label: str = "good",
    by: str = "ann",
    *,
    state: State = State.CONFIRMED,
    whole_part: bool = False,
    camera: str = "head",
    **facts: Any,
) -> Entry:
    """Of the part's frame, or of the part."""
    known: dict[str, Any] = {"region": None, "size_mm": None, "blind": True, "trial": 1} | facts
    frame = None if whole_part else a_frame(slot, camera)
    said = hashlib.sha256(repr((slot, label, by, state, frame, known)).encode()).hexdigest()[:32]
    of = Label(id=said, state=state, reviewer=by, label=label, **known)
    return labelled(Saying(frame=frame, slot=slot, label=of, who="kim", why="", old="", at=SHIFT_0))


def a_store(*entries: list[Entry]) -> list[Entry]:
    return [a_run(started_at=SHIFT_0), *(each for some in entries for each in some)]
