"""Learning rate and loss balance over a run (AnomalySeg §3.1 and §3.2); pure functions of the step."""

from math import cos, pi

BALANCE_END = 0.05  # "a small value" of §3.2


def rate(step: int, *, warmup: int, total: int, peak: float, final: float) -> float:
    """Linear from 0 to `peak` in `warmup` steps, then a cosine that reaches `final` at the last step."""
    if step < warmup:
        return peak * step / warmup
    span = max(total - 1 - warmup, 1)
    done = min((step - warmup) / span, 1.0)
    return final + (peak - final) * 0.5 * (1 + cos(pi * done))


def balance(step: int, *, total: int) -> float:
    """Lambda of eq. 10: from 1 in a straight line to a small value."""
    return 1 + (BALANCE_END - 1) * min(step / max(total - 1, 1), 1.0)
