"""Each verdict's pictures are kept as long as the policy says for one that ended so, and 0 is for ever."""

from pathlib import Path

import pytest

from config.retention import Retention
from monitor.messages import Outcome
from monitor.rules.retention import DAY_NS, is_due, shortest_days

POLICY = Retention(pass_days=1, reject_days=20, grey_days=300, not_inspected_days=0)
CAPTURED = 1000 * DAY_NS


@pytest.mark.parametrize(
    ("outcome", "grey", "days"),
    [
        pytest.param(Outcome.PASS, False, 1, id="pass"),
        pytest.param(Outcome.REJECT, False, 20, id="reject"),
        pytest.param(Outcome.REJECT, True, 300, id="rejected-in-the-grey-band"),
        pytest.param(Outcome.PASS, True, 300, id="passed-in-the-grey-band"),
    ],
)
def test_a_picture_is_due_on_the_day_and_not_before(outcome: Outcome, grey: bool, days: int) -> None:
    over = CAPTURED + days * DAY_NS

    assert not is_due(POLICY, outcome, grey=grey, captured_at=CAPTURED, now=over - 1)
    assert is_due(POLICY, outcome, grey=grey, captured_at=CAPTURED, now=over)


@pytest.mark.parametrize("grey", [False, True])
def test_0_is_for_ever(grey: bool) -> None:
    assert not is_due(POLICY, Outcome.NOT_INSPECTED, grey=grey, captured_at=0, now=10**6 * DAY_NS)


def test_what_was_captured_after_now_is_not_due() -> None:
    assert not is_due(POLICY, Outcome.PASS, grey=False, captured_at=CAPTURED, now=0)


def test_the_shortest_term_says_what_need_not_be_looked_at() -> None:
    assert shortest_days(POLICY) == 1
    assert shortest_days(Retention(pass_days=0, reject_days=0, grey_days=0, not_inspected_days=0)) == 0


def test_the_page_names_every_key_and_its_default() -> None:
    page = (Path(__file__).parents[3] / "docs/retention.md").read_text()

    said = [f"    {key} = {days} " for key, days in Retention().model_dump().items()]
    assert [line for line in said if line not in page.replace("\n", " \n")] == []
