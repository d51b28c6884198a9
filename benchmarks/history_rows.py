"""A year of a line that never was: verdicts as the journal has them, drawn from a seed."""

import math
import random
from collections.abc import Iterator

from config.loader import load_station
from config.station import Station
from monitor.labels import GOOD, Label, State
from monitor.labels import LABELLED as SAID
from monitor.messages import Gate, Outcome, Reason
from monitor.rows import ActuatedBody, CorrectionBody, Entry, Kind, PersonBody, RegionRow, RunBody, VerdictBody

STATION = "rail-03"
CAMERAS = ("head", "web", "foot")
ZONES = (None, None, "running-surface", "gauge-corner")
BEGIN = 1_767_225_600_000_000_000  # 2026-01-01, ns
YEAR_NS = 365 * 86_400_000_000_000
REJECTED, UNFIT, SPECK, CORRECTED = 0.02, 0.004, 0.01, 0.0005  # shares of verdicts; a speck is below the limits
WHY = (Reason.DARK, Reason.BLURRED, Reason.NO_ANSWER, Reason.LATE)
WIDTH, HEIGHT = 160, 1000  # px
MM2_PER_PX = 0.225
MODELS = ("ab" * 32, "cd" * 32)  # changed in the middle of the year
STARTS = 52  # of the line, a week apart
LABELLED = 3000  # parts of the year that somebody has looked at, about
GOOD_PARTS = 0.2  # of those that are labelled, the share that was drawn from all; the others carry a region


def year_of_rows(inspections: int, *, seed: int = 0) -> Iterator[Entry]:
    """Starts of the line, and each part: a verdict by each camera, the gate's word, now and then a correction, and
    what an inspector says of it."""
    draw = random.Random(seed)
    config = station().model_dump_json()
    parts = math.ceil(inspections / len(CAMERAS))
    apart = YEAR_NS // max(1, inspections // len(CAMERAS))
    seq, started = 0, -1
    for part in range(parts):
        at = BEGIN + part * apart + draw.randrange(max(1, apart // 4))
        if (week := part * STARTS // parts) != started:
            started, seq = week, seq + 1
            yield _run(week, at, part, config)
        model = MODELS[2 * part * apart > YEAR_NS]
        outcomes = []
        for camera in CAMERAS[: inspections - part * len(CAMERAS)]:
            seq += 1
            verdict = _verdict(draw, part, camera, at, model, _named(week))
            outcomes.append((seq, verdict))
            yield verdict
        passed = all(each.outcome is Outcome.PASS for _, each in outcomes)
        seq += 1
        yield _gate(draw, part, at, passed, _named(week))
        for corrects, verdict in outcomes if draw.random() < CORRECTED * len(CAMERAS) else ():
            seq += 1
            yield _correction(part, corrects, verdict, at, _named(week))
        for verdict in _looked_at(draw, [verdict for _, verdict in outcomes], parts):
            seq += 1
            yield _label(draw, verdict, part, at)


def station() -> Station:
    """Whose year it is: the rail station with three cameras."""
    loaded = load_station(STATION)
    cameras = tuple(loaded.cameras[0].model_copy(update={"name": name}) for name in CAMERAS)
    return loaded.model_copy(update={"cameras": cameras})


def _looked_at(draw: random.Random, verdicts: list[Entry], parts: int) -> list[Entry]:
    """The verdict of this part that is labelled, if any: mostly of those with a region."""
    found = [each for each in verdicts if isinstance(each.body, VerdictBody) and each.body.regions]
    often = min(1.0, LABELLED / parts)
    if found:
        return found[:1] if draw.random() < (1 - GOOD_PARTS) * often / (REJECTED + SPECK) / len(CAMERAS) else []
    return verdicts[:1] if draw.random() < GOOD_PARTS * often else []


def _verdict(draw: random.Random, part: int, camera: str, at: int, model: str, run: str) -> Entry:  # noqa: PLR0917
    ending = draw.random()
    outcome, reason = Outcome.PASS, None
    regions: tuple[RegionRow, ...] = ()
    if ending < UNFIT:
        outcome, reason = Outcome.NOT_INSPECTED, draw.choice(WHY)
    elif ending < UNFIT + REJECTED:
        outcome, regions = Outcome.REJECT, tuple(_region(draw, 120.0) for _ in range(1 + int(draw.expovariate(1.5))))
    elif ending < UNFIT + REJECTED + SPECK:
        regions = (_region(draw, 8.0),)
    seen = outcome is not Outcome.NOT_INSPECTED
    areas = [region.area_mm2 or 0.0 for region in regions]
    latency_ms = draw.lognormvariate(4.0, 0.35)
    body = VerdictBody(
        run=run,
        camera=camera,
        trigger_count=part,
        captured_at=at,
        decided_at=at + int(latency_ms * 1e6),
        at_count=part * 5000,
        source="",
        width=WIDTH,
        height=HEIGHT,
        model_sha256=model,
        config_sha256="ef" * 32,
        software="line-monitor 0.1.0",
        policy={"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2},
        score=draw.betavariate(9, 1) if regions else draw.betavariate(1, 20) if seen else None,
        severity=max(areas, default=0.0) / 40.0 if seen else None,
        grey=bool(regions) and draw.random() < 0.1,
        area_px=sum(region.area_px for region in regions) if seen else None,
        area_mm2=sum(areas) if seen else None,
        largest_mm2=max(areas, default=0.0) if seen else None,
        regions=regions,
        measures={
            "mean_level": round(draw.gauss(118, 4), 6),
            "contrast_level": round(draw.gauss(22, 2), 6),
            "focus_ratio": round(draw.gauss(0.3, 0.02), 6),
        },
        attempt=1,
        worker="inference-0",
        inference_ms=latency_ms * 0.7 if seen else None,
        latency_ms=latency_ms,
        zone=draw.choice(ZONES) if regions else None,
    )
    frame = f"{STATION}/{camera}/1/{part:06d}"
    return Entry(kind=Kind.VERDICT, frame=frame, slot=part, outcome=outcome, reason=reason, body=body)


def _region(draw: random.Random, middle_mm2: float) -> RegionRow:
    """More of them near the edge of the rail, and along a roll's circumference."""
    area_px = max(1, int(draw.lognormvariate(math.log(middle_mm2), 0.9) / MM2_PER_PX))
    side = min(WIDTH // 2, max(1, int(area_px**0.5)))
    x = int(draw.betavariate(2, 5) * (WIDTH - side))
    y = int(draw.random() * (HEIGHT - side)) if draw.random() < 0.7 else int(draw.gauss(400, 15))
    sha256 = f"{draw.getrandbits(256):064x}"
    return RegionRow(
        x=x,
        y=y,
        width=side,
        height=side,
        area_px=area_px,
        area_mm2=area_px * MM2_PER_PX,
        score=draw.betavariate(9, 1),
        crop_box=(max(0, x - 16), max(0, y - 16), side + 32, side + 32),
        crop_sha256=sha256,
        mask_sha256=sha256[::-1],
        zone=draw.choice(ZONES),
    )


def _gate(draw: random.Random, part: int, at: int, passed: bool, run: str) -> Entry:
    gate, commanded = (Gate.RELEASED, Outcome.PASS) if passed else (Gate.REJECTED, Outcome.REJECT)
    late_ms = draw.expovariate(0.05) if draw.random() < 0.0002 else 0.0
    body = ActuatedBody(
        run=run,
        gate=gate,
        commanded=commanded,
        at_count=part * 5000 + 60_000,
        late_ms=late_ms,
        at=at + 2_400_000_000,
    )
    return Entry(kind=Kind.ACTUATED, frame=None, slot=part, outcome=commanded, reason=None, body=body)


def _correction(part: int, corrects: int, verdict: Entry, at: int, run: str) -> Entry:
    body = CorrectionBody(run=run, corrects=corrects, decided_at=at + 3_000_000_000)
    outcome, reason = Outcome.NOT_INSPECTED, Reason.LATE
    return Entry(kind=Kind.CORRECTION, frame=verdict.frame, slot=part, outcome=outcome, reason=reason, body=body)


def _label(draw: random.Random, verdict: Entry, part: int, at: int) -> Entry:
    """An inspector finds what is large enough, mostly."""
    area_mm2 = (verdict.body.area_mm2 or 0.0) if isinstance(verdict.body, VerdictBody) else 0.0
    defective = draw.random() < 1 / (1 + math.exp(-(area_mm2 - 30.0) / 12.0))
    label = Label(
        id=f"{draw.getrandbits(128):032x}",
        state=State.CONFIRMED if defective == (verdict.outcome is Outcome.REJECT) else State.CORRECTED,
        reviewer=draw.choice(("ana", "ben")),
        label="scratch" if defective else GOOD,
        region=None,
        size_mm=round(max(0.1, math.sqrt(area_mm2)), 2) if defective else None,
        blind=True,
        trial=1,
    )
    body = PersonBody(who="ana", what=SAID, why="review", old="", new=label.label, at=at + 60_000_000_000, label=label)
    return Entry(kind=Kind.PERSON, frame=verdict.frame, slot=part, outcome=None, reason=None, body=body)


def _named(week: int) -> str:
    """The run of this week."""
    return f"20260101T000000Z-{week + 1}"


def _run(week: int, at: int, first_slot: int, config: str) -> Entry:
    body = RunBody(
        run=_named(week),
        started_at=at,
        software="line-monitor 0.1.0",
        config_sha256="ef" * 32,
        config=config,
        model_name="anomalyseg-8",
        model_sha256=MODELS[2 * week >= STARTS],
        engine="openvino",
        first_slots=dict.fromkeys(CAMERAS, first_slot),
        recovered=0,
    )
    return Entry(kind=Kind.RUN, frame=None, slot=None, outcome=None, reason=None, body=body)
