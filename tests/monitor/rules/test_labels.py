"""A label comes in its turn: a net proposes, A looks, B looks again, somebody decides; and which of them counts."""

from typing import Any

import pytest

from monitor.labels import BORDERLINE, GOOD, Label, State
from monitor.messages import Outcome
from monitor.rules.labels import next_state, refusal, settled

PASS, REJECT, NONE = Outcome.PASS, Outcome.REJECT, Outcome.NOT_INSPECTED


def a_label(state: State = State.CONFIRMED, label: str = "squat", by: str = "ann", **facts: Any) -> Label:
    known: dict[str, Any] = {"region": None, "size_mm": None, "blind": False, "trial": 1} | facts
    return Label(id="0" * 32, state=state, reviewer=by, label=label, **known)


PROPOSED = a_label(State.PROPOSED, by="net-8")
FIRST = a_label()
SECOND = a_label(State.SECOND_LOOK, by="ben")
LAST = a_label(State.ADJUDICATED, by="cy")


@pytest.mark.parametrize(
    ("before", "said", "outcome"),
    [
        pytest.param([], PROPOSED, REJECT, id="nothing-then-proposed"),
        pytest.param([], FIRST, REJECT, id="a-verdict-is-a-proposal"),
        pytest.param([PROPOSED], FIRST, PASS, id="proposed-then-confirmed"),
        pytest.param([PROPOSED], a_label(State.CORRECTED, "dent"), REJECT, id="proposed-then-corrected"),
        pytest.param([PROPOSED], a_label(State.REJECTED, GOOD), REJECT, id="proposed-then-rejected"),
        pytest.param([], a_label(State.CONFIRMED, GOOD), PASS, id="a-pass-confirmed"),
        pytest.param([], a_label(State.CONFIRMED, BORDERLINE), PASS, id="borderline-confirms-a-pass"),
        pytest.param([], a_label(State.CONFIRMED, BORDERLINE), REJECT, id="and-a-reject"),
        pytest.param([], a_label(State.CORRECTED, "squat"), NONE, id="not-inspected-is-corrected"),
        pytest.param([], a_label(region=1), PASS, id="a-region-is-a-proposed-defect"),
        pytest.param([FIRST], a_label(State.REJECTED, GOOD), REJECT, id="the-first-thinks-again"),
        pytest.param([FIRST], SECOND, REJECT, id="confirmed-then-second-look"),
        pytest.param([a_label(State.CORRECTED, "dent")], SECOND, REJECT, id="corrected-then-second-look"),
        pytest.param([a_label(State.REJECTED, GOOD)], SECOND, REJECT, id="rejected-then-second-look"),
        pytest.param([FIRST], a_label(State.SECOND_LOOK, blind=True, trial=2), REJECT, id="the-same-again-but-blind"),
        pytest.param([FIRST, SECOND], a_label(State.SECOND_LOOK, by="cy"), REJECT, id="a-third"),
        pytest.param([FIRST, SECOND], LAST, REJECT, id="second-look-then-adjudicated"),
        pytest.param([FIRST, SECOND, LAST], a_label(State.ADJUDICATED, GOOD), REJECT, id="adjudicated-anew"),
    ],
)
def test_what_may_follow(before: list[Label], said: Label, outcome: Outcome) -> None:
    assert refusal(before, said, outcome) is None


@pytest.mark.parametrize(
    ("before", "said", "outcome", "why"),
    [
        pytest.param([FIRST], PROPOSED, REJECT, "ann has looked at it already", id="proposed-too-late"),
        pytest.param([FIRST], a_label(by="ben"), REJECT, "second_look would be right", id="confirmed-by-another"),
        pytest.param([], SECOND, REJECT, "nobody has looked at it yet", id="second-look-first"),
        pytest.param([PROPOSED], SECOND, REJECT, "nobody has looked at it yet", id="second-look-at-a-proposal"),
        pytest.param([FIRST], a_label(State.SECOND_LOOK), REJECT, "another's, or blind", id="second-look-at-ones-own"),
        pytest.param([FIRST], LAST, REJECT, "second_look comes before", id="adjudicated-without-a-second"),
        pytest.param([FIRST, SECOND, LAST], FIRST, REJECT, "it is adjudicated", id="confirmed-after-the-end"),
        pytest.param([FIRST, SECOND, LAST], SECOND, REJECT, "it is adjudicated", id="second-look-after-the-end"),
        pytest.param([], a_label(State.CONFIRMED, "squat"), PASS, "corrected would be right", id="confirms-a-pass"),
        pytest.param([], a_label(State.CONFIRMED, GOOD), REJECT, "rejected would be right", id="confirms-a-reject"),
        pytest.param([PROPOSED], a_label(State.CONFIRMED, "dent"), REJECT, "corrected", id="another-type"),
        pytest.param([], a_label(State.CONFIRMED, "squat"), NONE, "nothing to confirm", id="confirms-nothing"),
        pytest.param([], a_label(State.REJECTED, "squat"), REJECT, "there is nothing", id="rejects-with-a-defect"),
        pytest.param([], a_label(State.REJECTED, GOOD), PASS, "proposed no defect", id="rejects-a-pass"),
        pytest.param([], a_label(State.REJECTED, GOOD), NONE, "proposed no defect", id="rejects-nothing"),
        pytest.param([], a_label(State.CORRECTED, GOOD), PASS, "confirmed would be right", id="corrects-to-the-same"),
    ],
)
def test_what_may_not_follow_says_what_would_be_right(
    before: list[Label], said: Label, outcome: Outcome, why: str
) -> None:
    assert why in (refusal(before, said, outcome) or "")


@pytest.mark.parametrize(
    ("before", "said", "outcome", "state"),
    [
        pytest.param([], a_label(label=GOOD), PASS, State.CONFIRMED, id="a-pass-is-good"),
        pytest.param([], a_label(label="squat"), PASS, State.CORRECTED, id="a-pass-is-not"),
        pytest.param([], a_label(label="squat"), REJECT, State.CONFIRMED, id="a-reject-is-a-defect"),
        pytest.param([], a_label(label=GOOD), REJECT, State.REJECTED, id="a-reject-is-good"),
        pytest.param([], a_label(label=GOOD), NONE, State.CORRECTED, id="not-inspected-and-good"),
        pytest.param([], a_label(label=BORDERLINE), NONE, State.CORRECTED, id="not-inspected-and-borderline"),
        pytest.param([FIRST], a_label(label=GOOD), REJECT, State.REJECTED, id="the-first-again"),
        pytest.param([FIRST], a_label(by="ben"), REJECT, State.SECOND_LOOK, id="another"),
        pytest.param([FIRST], a_label(blind=True, trial=2), REJECT, State.SECOND_LOOK, id="another-trial"),
    ],
)
def test_a_label_without_a_state_gets_the_one_that_may_follow(
    before: list[Label], said: Label, outcome: Outcome, state: State
) -> None:
    assert next_state(before, said, outcome) is state
    assert refusal(before, a_label(state, said.label, said.reviewer, blind=said.blind), outcome) is None


@pytest.mark.parametrize(
    ("labels", "counts"),
    [
        pytest.param([], None, id="nobody"),
        pytest.param([PROPOSED], None, id="a-net-alone-is-no-truth"),
        pytest.param([PROPOSED, FIRST], FIRST, id="the-first-look"),
        pytest.param(
            [FIRST, a_label(State.REJECTED, GOOD)], a_label(State.REJECTED, GOOD), id="what-the-first-said-last"
        ),
        pytest.param([FIRST, SECOND], SECOND, id="two-agree"),
        pytest.param(
            [FIRST, a_label(State.SECOND_LOOK, "dent", "ben")],
            a_label(State.SECOND_LOOK, "dent", "ben"),
            id="types-may-differ",
        ),
        pytest.param([FIRST, a_label(State.SECOND_LOOK, GOOD, "ben")], None, id="two-differ"),
        pytest.param(
            [FIRST, a_label(State.SECOND_LOOK, GOOD, blind=True, trial=2)], None, id="one-differs-with-oneself"
        ),
        pytest.param([FIRST, a_label(State.SECOND_LOOK, GOOD, "ben"), LAST], LAST, id="until-somebody-decides"),
    ],
)
def test_which_label_counts(labels: list[Label], counts: Label | None) -> None:
    assert settled(labels) == counts
