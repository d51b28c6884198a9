"""Who judged what how: the line, each inspector in each trial, and the reference; what agreement is worked out from."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.labels import TWIN, Label, State, is_defective
from monitor.messages import Outcome
from storage.reports.judged import JudgedPart

SYSTEM = "the line"
Unit = tuple[int, str | None]  # slot and frame, or the whole part: what was labelled is what is compared
Calls = dict[Unit, bool]  # True: rejected


@dataclass
class Judgements:
    """Calls by unit."""

    system: Calls = field(default_factory=dict)
    inspectors: dict[str, dict[int, Calls]] = field(default_factory=dict)  # by name and trial
    reference: Calls = field(default_factory=dict)
    blind: int = 0  # calls of inspectors that did not know the verdict
    seeing: int = 0  # that may have
    uninspected: int = 0  # units that the line has not judged
    borderline: int = 0  # calls left out
    of_regions: int = 0  # labels left out: they are no call on a part

    def first(self, name: str) -> Calls:
        """An appraiser's calls in the first trial."""
        return self.system if name == SYSTEM else self.inspectors[name][min(self.inspectors[name])]


def judgements(parts: Iterable[JudgedPart]) -> Judgements:
    """An adjudicated label is the reference, and so is the twin's where nobody has adjudicated."""
    found = Judgements()
    for part in parts:
        for (frame, region), labels in part.labels.items():
            if region is not None:
                found.of_regions += len(labels)
                continue
            outcome = next((each.outcome for each in part.frames if each.frame == frame), str(part.outcome))
            if outcome == Outcome.NOT_INSPECTED:
                found.uninspected += 1
            else:
                found.system[part.slot, frame] = outcome == Outcome.REJECT
            for label in sorted(labels, key=lambda each: each.state is State.ADJUDICATED):  # that one is the last word
                _take(found, (part.slot, frame), label)
    return found


def _take(found: Judgements, unit: Unit, label: Label) -> None:
    defective = is_defective(label.label)
    if label.state is State.PROPOSED:
        return
    if label.state is State.ADJUDICATED or label.reviewer == TWIN:
        if defective is None:
            found.borderline += 1
            found.reference.pop(unit, None)
        else:
            found.reference[unit] = defective
        return
    if defective is None:
        found.borderline += 1
        return
    found.blind += label.blind
    found.seeing += not label.blind
    found.inspectors.setdefault(label.reviewer, {}).setdefault(label.trial, {})[unit] = defective
