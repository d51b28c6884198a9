"""Process: Frames in, Segmentations out; one credit with each camera, what is due first is scored first."""

import os
import time
from collections import deque
from collections.abc import Mapping

import cv2
import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from config.cameras import Calibration
from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Dealer, Ears, Pusher
from monitor.lifeline import Lifeline
from monitor.messages import REGIONS_MOST, Credit, Done, Frame, Outcome, Reason, Region, Segmentation
from monitor.png import encode_png
from monitor.rules.policy import judge
from monitor.rules.regions import Mask, encode_mask, find_regions, has_nan
from monitor.rules.verdicts import sampled
from workers.segmenter import Segmenter

CREDIT_S = 0.1  # a restarted dispatcher knows no older credit
CROPS_MOST = 64  # regions with a crop of their own; the mask holds the rest
SEND_S = 2.0  # decision may be restarting: an answer waits for it this long

Pixels = NDArray[np.uint8]
Work = tuple[str, Frame, Pixels]  # camera, header, pixels

log = structlog.get_logger()


def run_inference(lifeline: Lifeline, station: Station, *, worker: str, threads: int) -> None:
    """Scores what it is lent until the rope is cut."""
    cv2.setNumThreads(threads)
    segmenter = Segmenter.load(station.model, threads=threads)
    desk = Desk(station, segmenter, worker=f"{worker}.{os.getpid()}")
    capacity_fps = desk.time_itself()
    needed_fps = station.belt.parts_per_s * len(station.cameras) / station.workers if station.belt else 0.0
    log.info("worker.capacity", fps=round(capacity_fps, 2), needed_fps=round(needed_fps, 2), engine=segmenter.engine)
    if capacity_fps < needed_fps:
        log.warning("worker.too_slow", fps=round(capacity_fps, 2), needed_fps=round(needed_fps, 2))
    ends = Endpoints(station)
    with Pusher(ends.decision) as decision:
        dealers = {c.name: Dealer(ends.leases(c.name), identity=desk.worker) for c in station.cameras}
        ears = Ears(lifeline, *dealers.values())
        held: deque[Work] = deque()
        credited_s = -CREDIT_S
        lifeline.ready(fps=capacity_fps, needed_fps=needed_fps, engine=segmenter.engine)
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
            work = min(held, key=lambda each: each[1].due_ns)
            held.remove(work)
            camera, frame, pixels = work
            answer, pictures = desk.segment(camera, frame, pixels)
            _insist(decision, answer, pictures, lifeline)
            dealers[camera].send(Done(frame=frame.frame, attempt=frame.attempt, worker=desk.worker))
            dealers[camera].send(desk.credit())
        for dealer in dealers.values():
            dealer.close()


class Desk:
    """Where a worker scores frames; it knows how long that takes, and what to say of it."""

    def __init__(self, station: Station, segmenter: Segmenter, *, worker: str) -> None:
        self.worker = worker
        self._station, self._segmenter = station, segmenter
        self._calibrations: dict[str, Calibration | None] = {c.name: c.calibration for c in station.cameras}
        self._times_ms: deque[float] = deque(maxlen=200)

    def time_itself(self) -> float:
        """Frames/s of this worker on the station's largest frame."""
        shape = max(((c.height[1], c.width[1]) for c in self._station.cameras), key=lambda hw: hw[0] * hw[1])
        self._times_ms.extend(self._segmenter.time(shape))
        return 1000 / float(np.median(self._times_ms))

    def credit(self) -> Credit:
        p99_ms = float(np.percentile(self._times_ms, 99)) if self._times_ms else 0.0
        return Credit(worker=self.worker, p99_ms=p99_ms, serves=len(self._calibrations))

    def segment(self, camera: str, frame: Frame, pixels: Pixels) -> tuple[Segmentation, dict[str, bytes]]:
        """What the net saw, and the pictures that go with it; a net's NaN is a refusal, never area 0."""
        started_ns = time.monotonic_ns()
        probability = self._segmenter.probability(pixels)
        ended_ns = time.monotonic_ns()
        self._times_ms.append((ended_ns - started_ns) / 1e6)
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
        calibration = self._calibrations[camera]
        regions, mask = find_regions(probability, threshold=self._segmenter.threshold, calibration=calibration)
        if len(regions) > REGIONS_MOST:
            return msgspec.structs.replace(seen, refusal=Reason.MODEL_REFUSED), {"frame": encode_png(pixels)}
        judgement = judge(regions, self._station.policy)
        keeps_frame = judgement.outcome is Outcome.REJECT or sampled(frame.frame, self._station.images.pass_share)
        pictured = regions[: min(judgement.counted, CROPS_MOST)]  # largest first: those that count come before specks
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
