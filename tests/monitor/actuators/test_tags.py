"""The table of tags: what one side puts in, the other takes out, and a half-written batch is no batch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.actuators import tags
from monitor.messages import Gate, Outcome
from monitor.rules.handshake import ACTED_KEPT, RESULTS_MOST, Acted, LineStatus, Mailbox, PlcStatus, Result

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
I32 = st.integers(-(1 << 31), (1 << 31) - 1)
RESULTS = st.builds(Result, slot=U32, outcome=st.sampled_from(Outcome), reason_code=st.integers(0, 19))
MAILBOXES = st.builds(
    Mailbox, batch=st.integers(1, 0xFFFF), results=st.lists(RESULTS, min_size=1, max_size=RESULTS_MOST).map(tuple)
)
FLAG = st.booleans()


@given(
    st.builds(
        PlcStatus, map_version=st.just(1), session=U16, heartbeat=U16, ready=FLAG, held=FLAG, fault=U16, part_type=U16,
        trigger_count=U32, encoder_count=I32, counts_per_s=I32, line_heartbeat=U16, result_ack=U16, acted_count=U32,
    )
)  # fmt: skip
def test_a_status_is_read_as_it_was_said(status: PlcStatus) -> None:
    assert tags.read_status(tags.plc_values(status)) == status


@given(
    st.builds(LineStatus, heartbeat=U16, ready=FLAG, busy=FLAG, hold=FLAG, fault=FLAG, hold_code=U16, last_slot=U32),
    MAILBOXES,
)
def test_a_batch_is_read_as_it_was_written(line: LineStatus, mailbox: Mailbox) -> None:
    values = tags.line_values(line, mailbox)

    assert (tags.read_line(values), tags.read_mailbox(values)) == (line, mailbox)


@given(st.integers(1, 1 << 20), st.integers(1, ACTED_KEPT), I32, st.sampled_from([Gate.RELEASED, Gate.REJECTED]))
def test_the_ring_is_read_as_it_was_filled(first: int, count: int, at_count: int, gate: Gate) -> None:
    entries = [
        Acted(n=n, slot=n + 7, ordered=None, gate=gate, seen=None, at_count=at_count, late_ms=3.0)
        for n in range(first, first + count)
    ]

    assert tags.read_acted(range(first, first + count), tags.acted_values(entries)) == entries


@given(MAILBOXES, MAILBOXES, st.integers(1, tags.MAILBOX_WORDS - 1), st.booleans())
def test_a_batch_copied_in_part_is_no_batch(old: Mailbox, new: Mailbox, cut: int, from_front: bool) -> None:
    """Whichever end the server begins at: as long as the numbers differ, nothing is taken in."""
    before, after = tags.mailbox_words(old), tags.mailbox_words(new)
    half = [*after[:cut], *before[cut:]] if from_front else [*before[:cut], *after[cut:]]

    found = tags.read_mailbox({"LineMailbox": half})

    assert found is None or (old.batch == new.batch) or found in (old, new)


def test_without_the_number_at_the_end_half_a_batch_would_be_taken_for_a_whole() -> None:
    old = Mailbox(batch=1, results=(Result(slot=1, outcome=Outcome.PASS, reason_code=0),) * 2)
    new = Mailbox(batch=2, results=(Result(slot=9, outcome=Outcome.REJECT, reason_code=0),) * 2)
    half = [*tags.mailbox_words(new)[:5], *tags.mailbox_words(old)[5:]]
    assert tags.read_mailbox({"LineMailbox": half}) is None

    unguarded = tags.read_mailbox({"LineMailbox": [*half[:-1], half[0]]})

    assert unguarded is not None
    assert [result.slot for result in unguarded.results] == [9, 1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([1, 25, *[0] * (tags.MAILBOX_WORDS - 3), 1], "count is 25", id="count"),
        pytest.param([1, 1, 7, 0, 0, *[0] * (tags.MAILBOX_WORDS - 6), 1], "outcome of slot 7 is 0", id="no-outcome"),
        pytest.param([1, 1, 7, 9, 0, *[0] * (tags.MAILBOX_WORDS - 6), 1], "outcome is 9", id="outcome"),
        pytest.param([1, 0, 1], "has 3 values; it must have 75", id="short"),
    ],
)
def test_what_no_line_writes_is_refused(words: list[int], said: str) -> None:
    with pytest.raises(tags.TagError, match=said):
        tags.read_mailbox({"LineMailbox": words})


def test_tags_have_names_of_their_own() -> None:
    names = [tag.name for tag in (*tags.PLC_TAGS, *tags.ACTED_TAGS, *tags.LINE_TAGS, tags.MAILBOX)]

    assert len(names) == len(set(names))
    assert {"PlcTriggerCount", "PlcCountsPerS", "ActedN", "ActedAtCount", "LineLastSlot", "LineMailbox"} <= set(names)
