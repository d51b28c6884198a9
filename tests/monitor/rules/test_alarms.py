"""An alarm is raised at its limit, said once, and stays until a person has looked where it must."""

from collections.abc import Callable

import pytest

from config.alarms import After, Alarms, InARow, ShareOf, Within
from monitor.messages import Outcome, Reason
from monitor.rules.alarms import Board

S = 1_000_000_000
ALARMS = Alarms(
    rejects_in_a_row=InARow(level="hold", parts=3),
    reject_rate=ShareOf(level="warn", above_share=0.5, of_parts=10),
    unfit_in_a_row=InARow(level="hold", parts=4),
    no_trigger=After(level="warn", after_s=5.0),
    late=Within(level="reject", parts=2, within_s=10.0),
    quiet_s=30.0,
)


def names(board: Board) -> list[str]:
    return [called.name for called in board.raised()]


def rejects(board: Board, outcomes: str) -> None:
    for n, letter in enumerate(outcomes):
        board.part(Outcome.PASS if letter == "p" else Outcome.REJECT, n * S)


@pytest.mark.parametrize(
    ("outcomes", "raised"),
    [
        pytest.param("rrprr", [], id="interrupted"),
        pytest.param("rrr", ["rejects.in_a_row"], id="at-the-limit"),
        pytest.param("rrrrrr", ["rejects.in_a_row"], id="said-once"),
        pytest.param("rprprprprp", [], id="at-the-share"),
        pytest.param("rrprprprrp", ["rejects.rate"], id="above-the-share"),
    ],
)
def test_row_57_a_storm_of_rejects_calls_a_person(outcomes: str, raised: list[str]) -> None:
    board = Board(alarms=ALARMS)

    rejects(board, outcomes)

    assert names(board) == raised


def test_row_57_without_the_rule_a_storm_goes_on_unsaid() -> None:
    board = Board(alarms=Alarms())

    rejects(board, "r" * 1000)

    assert names(board) == []
    assert board.level is None


def test_row_6_frames_that_are_unfit_one_after_the_other_hold_the_line() -> None:
    board = Board(alarms=ALARMS)

    for reason in (Reason.DARK, Reason.DARK, Reason.BLURRED):
        board.frame("head", reason, 0)
    board.frame("web", Reason.DARK, 0)
    assert board.level is None
    board.frame("head", Reason.NO_CAMERA, 0)

    assert [(called.name, called.about) for called in board.raised()] == [("camera.unfit", "head")]
    assert board.level == "hold"


@pytest.mark.parametrize("between", [None, Reason.NO_ANSWER], ids=["judged", "no-answer"])
def test_a_frame_that_was_fit_begins_the_count_anew(between: Reason | None) -> None:
    board = Board(alarms=ALARMS)

    for reason in (Reason.DARK, Reason.DARK, Reason.DARK, between, Reason.DARK):
        board.frame("head", reason, 0)

    assert names(board) == []


def test_no_trigger_is_missed_on_a_belt_that_stands() -> None:
    board = Board(alarms=ALARMS)

    for second in range(100):
        board.counted(7, moving=False, now_ns=second * S)
    standing = names(board)
    for second in range(100, 107):
        board.counted(7, moving=True, now_ns=second * S)

    assert standing == []
    assert names(board) == ["trigger.none"]


def test_row_56_late_dispositions_within_the_time_stop_all_passes_until_acknowledged() -> None:
    board = Board(alarms=ALARMS)

    board.late(1, "", 0)
    board.late(2, "", 11 * S)
    assert names(board) == []
    board.late(3, "", 12 * S)

    assert names(board) == ["disposition.late"]
    assert board.level == "reject"
    assert board.acknowledge("no such key") == []
    assert board.acknowledge("disposition.late/slot 3") == ["disposition.late/slot 3"]
    assert board.level is None


@pytest.mark.parametrize(
    ("level", "stands"),
    [
        pytest.param("warn", False, id="warn"),
        pytest.param("reject", True, id="reject"),
        pytest.param("hold", True, id="hold"),
    ],
)
def test_what_a_person_must_look_at_stands_until_then(level: str, stands: bool) -> None:
    board = Board(alarms=ALARMS)

    board.call("x", "y", level, "", 0)  # type: ignore[arg-type]
    board.raised()
    board.call("x", "y", level, "", 1000 * S)  # type: ignore[arg-type]

    assert bool(board.standing) is stands
    assert bool(names(board)) is not stands  # what stands is not said again


def test_an_alarm_that_comes_and_goes_is_said_once_in_its_time() -> None:
    board = Board(alarms=ALARMS)

    for second in range(0, 61, 10):
        board.call("light.drift", "head", "warn", "", second * S)

    assert len(names(board)) == 3  # at 0, 30 and 60 s


def test_the_gravest_level_counts() -> None:
    board = Board(alarms=ALARMS)
    calls: list[Callable[[], None]] = [
        lambda: board.call("a", "", "reject", "", 0),
        lambda: board.call("b", "", "hold", "", 0),
    ]

    levels = []
    for call in calls:
        call()
        levels.append(board.level)
    board.acknowledge("b/")

    assert levels == ["reject", "hold"]
    assert board.level == "reject"
