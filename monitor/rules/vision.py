"""The vision state machine of OPC 40100-1, as far as a line has use for it; pure.

    Preoperational ──▶ Operational ─────────────────────────────────┐
      ▲  ▲   │           Initialized ─▶ Ready ◀──▶ SingleExecution  │
      │  │   ▼                            ▲ ◀────▶ ContinuousExecution
      │  └─ Error ◀─────────── the line is held ────────────────────┘
      └──── Halted                                   (never entered)

A line inspects every part on the belt, whatever a client says: a job is what a client is *told* of. While one is open,
each part is reported in it; Stop closes it, and the belt runs on. So nothing here can release a part, or stop one.
States and transitions bear the names and numbers of the standard.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """Of both machines: the last four are of the automatic mode, inside Operational."""

    PREOPERATIONAL = "Preoperational"
    HALTED = "Halted"
    ERROR = "Error"
    INITIALIZED = "Initialized"
    READY = "Ready"
    SINGLE = "SingleExecution"
    CONTINUOUS = "ContinuousExecution"

    @property
    def is_operational(self) -> bool:
        return self in INNER


class Method(StrEnum):
    """What a client may call."""

    HALT = "Halt"
    RESET = "Reset"
    SELECT_AUTOMATIC = "SelectModeAutomatic"
    START_SINGLE = "StartSingleJob"
    START_CONTINUOUS = "StartContinuous"
    ABORT = "Abort"
    STOP = "Stop"


class Refusal(StrEnum):
    """Why a call has no effect; the names of OPC UA's status codes."""

    INVALID_STATE = "BadInvalidState"
    NOT_SUPPORTED = "BadNotSupported"
    INVALID_ARGUMENT = "BadInvalidArgument"


OPERATIONAL = "Operational"
INNER = (State.INITIALIZED, State.READY, State.SINGLE, State.CONTINUOUS)
OUTER_NUMBERS = {State.PREOPERATIONAL: 1, State.HALTED: 2, State.ERROR: 3}
OPERATIONAL_NUMBER = 4
NUMBERS = OUTER_NUMBERS | {State.INITIALIZED: 5, State.READY: 6, State.SINGLE: 7, State.CONTINUOUS: 8}


@dataclass(frozen=True, kw_only=True)
class Transition:
    """From one state to another; its number is that of the standard."""

    source: State
    target: State
    name: str
    number: int


def _transition(source: State, target: State, by: str = "Auto") -> Transition:
    """By itself (…Auto), by the one method that leads there (no suffix), or by one of two (…Stop, …Abort)."""
    crosses = source.is_operational != target.is_operational
    left = OPERATIONAL if crosses and source.is_operational else source
    number = (OPERATIONAL_NUMBER if left == OPERATIONAL else NUMBERS[source]) * 100 + NUMBERS[target] * 10
    nth = {"Auto": 0, "": 1, "Stop": 1, "Abort": 2}[by]
    return Transition(source=source, target=target, name=f"{left}To{target}{by}", number=number + nth)


_ON_GO = (
    _transition(State.PREOPERATIONAL, State.INITIALIZED),
    _transition(State.INITIALIZED, State.READY),
    _transition(State.READY, State.CONTINUOUS),
)
TRANSITIONS: tuple[Transition, ...] = (
    *_ON_GO,
    _transition(State.PREOPERATIONAL, State.INITIALIZED, ""),
    _transition(State.PREOPERATIONAL, State.ERROR),
    _transition(State.ERROR, State.PREOPERATIONAL, ""),
    _transition(State.READY, State.SINGLE, ""),
    _transition(State.READY, State.CONTINUOUS, ""),
    _transition(State.SINGLE, State.READY),
    *(_transition(state, State.READY, by) for state in (State.SINGLE, State.CONTINUOUS) for by in ("Stop", "Abort")),
    _transition(State.CONTINUOUS, State.READY),
    *(_transition(state, State.PREOPERATIONAL, "") for state in INNER),
    *(_transition(state, State.ERROR) for state in INNER),
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a client opened, or the line itself; results name it."""

    job_id: str
    meas_id: str = ""
    part_id: str = ""  # of the client's: a single job's, whatever the slot
    product_id: str = ""


class Refused(Exception):
    """A call without effect."""

    def __init__(self, refusal: Refusal, why: str) -> None:
        super().__init__(why)
        self.refusal = refusal


@dataclass(kw_only=True)
class VisionStates:
    """Both machines. What happened is drained by `moved`."""

    run: str  # begins each job's number
    recipe: str  # the model's SHA-256: the one recipe there is
    state: State = State.PREOPERATIONAL
    job: Job | None = None
    goes: bool = False  # the line's processes are ready
    held: str = ""  # until a person has looked
    _jobs: int = 0
    _moved: list[Transition] = field(default_factory=list)

    def line_goes(self) -> None:
        """Everyone is ready: the line opens a job of its own, so that who only listens hears of each part."""
        self.goes = True
        if self.state is State.PREOPERATIONAL and not self.held:
            for transition in _ON_GO:
                self._move(transition.target)
            self._open(Job(job_id=""))

    def line_stops(self) -> None:
        """No more triggers; parts that are on the belt still belong to the job."""
        self.goes = False

    def line_held(self, reason: str) -> None:
        self.held = reason
        if self.state not in (State.ERROR, State.HALTED):
            self._move(State.ERROR)

    def call(self, method: Method, *, meas_id: str = "", part_id: str = "", recipe: str = "", product: str = "") -> str:
        """Does what the method says, and returns the number of the job it opened, or nothing; else Refused."""
        match method:
            case Method.HALT:
                raise Refused(Refusal.NOT_SUPPORTED, "a line is halted where it stands, not from afar")
            case Method.RESET:  # always possible, by the standard
                if self.state is not State.PREOPERATIONAL:
                    self._move(State.PREOPERATIONAL, "")
                if self.held:
                    self._move(State.ERROR)  # a hold is for a person at the line to end
            case Method.SELECT_AUTOMATIC:
                if self.state is not State.PREOPERATIONAL or not self.goes:
                    raise Refused(
                        Refusal.INVALID_STATE, f"{self.state}, and the line {'runs' if self.goes else 'rests'}"
                    )
                self._move(State.INITIALIZED, "")
                self._move(State.READY)  # the recipe is the model, and that is loaded
            case Method.START_SINGLE | Method.START_CONTINUOUS:
                if self.state is not State.READY:
                    raise Refused(Refusal.INVALID_STATE, f"{self.state}, not {State.READY}")
                if recipe not in ("", self.recipe):
                    raise Refused(Refusal.INVALID_ARGUMENT, f"recipe {recipe!r} is not the model {self.recipe}")
                self._move(State.SINGLE if method is Method.START_SINGLE else State.CONTINUOUS, "")
                return self._open(Job(job_id="", meas_id=meas_id, part_id=part_id, product_id=product))
            case Method.STOP | Method.ABORT:
                if self.state not in (State.SINGLE, State.CONTINUOUS):
                    raise Refused(Refusal.INVALID_STATE, f"{self.state} has no job")
                self._move(State.READY, str(method))
        return ""

    def part_done(self) -> Job | None:
        """A part has met the gate: the job in which it is reported, if one is open. A single job ends with it."""
        job = self.job
        if self.state is State.SINGLE:
            self._move(State.READY)
        return job

    def moved(self) -> list[Transition]:
        """What happened since, in order."""
        moved, self._moved = self._moved, []
        return moved

    def _open(self, job: Job) -> str:
        self._jobs += 1
        self.job = Job(
            job_id=f"{self.run}-{self._jobs}", meas_id=job.meas_id, part_id=job.part_id, product_id=job.product_id
        )
        return self.job.job_id

    def _move(self, target: State, by: str = "Auto") -> None:
        transition = _transition(self.state, target, by)
        if transition not in TRANSITIONS:
            raise ValueError(f"{transition.name} is no transition of this machine")
        self.state = target
        self._moved.append(transition)
        if target not in (State.SINGLE, State.CONTINUOUS):
            self.job = None
