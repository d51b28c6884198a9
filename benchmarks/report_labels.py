"""What two inspectors and an expert say of a twin's day, made up from a seed: errors, sizes, disputes."""

import math
import random
from collections.abc import Iterator, Sequence

from monitor.label_book import labelled
from monitor.labels import GOOD, Label, Saying, State
from monitor.messages import Outcome
from monitor.rows import Entry, VerdictBody

MINUTE = 60_000_000_000
REVIEWED = {Outcome.PASS: 0.12, Outcome.REJECT: 0.35}  # share of the parts that ended so, drawn by chance
WRONG = {"A. Huber": 0.03, "B. Lang": 0.07}  # share of an inspector's calls
TWICE = 0.6  # share of them that the second looks at too
MEASURED = 0.2  # relative error of a size
TYPES = ("squat", "spall", "dent")


def labels_of(day: Sequence[Entry]) -> Iterator[Entry]:
    """Of parts that were inspected; what is truly defective is what has its limit or more."""
    luck = random.Random(5)
    for entry in day:
        body = entry.body
        if not isinstance(body, VerdictBody) or body.severity is None or entry.outcome is None:
            continue
        if luck.random() >= REVIEWED[entry.outcome]:
            continue
        at, size = body.captured_at + 90 * MINUTE, _size(body, luck)
        first, second = ((body.severity >= 1) != (luck.random() < wrong) for wrong in WRONG.values())
        yield _said(entry, "A. Huber", _first_state(first, entry.outcome), bad=first, at=at, size=size)
        if luck.random() < TWICE:
            yield _said(entry, "B. Lang", State.SECOND_LOOK, bad=second, at=at + MINUTE)
            if first != second or luck.random() < 0.5:
                yield _said(entry, "C. Ebner", State.ADJUDICATED, bad=body.severity >= 1, at=at + 2 * MINUTE)


def _first_state(bad: bool, outcome: Outcome) -> State:
    if bad is (outcome is Outcome.REJECT):
        return State.CONFIRMED
    return State.CORRECTED if bad else State.REJECTED


def _size(body: VerdictBody, luck: random.Random) -> float | None:
    """The diameter of a circle with the largest area, as a gauge has it."""
    if not body.largest_mm2:
        return None
    return round(math.sqrt(4 * body.largest_mm2 / math.pi) * luck.lognormvariate(0.0, MEASURED), 1)


def _said(entry: Entry, by: str, state: State, *, bad: bool, at: int, size: float | None = None) -> Entry:
    slot = entry.slot or 0
    label = Label(
        id=f"{slot:030x}{ord(by[0]):02x}",
        state=state,
        reviewer=by,
        label=TYPES[slot % len(TYPES)] if bad else GOOD,
        region=None,
        size_mm=size,
        blind=True,
        trial=1,
    )
    saying = Saying(frame=entry.frame, slot=slot, label=label, who="K. Moser", why="audit of the day", old="", at=at)
    return labelled(saying)
