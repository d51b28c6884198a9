"""A purge is right where its row stands: nothing that came between the plan and the row expires by it."""

import pytest

from monitor.messages import Outcome
from monitor.retention import HoldChange, LegalHold, Purging
from monitor.retention_book import RetentionBook
from monitor.rows import Entry, Kind, PurgeBody, VerdictBody
from tests.storage.builders import a_png, a_verdict, sha256_of

A, B = a_png(1), a_png(2)
HOLD = HoldChange(hold=LegalHold(id="f" * 32, slot=1), lifts=False, who="kim", why="claim", at=1)


def a_purging(*pngs: bytes, through: int, number: int = 1) -> Purging:
    pictures = tuple(sha256_of(png) for png in pngs)
    return Purging(id=f"{number:032x}", by="kim", why="", policy={}, through=through, at=5, pictures=pictures)


def wrote(book: RetentionBook, entries: list[Entry], *, first: int) -> None:
    book.wrote(entries, range(first, first + len(entries)))


def purged(book: RetentionBook) -> list[tuple[str, ...]]:
    return [row.body.pictures for row in book.tombstones() if isinstance(row.body, PurgeBody)]


@pytest.fixture
def book() -> RetentionBook:
    """Of a decision that began behind row 10, and has written a verdict with picture A as row 11."""
    book = RetentionBook()
    wrote(book, [a_verdict(1, Outcome.REJECT, picture=A)], first=11)
    return book


def test_what_is_due_becomes_one_row_however_often_it_is_said(book: RetentionBook) -> None:
    for _ in range(3):
        assert book.hear(a_purging(A, B, through=11)) == []

    assert purged(book) == [tuple(sorted(map(sha256_of, (A, B))))]
    assert purged(book) == []


def test_a_picture_that_a_later_row_names_stays(book: RetentionBook) -> None:
    wrote(book, [a_verdict(2, Outcome.REJECT, picture=A)], first=12)

    book.hear(a_purging(A, B, through=11))

    assert purged(book) == [(sha256_of(B),)]


def test_a_purge_of_nothing_but_such_pictures_leaves_no_row(book: RetentionBook) -> None:
    wrote(book, [a_verdict(2, Outcome.REJECT, picture=A)], first=12)

    book.hear(a_purging(A, through=11))

    assert purged(book) == []


def test_a_hold_that_came_after_the_plan_stops_it(book: RetentionBook) -> None:
    rows = book.hear(HOLD)
    wrote(book, rows, first=12)

    book.hear(a_purging(A, through=11))
    before = purged(book)
    book.hear(a_purging(A, through=12, number=2))

    assert [row.kind for row in rows] == [Kind.PERSON]
    assert before == []
    assert purged(book) == [(sha256_of(A),)]


@pytest.mark.parametrize("through", [0, 9])
def test_a_plan_from_before_this_decision_began_is_made_again(book: RetentionBook, through: int) -> None:
    book.hear(a_purging(B, through=through))

    assert purged(book) == []


def test_before_its_first_row_a_decision_knows_nothing() -> None:
    book = RetentionBook()

    book.hear(a_purging(B, through=10**6))

    assert purged(book) == []


def test_what_it_no_longer_remembers_it_does_not_purge() -> None:
    book = RetentionBook(named_most=1)
    wrote(book, [a_verdict(1, picture=A), a_verdict(2, picture=B)], first=11)

    book.hear(a_purging(A, through=10))
    forgotten = purged(book)
    book.hear(a_purging(A, through=11, number=2))

    assert forgotten == []
    assert purged(book) == [(sha256_of(A),)]


class Trusting(RetentionBook):
    """The guard taken out: what later rows name is not looked at."""

    def _name(self, body: VerdictBody, seq: int) -> None:
        """It believes the plan."""


def test_without_looking_at_later_rows_a_young_picture_would_go() -> None:
    book = Trusting()
    wrote(book, [a_verdict(1, picture=A), a_verdict(2, Outcome.REJECT, picture=A)], first=11)

    book.hear(a_purging(A, through=11))

    assert purged(book) == [(sha256_of(A),)]


def test_a_hold_and_its_end_are_one_row_each(book: RetentionBook) -> None:
    lifted = HoldChange(hold=HOLD.hold, lifts=True, who="ann", why="settled", at=2)

    rows = [row for said in (HOLD, HOLD, lifted, lifted) for row in book.hear(said)]

    assert len(rows) == 2
