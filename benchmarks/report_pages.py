"""The pictures of docs/reports.md: `python -m benchmarks.report_pages docs`.

Each report of a day of the twin: its parts as it draws them, judged by the station's own rules on their exact masks.
What a net, a lamp and people add is made up from a seed: times, scores, a lamp that fades, a mark on a roll, a worse
hour, a crash and a hold. The same libraries give the same bytes.
"""

import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.report_labels import labels_of
from config.alarms import Level
from config.loader import config_sha256, load_station
from config.station import Station
from config.zones import Zone
from monitor.messages import Gate, Outcome, Reason, Region
from monitor.rows import ActuatedBody, AlarmBody, Body, Entry, Kind, PersonBody, RegionRow, RunBody, VerdictBody
from monitor.rules.policy import counting, judge
from monitor.rules.regions import Mask, encode_mask, regions_of_mask
from monitor.twin.plant import surface_spec
from monitor.twin.surface import draw
from monitor.twin.truth import TruthClass
from storage.audit import AuditStore
from storage.journal import open_journal
from storage.reader import JournalReader
from storage.reports.asked import Asked, Frozen, Options
from storage.reports.catalog import REPORTS, make
from storage.reports.pdf import sheets
from storage.reports.spc import limits_of
from storage.rollups import Span

BEGIN = 1_790_056_800_000_000_000  # 2026-09-22 06:00 UTC, when a shift begins; ns
SECOND, HOUR = 1_000_000_000, 3_600_000_000_000
SECOND_SHIFT = BEGIN + 8 * HOUR
HOURS = 24
PARTS_AN_HOUR = 100
WORSE = range(18, 20)  # hours in which more parts are defective
FADES = 13  # from this hour on the lamp does
DARK = range(1545, 1552)  # parts that were too dark; then it was mended
CRASH = 900  # the part at which the line was lost
ROLL_MM = 1885.0  # circumference of the roll that has a mark, from the second shift on
SPECK_MM2 = 9.0  # of that mark: it counts, and rejects nothing
ZONES = {"gauge-corner": (0.0, 22.0), "running-surface": (22.0, 72.0)}  # mm across
NETS = ("3f" * 32, "b7" * 32)  # of the first two shifts, and of the last
OPPORTUNITIES = 50  # a part: places where a defect may lie, by agreement
POLICY = """[policy]
min_region_mm2 = 4.0
reject_region_mm2 = 40.0
reject_total_mm2 = 80.0
[zones.running-surface]
reject_region_mm2 = 55.0
"""  # of what-if
PPI = 92


@dataclass
class Day:
    """A twin's day, as its journal has it."""

    station: Station

    def __post_init__(self) -> None:
        self._draw = random.Random(3)
        self._config = config_sha256(self.station)
        self._run = "20260922T060000Z-1"

    def entries(self) -> Iterator[Entry]:
        yield self._start(BEGIN, NETS[0], recovered=0)
        for slot in range(HOURS * PARTS_AN_HOUR):
            at = BEGIN + slot * HOUR // PARTS_AN_HOUR
            if slot == CRASH:
                yield _alarm(at, "process.lost", "decision", "killed", "warn")
                yield self._start(at + 8 * SECOND, NETS[0], recovered=1)
            if slot == 16 * PARTS_AN_HOUR:
                self._run = "20260922T220000Z-2"
                yield self._start(at, NETS[1], recovered=0, reject_region=50.0)
            verdict, gate = self._part(slot, at)
            yield verdict
            yield gate
            if slot == DARK[-1]:
                yield _alarm(at + SECOND, "camera.unfit", "head", "7 frames in a row are dark", "hold")
                yield _looked(at + 400 * SECOND, "camera.unfit")

    def _part(self, slot: int, at: int) -> tuple[Entry, Entry]:
        camera, hour = self.station.cameras[0], slot // PARTS_AN_HOUR
        good = self._draw.random() < (0.45 if hour in WORSE else 0.8)  # the twin's own mix is for training
        surface = draw(surface_spec(self.station, camera), seed=3, slot=slot, wanted=TruthClass.GOOD if good else None)
        found = regions_of_mask(surface.mask, camera.calibration, camera.zones)
        regions = [found[n] for n in counting(found, self.station.policy, camera.zones)] + self._roll_mark(slot)
        reason = Reason.DARK if slot in DARK else Reason.RECOVERED if slot == CRASH else None
        judged = judge(tuple(regions), self.station.policy, camera.zones)
        outcome = Outcome.NOT_INSPECTED if reason else judged.outcome
        light = float(np.mean(surface.pixels)) - max(0.0, hour + slot % PARTS_AN_HOUR / PARTS_AN_HOUR - FADES) * 1.1
        latency_ms = self._draw.lognormvariate(4.15, 0.22) + (self._draw.expovariate(0.01) if slot % 97 == 0 else 0.0)
        seen = reason is None
        areas = [region.area_mm2 or 0.0 for region in regions] if seen else []
        body = VerdictBody(
            run=self._run,
            camera=camera.name,
            trigger_count=slot,
            captured_at=at,
            decided_at=at + int(latency_ms * 1e6),
            at_count=slot * 5000,
            source="",
            width=surface.pixels.shape[1],
            height=surface.pixels.shape[0],
            model_sha256=NETS[hour >= 16],
            config_sha256=self._config,
            software="line-monitor 0.1.0",
            policy={},
            score=self._draw.betavariate(12, 1) if areas else self._draw.betavariate(1, 30) if seen else None,
            severity=surface.severity if seen else None,
            grey=seen and 0.8 <= surface.severity <= 1.2,
            area_px=sum(region.area_px for region in regions) if seen else None,
            area_mm2=sum(areas) if seen else None,
            largest_mm2=max(areas, default=0.0) if seen else None,
            regions=tuple(map(_row, regions)) if seen else (),
            mask_rle=encode_mask(_with_mark(surface.mask, regions)) if seen and regions else b"",
            measures={"mean_level": light if reason is not Reason.DARK else 11.0},
            latency_ms=latency_ms if reason is not Reason.RECOVERED else None,
            zone=judged.zone,
        )
        frame = f"{self.station.name}/{camera.name}/1/{slot:06d}"
        verdict = Entry(kind=Kind.VERDICT, frame=frame, slot=slot, outcome=outcome, reason=reason, body=body)
        return verdict, self._gate(slot, at, outcome)

    def _gate(self, slot: int, at: int, outcome: Outcome) -> Entry:
        passed = outcome is Outcome.PASS
        late_ms = self._draw.expovariate(0.1) if self._draw.random() < 0.004 else 0.0
        body = ActuatedBody(
            run=self._run,
            gate=Gate.RELEASED if passed and not late_ms else Gate.REJECTED,
            commanded=Outcome.PASS if passed else Outcome.REJECT,
            at_count=slot * 5000 + 60_000,
            late_ms=late_ms,
            at=at + 2_400_000_000,
        )
        return Entry(kind=Kind.ACTUATED, frame=None, slot=slot, outcome=body.commanded, reason=None, body=body)

    def _roll_mark(self, slot: int) -> list[Region]:
        """The mark of a turn, where it falls on this part."""
        if slot < 8 * PARTS_AN_HOUR:
            return []
        begins_mm = slot * 500.0
        turn = int(begins_mm // ROLL_MM) + 1
        line = int((turn * ROLL_MM - begins_mm) / 0.5)
        if line >= 990:
            return []
        px = int(SPECK_MM2 / 0.225)
        zone = "running-surface"
        return [Region(x=96, y=line, width=8, height=5, area_px=px, area_mm2=SPECK_MM2, score=0.9, zones=(zone,))]

    def _start(self, at: int, net: str, *, recovered: int, reject_region: float = 40.0) -> Entry:
        config = {"policy": {"reject_region_mm2": reject_region}, "on_uninspected": "reject"}
        body = RunBody(
            run=self._run if not recovered else f"{self._run}-again",
            started_at=at,
            software="line-monitor 0.1.0",
            config_sha256=self._config,
            config=msgspec.json.encode(config).decode(),
            model_name="anomalyseg-8",
            model_sha256=net,
            engine="openvino",
            first_slots={"head": 0},
            recovered=recovered,
        )
        return _entry(Kind.RUN, body)


def write_pages(docs: Path) -> None:
    """`report-NAME.png` for each report, its first sheet."""
    station = _zoned(load_station("rail-03"))
    with tempfile.TemporaryDirectory(prefix="report-") as home:
        folder = Path(home) / station.name
        folder.mkdir()
        with open_journal(folder) as journal:
            day = list(Day(station).entries())
            labels = list(labels_of(day))
            journal.append([*day, *labels])
        store = AuditStore(f"sqlite:///{folder / 'audit.sqlite'}", station.name, station.shifts)
        with JournalReader(folder) as reader:
            after = 0
            while rows := reader.rows(after):
                store.project(rows)
                after = rows[-1].seq
        with store.snapshot() as snapshot:
            options = Options(
                span=Span.HOUR, opportunities=OPPORTUNITIES, rolls_mm={"straightener-2": ROLL_MM, "feed": 1257.0}
            )
            asked = Asked(station=station, folder=folder, snapshot=snapshot, options=options)
            policy = Path(home) / "policy.toml"
            policy.write_text(POLICY)
            looked_at = {each.slot for each in labels}
            worst = max((each for each in day if each.slot in looked_at), key=_severity)
            of = {
                "spc": _with_frozen(asked),
                "shift": replace(asked, since=SECOND_SHIFT, until=SECOND_SHIFT + HOUR),
                "what-if": replace(asked, options=replace(options, policy=policy)),
                "trace": replace(asked, options=replace(options, part=str(worst.slot))),
            }
            for name in REPORTS:
                page = make(name, of.get(name, asked))
                (docs / f"report-{name}.png").write_bytes(sheets(page, ppi=PPI)[0])
        store.close()


def _with_frozen(asked: Asked) -> Asked:
    """With the limits of the first two shifts."""
    before = replace(asked, until=BEGIN + 16 * HOUR - 1)
    frozen = Frozen(
        who="K. Moser",
        why="the day after the lamp was changed",
        source=asked.said(before.period()),
        limits=limits_of(before),
    )
    return replace(asked, options=replace(asked.options, frozen=frozen))


def _zoned(station: Station) -> Station:
    """With two zones, so that there is something to compare."""
    zones = tuple(
        Zone(
            name=name,
            polygon_mm=((left, 0.0), (right, 0.0), (right, 500.0), (left, 500.0)),
            min_region_mm2=4.0,
            reject_region_mm2=40.0,
            reject_total_mm2=80.0,
        )
        for name, (left, right) in ZONES.items()
    )
    camera = station.cameras[0].model_copy(update={"zones": zones})
    return station.model_copy(update={"cameras": (camera,)})


def _row(region: Region) -> RegionRow:
    return RegionRow(
        x=region.x,
        y=region.y,
        width=region.width,
        height=region.height,
        area_px=region.area_px,
        area_mm2=region.area_mm2,
        score=region.score,
        crop_box=None,
        crop_sha256=None,
        mask_sha256=None,
        zone=region.zones[0] if region.zones else None,
    )


def _with_mark(mask: Mask, regions: list[Region]) -> Mask:
    """What the twin drew, and the mark of the roll."""
    marked = mask.copy()
    for region in regions:
        marked[region.y : region.y + region.height, region.x : region.x + region.width] |= region.area_mm2 == SPECK_MM2
    return marked


def _severity(entry: Entry) -> float:
    return entry.body.severity or 0.0 if isinstance(entry.body, VerdictBody) else 0.0


def _alarm(at: int, name: str, about: str, text: str, level: Level) -> Entry:
    body = AlarmBody(run="", key=name, name=name, about=about, text=text, raised_at=at, level=level)
    return _entry(Kind.ALARM, body)


def _looked(at: int, key: str) -> Entry:
    why = "lamp driver hot; changed"
    return _entry(Kind.PERSON, PersonBody(who="K. Moser", what="alarm.acknowledge", why=why, old=key, new=key, at=at))


def _entry(kind: Kind, body: Body) -> Entry:
    return Entry(kind=kind, frame=None, slot=None, outcome=None, reason=None, body=body)


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
