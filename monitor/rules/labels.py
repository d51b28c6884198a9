"""Which label may follow which, and which one counts; pure.

    proposed (a net) ─▶ confirmed | corrected | rejected (reviewer A) ─▶ second_look (B, or A blind) ─▶ adjudicated

A verdict is a proposal without a row of its own, so that reviewer A may be the first. Rows are only added: A may say
something else later, and so may B. Of an adjudicated label nothing but another adjudication changes anything.
"""

from collections.abc import Sequence

from monitor.labels import BORDERLINE, GOOD, Label, State, is_defective
from monitor.messages import Outcome

FIRST = (State.CONFIRMED, State.CORRECTED, State.REJECTED)


def refusal(before: Sequence[Label], said: Label, outcome: Outcome) -> str | None:
    """Why this label may not follow those of the same frame, part or region; None where it may.

    `outcome` is that of the frame, or of the part, which the net's regions led to.
    """
    looks = [label for label in before if label.state is not State.PROPOSED]
    if said.state is State.ADJUDICATED:
        seen_twice = any(label.state is State.SECOND_LOOK for label in looks)
        return None if seen_twice else "nobody has looked a second time: second_look comes before adjudicated"
    if any(label.state is State.ADJUDICATED for label in looks):
        return "it is adjudicated: only another adjudicated label changes that"
    if said.state is State.PROPOSED:
        return f"{looks[0].reviewer} has looked at it already: proposed comes before that" if looks else None
    if said.state is State.SECOND_LOOK:
        return _second_refused(looks, said)
    if others := [label.reviewer for label in looks if label.reviewer != said.reviewer]:
        return f"{others[0]} has looked at it already: second_look would be right"
    return _first_refused(said, _proposal(before, said, outcome))


def next_state(before: Sequence[Label], said: Label, outcome: Outcome) -> State:
    """The state of a label that names none: the first look against the verdict, or a second look."""
    looks = [label for label in before if label.state is not State.PROPOSED]
    if any(label.reviewer != said.reviewer for label in looks) or (looks and said.blind and said.trial > 1):
        return State.SECOND_LOOK
    proposed = _proposal(before, said, outcome)
    if _same(proposed, said):
        return State.CONFIRMED
    return State.REJECTED if proposed not in {None, GOOD} and said.label == GOOD else State.CORRECTED


def settled(labels: Sequence[Label]) -> Label | None:
    """The label that counts: the last adjudicated one, or the last, where all who looked agree whether it is good.

    None where nobody has looked, or they do not agree.
    """
    if final := [label for label in labels if label.state is State.ADJUDICATED]:
        return final[-1]
    last = {(each.reviewer, each.trial): each for each in labels if each.state is not State.PROPOSED}
    if len({is_defective(label.label) for label in last.values()}) != 1:
        return None
    return list(last.values())[-1]


DEFECT = ""  # a proposal of a defect of no type


def _proposal(before: Sequence[Label], said: Label, outcome: Outcome) -> str | None:
    """What a net has said of it: `GOOD`, a type, or `DEFECT`; None: nothing, it was not inspected."""
    if proposed := [label.label for label in before if label.state is State.PROPOSED]:
        return proposed[-1]
    if said.region is not None or outcome is Outcome.REJECT:
        return DEFECT
    return GOOD if outcome is Outcome.PASS else None


def _same(proposed: str | None, said: Label) -> bool:
    if said.label == BORDERLINE:  # either way was right
        return proposed is not None
    return said.label != GOOD if proposed == DEFECT else said.label == proposed


def _first_refused(said: Label, proposed: str | None) -> str | None:
    match said.state:
        case State.CONFIRMED if proposed is None:
            return "it was not inspected: there is nothing to confirm; corrected would be right"
        case State.CONFIRMED if not _same(proposed, said):
            right = State.REJECTED if said.label == GOOD else State.CORRECTED
            return f"{said.label!r} is not what the line said ({_text(proposed)}): {right} would be right"
        case State.REJECTED if said.label != GOOD:
            return f"rejected says that there is nothing, and the label is {said.label!r}: corrected would be right"
        case State.REJECTED if proposed is None or proposed == GOOD:
            return f"the line proposed no defect ({_text(proposed)}): there is nothing to reject"
        case State.CORRECTED if proposed == GOOD and said.label == GOOD:
            return "it is what the line said: confirmed would be right"
    return None


def _second_refused(looks: list[Label], said: Label) -> str | None:
    if not looks:
        return "nobody has looked at it yet: confirmed, corrected or rejected comes first"
    if looks[0].reviewer == said.reviewer and not said.blind:
        return f"{said.reviewer} looked first: a second look is another's, or blind"
    return None


def _text(proposed: str | None) -> str:
    return "a defect" if proposed == DEFECT else proposed or "nothing"
