"""The vision state machine moves as OPC 40100-1 lets it, whatever is called, and every part belongs to an open job."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rules import vision
from monitor.rules.vision import NUMBERS, TRANSITIONS, Job, Method, Refusal, Refused, State, VisionStates

STANDARD = {
    "PreoperationalToInitializedAuto": 150, "PreoperationalToInitialized": 151, "PreoperationalToErrorAuto": 130,
    "ErrorToPreoperational": 311, "OperationalToPreoperational": 411, "OperationalToErrorAuto": 430,
    "InitializedToReadyAuto": 560, "ReadyToSingleExecution": 671, "ReadyToContinuousExecution": 681,
    "ReadyToContinuousExecutionAuto": 680, "SingleExecutionToReadyAuto": 760, "SingleExecutionToReadyStop": 761,
    "SingleExecutionToReadyAbort": 762, "ContinuousExecutionToReadyAuto": 860, "ContinuousExecutionToReadyStop": 861,
    "ContinuousExecutionToReadyAbort": 862,
}  # fmt: skip
EVENTS = st.one_of(st.sampled_from(Method), st.sampled_from(["goes", "stops", "held", "part"]))


def states() -> VisionStates:
    return VisionStates(run="run", recipe="a" * 64)


def after(machine: VisionStates, event: str) -> str:
    """What came of it: a refusal, or nothing."""
    match event:
        case "goes":
            machine.line_goes()
        case "stops":
            machine.line_stops()
        case "held":
            machine.line_held("frozen")
        case "part":
            machine.part_done()
        case _:
            try:
                machine.call(Method(event))
            except Refused as refused:
                return refused.refusal
    return ""


def test_transitions_bear_the_standards_names_and_numbers() -> None:
    assert {transition.name: transition.number for transition in TRANSITIONS} == STANDARD


@given(st.lists(EVENTS, max_size=40))
def test_each_move_begins_where_the_last_one_ended_and_is_in_the_table(events: list[str]) -> None:
    machine = states()
    here = State.PREOPERATIONAL
    for event in events:
        refused = after(machine, event)
        moved = machine.moved()

        assert not (refused and moved)  # a call without effect has none
        for transition in moved:
            assert transition in TRANSITIONS
            assert transition.source is here
            here = transition.target
        assert machine.state is here
        assert (machine.job is not None) == (here in (State.SINGLE, State.CONTINUOUS))
        assert not (machine.held and here.is_operational)  # no client talks a held line out of its hold
        assert here is not State.HALTED


@given(st.lists(EVENTS, max_size=40))
def test_reset_can_always_be_called_and_halt_never(events: list[str]) -> None:
    machine = states()
    for event in events:
        after(machine, event)

    assert after(machine, Method.HALT) == Refusal.NOT_SUPPORTED
    assert after(machine, Method.RESET) == ""
    assert machine.state is (State.ERROR if machine.held else State.PREOPERATIONAL)


def test_a_line_that_goes_reports_each_part_in_a_job_of_its_own() -> None:
    machine = states()
    assert machine.part_done() is None

    machine.line_goes()

    assert machine.part_done() == machine.part_done() == Job(job_id="run-1")
    assert [transition.number for transition in machine.moved()] == [150, 560, 680]


def test_a_single_job_ends_with_its_part() -> None:
    machine = states()
    machine.line_goes()
    machine.call(Method.STOP)
    assert machine.part_done() is None

    job = machine.call(Method.START_SINGLE, meas_id="m", part_id="p", recipe="a" * 64, product="rail")

    assert machine.part_done() == Job(job_id=job, meas_id="m", part_id="p", product_id="rail")
    assert machine.state is State.READY
    assert machine.part_done() is None


@pytest.mark.parametrize(
    ("before", "method", "refusal"),
    [
        pytest.param([], Method.SELECT_AUTOMATIC, Refusal.INVALID_STATE, id="mode-before-the-line-runs"),
        pytest.param(["goes"], Method.START_CONTINUOUS, Refusal.INVALID_STATE, id="start-while-it-runs"),
        pytest.param(["goes", Method.STOP], Method.STOP, Refusal.INVALID_STATE, id="stop-twice"),
        pytest.param(["goes", "held"], Method.START_SINGLE, Refusal.INVALID_STATE, id="start-while-held"),
    ],
)
def test_what_does_not_fit_the_state_is_refused(before: list[str], method: Method, refusal: Refusal) -> None:
    machine = states()
    for event in before:
        after(machine, event)

    assert after(machine, method) == refusal


def test_another_recipe_than_the_model_is_refused() -> None:
    machine = states()
    machine.line_goes()
    machine.call(Method.STOP)

    with pytest.raises(Refused, match="is not the model") as refused:
        machine.call(Method.START_CONTINUOUS, recipe="b" * 64)
    assert refused.value.refusal is Refusal.INVALID_ARGUMENT


def test_a_move_that_is_not_in_the_table_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vision, "TRANSITIONS", tuple(each for each in TRANSITIONS if each.number != 680))

    with pytest.raises(ValueError, match="ReadyToContinuousExecutionAuto is no transition"):
        states().line_goes()


def test_each_state_has_a_number_of_its_own() -> None:
    assert sorted([*NUMBERS.values(), vision.OPERATIONAL_NUMBER]) == list(range(1, 9))
