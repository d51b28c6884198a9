"""The time budget of a station with a belt, and the arithmetic that refuses an impossible one."""

from config.actuators import PlcBase
from config.cameras import GigeCamera
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


def triggers_by_plc(station: Station) -> bool:
    """Whether a PLC that is none of ours counts the triggers."""
    return isinstance(station.actuator, PlcBase) and station.twin is None


def following_cameras(station: Station) -> dict[str, float]:
    """Cameras that count for themselves beside a PLC, and the ms in which a trigger's frame must have come."""
    if station.belt is None or station.budget is None:
        return {}
    return {each.name: station.budget.capture_ms for each in station.cameras if isinstance(each, GigeCamera)}


def reconciling_ms(station: Station) -> float:
    """The longest that a frame waits until its camera's count and the PLC's were compared, ms; 0 where neither counts.

    A window after the trigger for the frame, one after the frame, and two looks at the PLC around them.
    """
    if not following_cameras(station) or not isinstance(station.actuator, PlcBase) or station.budget is None:
        return 0.0
    return 2 * station.budget.capture_ms + 2 * station.actuator.cycle_ms


def budget_problem(station: Station) -> tuple[str, str] | None:
    """(dotted key, arithmetic) when the stages, or a second attempt, cannot fit the way to the gate."""
    belt, budget = station.belt, station.budget
    if belt is None or budget is None:
        return None
    rows = budget_rows(station)
    quiet_ms = reconciling_ms(station)
    if quiet_ms:
        rows.append(("reconciling", quiet_ms))
    total = sum(ms for _, ms in rows)
    way = f"{belt.camera_to_gate_mm:g} mm / {belt.speed_mm_s:g} mm/s = {belt.way_ms:.0f} ms to the gate"
    if total > belt.way_ms:
        return "budget", f"{' + '.join(f'{stage} {ms:g}' for stage, ms in rows)} = {total:g} ms, but {way}"
    if station.leases.lease_ms + budget.inference_ms + budget.decision_ms + budget.actuation_ms > belt.way_ms:
        return "leases.lease_ms", (
            f"a lost lease of {station.leases.lease_ms:g} ms, then inference {budget.inference_ms:g} + decision "
            f"{budget.decision_ms:g} + actuation {budget.actuation_ms:g} ms leave no time for a second attempt: {way}"
        )
    pitch_ms = 1000 / belt.parts_per_s
    if quiet_ms > pitch_ms:
        return "budget.capture_ms", (
            f"2 × {budget.capture_ms:g} ms for a frame to come + 2 × a cycle of the PLC = {quiet_ms:g} ms, but a part "
            f"comes every {pitch_ms:g} ms: there is no quiet moment to compare the camera's count with the PLC's"
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
