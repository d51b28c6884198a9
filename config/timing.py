"""The time budget of a station with a belt, and the arithmetic that refuses an impossible one."""

from config.station import Station

FPS_MARGIN = 1.1  # workers must carry a tenth more than the belt brings, or a backlog never empties


def budget_rows(station: Station) -> list[tuple[str, float]]:
    """(stage, ms) in the direction frames flow; empty without a belt."""
    if station.budget is None:
        return []
    return [(stage.removesuffix("_ms"), ms) for stage, ms in station.budget.model_dump().items()]


def verdict_due_ms(station: Station) -> float:
    """From trigger to the moment an open part is given up, ms: what actuation needs is left. 0 without a belt."""
    if station.belt is None or station.budget is None:
        return 0.0
    return station.belt.way_ms - station.budget.actuation_ms


def budget_problem(station: Station) -> tuple[str, str] | None:
    """(dotted key, arithmetic) when the stages, or a second attempt, cannot fit the way to the gate."""
    belt, budget = station.belt, station.budget
    if belt is None or budget is None:
        return None
    rows = budget_rows(station)
    total = sum(ms for _, ms in rows)
    way = f"{belt.camera_to_gate_mm:g} mm / {belt.speed_mm_s:g} mm/s = {belt.way_ms:.0f} ms to the gate"
    if total > belt.way_ms:
        return "budget", f"{' + '.join(f'{stage} {ms:g}' for stage, ms in rows)} = {total:g} ms, but {way}"
    if station.leases.lease_ms + budget.inference_ms + budget.decision_ms + budget.actuation_ms > belt.way_ms:
        return "leases.lease_ms", (
            f"a lost lease of {station.leases.lease_ms:g} ms, then inference {budget.inference_ms:g} + decision "
            f"{budget.decision_ms:g} + actuation {budget.actuation_ms:g} ms leave no time for a second attempt: {way}"
        )
    if belt.pitch_counts < 1 or belt.way_counts < 1:
        return "belt.counts_per_mm", f"{belt.counts_per_mm:g} counts/mm cannot tell one part from the next"
    carried = station.workers * 1000 / budget.inference_ms
    needed = FPS_MARGIN * belt.parts_per_s * len(station.cameras)
    if carried < needed:
        return "budget.inference_ms", (
            f"{station.workers} workers / {budget.inference_ms:g} ms = {carried:.2f} frames/s, but "
            f"{len(station.cameras)} cameras × {belt.parts_per_s:g} parts/s × {FPS_MARGIN:g} = {needed:.2f}: "
            f"take more workers, a faster net or a slower belt"
        )
    return None


def transit_text(station: Station) -> str:
    """What a station without an encoder must say at start; empty where there is one, or no belt."""
    if station.belt is None or station.belt.encoder:
        return ""
    return (
        f"no encoder: parts are due {station.belt.way_ms:.0f} ms after their trigger, whatever the belt does; "
        f"a stop or another speed between lens and gate is not seen"
    )
