"""How a trigger ends, and why: the closed sets that rows, messages and PLCs share."""

from enum import StrEnum


class Outcome(StrEnum):
    """How a trigger ended."""

    PASS = "PASS"  # noqa: S105 - an outcome
    REJECT = "REJECT"
    NOT_INSPECTED = "NOT_INSPECTED"


class Reason(StrEnum):
    """Why a part was not inspected. A PLC's code is the position: append, never rename."""

    NO_CAMERA = "no_camera"
    UNREADABLE = "unreadable"
    WRONG_FORMAT = "wrong_format"
    WRONG_SIZE = "wrong_size"
    INCOMPLETE = "incomplete"
    CORRUPT = "corrupt"
    FROZEN = "frozen"
    DARK = "dark"
    SATURATED = "saturated"
    BLURRED = "blurred"
    OVERLOAD = "overload"
    NO_WORKER = "no_worker"
    NO_ANSWER = "no_answer"
    MODEL_NAN = "model_nan"
    MODEL_REFUSED = "model_refused"
    POISON = "poison"
    LATE = "late"
    RECOVERED = "recovered"
    HELD = "held"
    UNRECONCILED = "unreconciled"  # the camera's count and the PLC's disagree: nobody knows which part this shows


class Gate(StrEnum):
    """What the gate did with a part."""

    RELEASED = "released"
    REJECTED = "rejected"
    NONE = "none"  # the station has no gate
