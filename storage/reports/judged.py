"""Parts as the line judged them, beside what people say that they truly are; what reports of labels rest on.

A frame is defective where its label says so, or that of one of its regions; it is good where its label says so, or
where each of its regions turned out to be none. A part is what its own label says; without one it is defective where
one of its frames is, and good where all are. Labels that do not agree count nowhere until somebody adjudicates.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from monitor.labels import Label, is_defective
from monitor.messages import Outcome
from monitor.rules.labels import settled
from storage.label_questions import Said, Seen
from storage.reader import camera_of
from storage.report_questions import Period
from storage.reports.asked import Asked

Subject = tuple[str | None, int | None]  # frame, region; of one part


class Truth(StrEnum):
    GOOD = "good"
    DEFECTIVE = "defective"
    BORDERLINE = "borderline"  # nobody can be blamed either way
    DISPUTED = "disputed"


class JudgedPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part with a label; of its frames those of the period."""

    slot: int
    frames: tuple[Seen, ...]
    labels: dict[Subject, list[Label]]

    @property
    def outcome(self) -> Outcome:
        """The worst of its frames."""
        return worst(each.outcome for each in self.frames)

    @property
    def truth(self) -> Truth | None:
        """None: nobody has said enough."""
        if own := self._said(None, None):
            return own
        truths = [self.truth_of(frame) for frame in self.frames]
        return _all_of(truths)

    def truth_of(self, frame: Seen) -> Truth | None:
        regions = [self._said(frame.frame, number) for number in range(1, frame.regions + 1)]
        whole = self._said(frame.frame, None)
        if Truth.DEFECTIVE in {whole, *regions}:
            return Truth.DEFECTIVE
        return whole or (_all_of(regions) if regions else None)

    def _said(self, frame: str | None, region: int | None) -> Truth | None:
        labels = self.labels.get((frame, region))
        if not labels:
            return None
        return truth_of_label(settled(labels))


def labelled_parts(asked: Asked, period: Period) -> list[JudgedPart]:
    """Of what was captured in this period. Of one camera, labels of whole parts are left out: they are of all faces."""
    camera, labels = asked.options.camera, asked.snapshot.labels
    seen, said = labels.seen(period), labels.within(period)
    if camera is not None:
        seen = [each for each in seen if each.camera == camera]
        said = [each for each in said if each.frame is not None and camera_of(each.frame) == camera]
    return judged_parts(seen, said)


def judged_parts(seen: Iterable[Seen], said: Iterable[Said]) -> list[JudgedPart]:
    """The labelled parts, in the order of their slots."""
    frames: dict[int, list[Seen]] = {}
    for each in seen:
        frames.setdefault(each.slot, []).append(each)
    labels: dict[int, dict[Subject, list[Label]]] = {}
    for one in said:
        labels.setdefault(one.slot, {}).setdefault((one.frame, one.label.region), []).append(one.label)
    return [
        JudgedPart(slot=slot, frames=tuple(frames[slot]), labels=labels[slot])
        for slot in sorted(frames.keys() & labels.keys())
    ]


def truth_of_label(label: Label | None) -> Truth:
    """Of the label that counts; None: those who looked do not agree."""
    if label is None:
        return Truth.DISPUTED
    match is_defective(label.label):
        case True:
            return Truth.DEFECTIVE
        case False:
            return Truth.GOOD
        case None:
            return Truth.BORDERLINE


def worst(outcomes: Iterable[str]) -> Outcome:
    """A part is what the strictest of its frames is."""
    found = set(outcomes)
    return next(each for each in (Outcome.REJECT, Outcome.NOT_INSPECTED, Outcome.PASS) if each in found)


def _all_of(truths: Sequence[Truth | None]) -> Truth | None:
    """One defect makes it defective; good it is only where all are known to be."""
    for one in (Truth.DEFECTIVE, Truth.DISPUTED):
        if one in truths:
            return one
    if None in truths:
        return None
    return Truth.BORDERLINE if Truth.BORDERLINE in truths else Truth.GOOD
