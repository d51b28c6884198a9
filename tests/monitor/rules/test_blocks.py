"""Every block that a camera sent is a row: those that came, and those that its ids say are lost."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rules.blocks import GAP_MOST, WRAP, lost_between


def without_a_wrap(last: int, now: int) -> list[int] | None:
    """The guard taken out: ids that only ever grow."""
    return list(range(last + 1, now))


def unbounded(last: int, now: int) -> list[int] | None:
    """The guard taken out: any jump is a gap."""
    return list(range(last + 1, now)) if now > last else [*range(last + 1, WRAP + 1), *range(1, now)]


def ids_of(first: int, count: int) -> list[int]:
    """16-bit ids as a camera gives them: zero is skipped."""
    return [(first - 1 + n) % WRAP + 1 for n in range(count)]


def rows(ids: list[int], came: list[bool], rule: Callable[[int, int], list[int] | None]) -> list[int]:
    """The blocks that have a row, up to the last that came."""
    last, told = ids[0] - 1 or WRAP, []
    for each, here in zip(ids, came, strict=True):
        if here:
            told += [*(rule(last, each) or []), each]
            last = each
    return told


@given(first=st.integers(1, WRAP), came=st.lists(st.booleans(), min_size=1, max_size=300))
def test_every_block_sent_has_one_row_across_the_wrap(first: int, came: list[bool]) -> None:
    ids = ids_of(first, len(came))
    sent = ids[: max((n for n, here in enumerate(came) if here), default=-1) + 1]

    assert rows(ids, came, lost_between) == sent


def test_without_the_wrap_rows_are_missing() -> None:
    ids = ids_of(WRAP - 2, 6)
    came = [True, False, False, False, True, True]

    assert rows(ids, came, without_a_wrap) != ids
    assert rows(ids, came, lost_between) == ids


@pytest.mark.parametrize(
    ("last", "now", "lost"),
    [
        pytest.param(0, 1, [], id="first"),
        pytest.param(0, 3, [1, 2], id="first-ones-lost"),
        pytest.param(4, 5, [], id="next"),
        pytest.param(4, 7, [5, 6], id="gap"),
        pytest.param(4, 4, [], id="again"),
        pytest.param(WRAP, 1, [], id="wrap"),
        pytest.param(WRAP - 1, 2, [WRAP, 1], id="gap-over-the-wrap"),
        pytest.param(70_000, 70_003, [70_001, 70_002], id="64-bit-gap"),
        pytest.param(WRAP, WRAP + 1, [], id="64-bit-has-no-wrap"),
        pytest.param(70_000, 1, None, id="64-bit-began-anew"),
        pytest.param(500, 1, None, id="began-anew"),
        pytest.param(0, 5000, None, id="did-not-begin-at-1"),
        pytest.param(10, 2**63, None, id="a-jump-of-ages"),
    ],
)
def test_what_the_ids_tell(last: int, now: int, lost: list[int] | None) -> None:
    assert lost_between(last, now) == lost


@given(last=st.integers(0, 2**64 - 1), now=st.integers(0, 2**64 - 1))
def test_no_jump_makes_more_rows_than_a_link_can_lose(last: int, now: int) -> None:
    assert len(lost_between(last, now) or []) <= GAP_MOST


def test_without_the_bound_a_restart_is_a_gap_of_thousands() -> None:
    assert len(unbounded(500, 1) or []) > GAP_MOST
