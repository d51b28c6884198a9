"""Every moment lies in one shift, whatever the clock does, and a station may say when they begin."""

from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from config.shifts import Shifts

VIENNA = Shifts(begin=("06:00", "14:00", "22:00"), zone="Europe/Vienna")


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("shifts", "at", "begin", "end"),
    [
        pytest.param(Shifts(), "2026-09-21T13:59:59", "2026-09-21T06:00", "2026-09-21T14:00", id="early"),
        pytest.param(Shifts(), "2026-09-21T14:00", "2026-09-21T14:00", "2026-09-21T22:00", id="begins"),
        pytest.param(Shifts(), "2026-09-22T02:00", "2026-09-21T22:00", "2026-09-22T06:00", id="over-midnight"),
        pytest.param(Shifts(begin=("07:30",)), "2026-09-22T02:00", "2026-09-21T07:30", "2026-09-22T07:30", id="one"),
        pytest.param(VIENNA, "2026-07-01T04:00", "2026-07-01T04:00", "2026-07-01T12:00", id="summer"),
        pytest.param(VIENNA, "2026-10-25T00:30", "2026-10-24T20:00", "2026-10-25T05:00", id="row-74-nine-hours"),
        pytest.param(VIENNA, "2026-03-29T00:30", "2026-03-28T21:00", "2026-03-29T04:00", id="row-74-seven-hours"),
    ],
)
def test_a_moment_lies_in_its_shift(shifts: Shifts, at: str, begin: str, end: str) -> None:
    assert shifts.around(ns(at)) == (ns(begin), ns(end))


def test_a_shift_has_a_day_and_a_number() -> None:
    assert VIENNA.period(date(2026, 9, 21), 3) == (ns("2026-09-21T20:00"), ns("2026-09-22T04:00"))


@pytest.mark.parametrize(
    ("table", "says"),
    [
        pytest.param({"begin": ["6:00"]}, "not a time of day", id="no-time"),
        pytest.param({"begin": ["14:00", "06:00"]}, "not in order", id="order"),
        pytest.param({"begin": ["06:00", "06:00"]}, "given twice", id="twice"),
        pytest.param({"zone": "Mars/Olympus"}, "not a time zone", id="no-zone"),
        pytest.param({"zone": "../../etc/passwd"}, "not a time zone", id="no-path"),
    ],
)
def test_what_is_no_shift_is_refused(table: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Shifts.model_validate(table)
