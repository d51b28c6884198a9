"""Process: the digital twin of a bench station. Commands in; Exposure, Gated, Counter out, and the truth on file."""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import structlog

from config.cameras import Camera
from config.loader import state_folder
from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Ears, Publisher, Router
from monitor.lifeline import Drain, Finished, Go, Lifeline, Stop
from monitor.messages import Ask, Command, Counter, Exposure
from monitor.twin.belt import Trigger, TwinBelt
from monitor.twin.surface import SurfaceSpec, draw
from monitor.twin.truth import TruthClass, classify

TICK_MS = 5
LENS_HWM = 16

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A part before it is on the belt: what each camera will see, and the truth about it."""

    slot: int
    pixels: dict[str, npt.NDArray[np.uint8]]  # by camera
    facts: dict[str, Any]  # true_areas_mm2, class, defects


def run_plant(lifeline: Lifeline, station: Station, *, run: str) -> None:
    """Turns the belt from Go to the last part's meeting with the gate."""
    cv2.setNumThreads(1)  # the cores are the workers'
    if station.belt is None or station.twin is None:
        raise ValueError(f"{station.name}: a plant needs [belt] and [twin]; the loader refuses such a station")
    ends = Endpoints(station)
    belt = TwinBelt(station.belt, state_folder(station), run=run)
    cameras = tuple(camera.name for camera in station.cameras)
    with Router(ends.plant, hwm=4096) as desk, draw_ahead(station, belt.slot + 1) as drawn:
        lenses = {name: Publisher(ends.lens(name), hwm=LENS_HWM) for name in cameras}
        ears = Ears(lifeline, desk)
        actuator = ""
        slots_most: int | None = 0
        ordered = finished = draining = False
        lifeline.ready()
        while not lifeline.cut:
            _, orders = ears.wait(TICK_MS)
            now_ns = time.monotonic_ns()
            ordered = ordered or bool(orders)
            for order in orders:
                match order:
                    case Go():
                        slots_most = None if order.frames is None else -(-order.frames // len(cameras))
                        belt.start(now_ns)
                    case Stop() | Drain():
                        slots_most = 0
                        draining = draining or isinstance(order, Drain)
            for gated in belt.act(now_ns):
                if actuator:
                    desk.send(actuator, gated)
            for peer, message, _ in desk.messages():
                match message:
                    case Command():
                        actuator = peer
                        if fate := belt.command(message, now_ns):
                            desk.send(peer, fate)
                    case Ask():
                        actuator = peer
                        slots_most = 0 if message.hold else slots_most
                        desk.send(peer, _counter(belt, cameras, now_ns))
                    case _:
                        log.error("message.unexpected", kind=type(message).__name__, peer=peer)
            feeds = slots_most is None or belt.triggered < slots_most
            if feeds and (trigger := belt.due_trigger(now_ns)):
                if drawn.empty():  # nothing to feed: a place on the belt stays empty, and the gate is not kept waiting
                    log.warning("twin.nothing_drawn", slot=trigger.slot)
                    belt.skip_trigger(now_ns)
                    continue
                part = drawn.get_nowait()
                belt.place(trigger, part.facts)
                expose(lenses, part, trigger)
            elif not feeds:
                belt.skip_trigger(now_ns)
            if ordered and not feeds and belt.empty and not finished:
                finished = True
                lifeline.say(Finished())
            if draining and belt.empty:
                break
        for lens in lenses.values():
            lens.close()
    belt.close()


def expose(lenses: dict[str, Publisher], part: Drawn, trigger: Trigger) -> None:
    for name, lens in lenses.items():
        at_ns = time.monotonic_ns()  # now, not when the trigger fell due: it was written down in between
        exposure = Exposure(slot=trigger.slot, trigger_count=trigger.slot, at_count=trigger.at_count, at_ns=at_ns)
        lens.send(exposure, {"pixels": part.pixels[name]})


def _counter(belt: TwinBelt, cameras: tuple[str, ...], now_ns: int) -> Counter:
    return Counter(
        cameras=cameras,
        trigger_count=belt.slot,
        encoder_count=belt.count(now_ns),
        counts_per_s=belt.counts_per_s,
        at_ns=now_ns,
    )


@contextmanager
def draw_ahead(station: Station, first_slot: int) -> Iterator["queue.Queue[Drawn]"]:
    """Surfaces in the order of their slots, drawn by a thread before they are due: drawing delays no trigger."""
    ahead = station.twin.ahead if station.twin else 1
    drawn: queue.Queue[Drawn] = queue.Queue(maxsize=ahead)
    over = threading.Event()

    def keep_drawing() -> None:
        slot = first_slot
        while not over.is_set():
            part = draw_part(station, slot)
            while not over.is_set():
                try:
                    drawn.put(part, timeout=0.2)
                    break
                except queue.Full:
                    continue
            slot += 1

    thread = threading.Thread(target=keep_drawing, name="draw-ahead", daemon=True)
    thread.start()
    while drawn.qsize() < ahead and thread.is_alive():
        time.sleep(0.005)
    try:
        yield drawn
    finally:
        over.set()
        thread.join()


def draw_part(station: Station, slot: int) -> Drawn:
    """What each camera sees of the part in this slot; each camera looks at a face of its own."""
    seed = station.twin.seed if station.twin else 0
    pixels: dict[str, npt.NDArray[np.uint8]] = {}
    areas: list[float] = []
    kinds: list[str] = []
    worst = TruthClass.GOOD
    order = list(TruthClass)
    for face, camera in enumerate(station.cameras):
        surface = draw(surface_spec(station, camera), seed=seed + face, slot=slot)
        truth, regions = classify(surface.mask, camera.calibration, station.policy, camera.zones)
        worst = max(worst, truth, key=order.index)
        areas += [round(region.area_mm2 or 0.0, 3) for region in regions]
        kinds += [str(defect.kind) for defect in surface.defects]
        pixels[camera.name] = surface.pixels
    return Drawn(slot=slot, pixels=pixels, facts={"true_areas_mm2": areas, "class": worst, "defects": kinds})


def surface_spec(station: Station, camera: Camera) -> SurfaceSpec:
    """The rail head in the pixels of this camera, with defects about the limits of this station."""
    calibration, limits = camera.calibration, station.policy.limits
    if calibration is None:
        raise ValueError(f"{station.name}/{camera.name}: the twin draws in mm; its camera needs a calibration")
    return SurfaceSpec(
        height=camera.height[1],
        width=camera.width[1],
        mm_per_px_across=calibration.mm_per_px_across,
        mm_per_line=calibration.mm_per_line,
        min_region_mm2=limits.min_region,
        reject_region_mm2=limits.reject_region,
        reject_total_mm2=limits.reject_total,
    )
