"""docs/plc.md says what line and simulated PLC go by, to the register."""

from pathlib import Path

import pytest

from benchmarks.plc_page import filled
from monitor.actuators import registers
from monitor.rules.handshake import ACTED_KEPT

PAGE = (Path(__file__).resolve().parents[2] / "docs/plc.md").read_text()


def test_the_page_is_up_to_date() -> None:
    assert filled(PAGE) == PAGE


def test_a_page_that_fell_behind_is_seen() -> None:
    behind = PAGE.replace("| 13 | `result_ack` |", "| 12 | `result_ack` |")

    assert behind != PAGE
    assert filled(behind) == PAGE


@pytest.mark.parametrize(
    "says",
    [
        f"at offset {registers.LINE_AT}: the line writes",
        f"from offset {registers.RESULTS_AT}",
        f"at offset {registers.ACTED_AT}: {ACTED_KEPT} entries of {registers.ACTED_WORDS} registers",
    ],
)
def test_headings_name_the_offsets(says: str) -> None:
    assert says in PAGE


def test_a_mark_that_is_gone_is_an_error() -> None:
    with pytest.raises(ValueError, match="must each stand once"):
        filled(PAGE.replace("<!-- /plc -->", ""))
