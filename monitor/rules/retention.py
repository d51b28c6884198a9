"""Whether a policy keeps the pictures of a verdict any longer; pure."""

from config.retention import Retention
from monitor.messages import Outcome

DAY_NS = 86_400_000_000_000


def key_of(outcome: Outcome, *, grey: bool) -> str:
    """The key of the policy for a verdict that ended so, after corrections."""
    if outcome is Outcome.NOT_INSPECTED:
        return "not_inspected_days"
    if grey:
        return "grey_days"
    return "pass_days" if outcome is Outcome.PASS else "reject_days"


def is_due(policy: Retention, outcome: Outcome, *, grey: bool, captured_at: int, now: int) -> bool:
    """Whether its time is over; wall times, ns."""
    days: int = getattr(policy, key_of(outcome, grey=grey))
    return days > 0 and now - captured_at >= days * DAY_NS


def shortest_days(policy: Retention) -> int:
    """What is younger than this is due under no policy; 0: nothing ever is."""
    return min((days for days in policy.model_dump().values() if days), default=0)
