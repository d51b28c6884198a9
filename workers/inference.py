"""Process: Frames in, Segmentations out; one credit with each camera, what is due first is scored first.

A lease is one frame of a camera to a worker, so a worker holds at most one frame of each camera that it serves, and a
batch is some of those: `model.batch` beyond the number of cameras changes nothing.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence

import cv2
import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from config.cameras import Camera
from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Dealer, Ears, Pusher
from monitor.lifeline import Lifeline
from monitor.messages import REGIONS_MOST, Credit, Done, Frame, Outcome, Reason, Region, Segmentation
from monitor.png import encode_png
from monitor.rules.policy import counting, judge
from monitor.rules.regions import Mask, encode_mask, find_regions, has_nan
from monitor.rules.verdicts import sampled
from monitor.rules.zones import zone_map
from workers.batching import Pace, plan, sizes
from workers.segmenter import Segmenter

CREDIT_S = 0.1  # a restarted dispatcher knows no older credit
CROPS_MOST = 64  # regions with a crop of their own; the mask holds the rest
BATCH_RUNS = 3  # of each size at the start: a supervisor waits for them
SEND_S = 2.0  # decision may be restarting: an answer waits for it this long

Pixels = NDArray[np.uint8]
Work = tuple[str, Frame, Pixels]  # camera, header, pixels

log = structlog.get_logger()


def run_inference(lifeline: Lifeline, station: Station, *, worker: str, threads: int) -> None:
    """Scores what it is lent until the rope is cut."""
    cv2.setNumThreads(threads)
    segmenter = Segmenter.load(station.model, threads=threads)
    pace = time_itself(station, segmenter)
    desk = Desk(station, segmenter, pace, worker=f"{worker}.{os.getpid()}")
    needed_fps = station.belt.parts_per_s * len(station.cameras) / station.workers if station.belt else 0.0
    log.info(
        "worker.capacity",
        fps=round(pace.fps, 2),
        needed_fps=round(needed_fps, 2),
        engine=segmenter.engine,
        batch=pace.costs.most,
    )
    if pace.fps < needed_fps:
        log.warning("worker.too_slow", fps=round(pace.fps, 2), needed_fps=round(needed_fps, 2))
    if station.model.batch > len(station.cameras):
        log.warning("batch.unfilled", batch=station.model.batch, cameras=len(station.cameras))
    ends = Endpoints(station)
    with Pusher(ends.decision) as decision:
        dealers = {c.name: Dealer(ends.leases(c.name), identity=desk.worker) for c in station.cameras}
        ears = Ears(lifeline, *dealers.values())
        held: list[Work] = []
        credited_s = -CREDIT_S
        lifeline.ready(fps=pace.fps, needed_fps=needed_fps, engine=segmenter.engine)
        while not lifeline.cut:
            if time.monotonic() - credited_s >= CREDIT_S:
                credited_s = time.monotonic()
                for camera, dealer in dealers.items():
                    if all(camera != work[0] for work in held):
                        dealer.send(desk.credit())
            ears.wait(0 if held else 1000 * CREDIT_S)
            if lifeline.draining:
                break
            for camera, dealer in dealers.items():
                for message, payload in dealer.messages():
                    if isinstance(message, Frame) and isinstance(pixels := payload.get("pixels"), np.ndarray):
                        held.append((camera, message, pixels))
            if not held:
                continue
            held = answer_first(desk, held, dealers, decision, lifeline)
        for dealer in dealers.values():
            dealer.close()


def time_itself(station: Station, segmenter: Segmenter) -> Pace:
    """How long this worker takes on the station's largest frame, alone and in batches, while larger ones are a gain."""
    shape = max(((c.height[1], c.width[1]) for c in station.cameras), key=lambda hw: hw[0] * hw[1])
    pace = Pace(segmenter.time(shape))
    for n in sizes(min(station.model.batch, len(station.cameras), segmenter.batch_most)):
        if not pace.measured(n, segmenter.time(shape, runs=BATCH_RUNS, together=n)):
            break
    return pace


def answer_first(
    desk: "Desk", held: Sequence[Work], dealers: Mapping[str, Dealer], decision: Pusher, lifeline: Lifeline
) -> list[Work]:
    """Scores and answers what is due first, together with what it can bear; what is left is still held."""
    chosen = desk.plan(held)
    works = [held[i] for i in chosen]
    for (camera, frame, _), (seen, pictures) in zip(works, desk.segment(works), strict=True):
        _insist(decision, seen, pictures, lifeline)
        dealers[camera].send(Done(frame=frame.frame, attempt=frame.attempt, worker=desk.worker))
        dealers[camera].send(desk.credit())
    return [work for i, work in enumerate(held) if i not in chosen]


class Desk:
    """Where a worker scores frames; it knows how long that takes, and what to say of it."""

    def __init__(self, station: Station, segmenter: Segmenter, pace: Pace, *, worker: str) -> None:
        self.worker = worker
        self._station, self._segmenter, self._pace = station, segmenter, pace
        self._cameras: dict[str, Camera] = {camera.name: camera for camera in station.cameras}
        for camera in station.cameras:
            if camera.zones and camera.calibration:  # drawn before the first frame waits for it
                zone_map(camera.zones, camera.calibration, camera.height[1], camera.width[1])
        budget = station.budget
        self._margin_ms = budget.transport_ms + budget.decision_ms if budget else 0.0  # from here to a durable verdict

    def credit(self) -> Credit:
        return Credit(worker=self.worker, p99_ms=self._pace.p99_ms, serves=len(self._cameras))

    def plan(self, held: Sequence[Work]) -> list[int]:
        """Positions of what is scored now, in the order in which it is due."""
        costs = self._pace.costs
        return plan(
            [frame for _, frame, _ in held],
            now_ns=time.monotonic_ns(),
            most=costs.most,
            cost_ms=costs.ms,
            margin_ms=self._margin_ms,
        )

    def segment(self, works: Sequence[Work]) -> Iterator[tuple[Segmentation, dict[str, bytes]]]:
        """What the net saw of each, scored together, and the pictures that go with it, as soon as they are drawn."""
        started_ns = time.monotonic_ns()
        found = self._segmenter.probabilities([pixels for _, _, pixels in works])
        ended_ns = time.monotonic_ns()
        net_ms = (ended_ns - started_ns) / 1e6
        self._pace.scored(len(works), net_ms)
        answer_ms = net_ms
        for work, probability in zip(works, found, strict=True):
            begun_ns = time.monotonic_ns()
            answer = self._answer(work, probability, started_ns=started_ns, ended_ns=ended_ns)
            after_ms = (time.monotonic_ns() - begun_ns) / 1e6
            answer_ms += after_ms  # without the sending: decision may be restarting
            self._pace.answered(answer_ms, after_ms=after_ms)
            yield answer

    def _answer(
        self, work: Work, probability: NDArray[np.float32], *, started_ns: int, ended_ns: int
    ) -> tuple[Segmentation, dict[str, bytes]]:
        """A net's NaN is a refusal, never area 0."""
        name, frame, pixels = work
        seen = Segmentation(
            frame=frame.frame,
            slot=frame.slot,
            attempt=frame.attempt,
            worker=self.worker,
            model_sha256=self._segmenter.sha256,
            started_ns=started_ns,
            ended_ns=ended_ns,
        )
        if has_nan(probability):
            return msgspec.structs.replace(seen, refusal=Reason.MODEL_NAN), {"frame": encode_png(pixels)}
        camera = self._cameras[name]
        threshold = self._segmenter.threshold
        regions, mask = find_regions(
            probability, threshold=threshold, calibration=camera.calibration, zones=camera.zones
        )
        if len(regions) > REGIONS_MOST:
            return msgspec.structs.replace(seen, refusal=Reason.MODEL_REFUSED), {"frame": encode_png(pixels)}
        count = set(counting(regions, self._station.policy, camera.zones))
        # those that count first, largest before smaller: what is pictured is a beginning of the list
        regions = tuple(region for of in (True, False) for n, region in enumerate(regions) if (n in count) is of)
        judgement = judge(regions, self._station.policy, camera.zones)
        keeps_frame = judgement.outcome is Outcome.REJECT or sampled(frame.frame, self._station.images.pass_share)
        pictured = regions[: min(judgement.counted, CROPS_MOST)]
        boxes = [_crop_box(region, mask.shape, self._margin) for region in pictured]
        pictures = {f"crop-{n}": encode_png(pixels[y : y + h, x : x + w]) for n, (x, y, w, h) in enumerate(boxes)}
        pictures |= {f"mask-{n}": encode_png(_grey(mask[y : y + h, x : x + w])) for n, (x, y, w, h) in enumerate(boxes)}
        if keeps_frame:
            pictures["frame"] = encode_png(pixels)
        seen = msgspec.structs.replace(
            seen,
            score=float(probability.max()),
            regions=regions,
            mask_rle=encode_mask(mask) if regions else b"",
            crops_px=tuple(boxes),
        )
        return seen, pictures

    @property
    def _margin(self) -> int:
        return self._station.images.crop_margin_px


def _crop_box(region: Region, shape: tuple[int, ...], margin: int) -> tuple[int, int, int, int]:
    """x, y, width, height of a region with its margin, inside the frame."""
    left, top = max(0, region.x - margin), max(0, region.y - margin)
    right = min(shape[1], region.x + region.width + margin)
    bottom = min(shape[0], region.y + region.height + margin)
    return left, top, right - left, bottom - top


def _grey(mask: Mask) -> Pixels:
    return np.asarray(mask, np.uint8) * np.uint8(255)


def _insist(decision: Pusher, answer: Segmentation, pictures: Mapping[str, bytes], lifeline: Lifeline) -> None:
    """An answer is said once, so it waits while decision restarts; beyond that the entry is closed anyway."""
    until_s = time.monotonic() + SEND_S
    while not decision.send(answer, pictures):
        if time.monotonic() >= until_s or lifeline.cut:
            log.error("answer.undelivered", frame=str(answer.frame))
            return
        lifeline.wait(0.02)
