"""The README's pictures, from a real run: `python -m benchmarks.picture docs`.

`panel.svg` is the operator's panel at the moment the line had closed so many parts; `parts.png` shows three of them as
the camera saw them, lying on their side, with the exact mask in green and what the net found in red.
"""

import os
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from rich.console import Console

import run_line
from config.loader import load_station
from monitor.panel import render
from monitor.rules.regions import find_regions
from monitor.supervisor import Supervisor, View
from monitor.twin.plant import surface_spec
from monitor.twin.surface import draw
from monitor.twin.truth import TruthClass
from workers.segmenter import Segmenter

STATION = "rail-03"
PARTS = 100
WIDTH_COLUMNS = 118
SHOWN = ((TruthClass.DEFECTIVE, 3), (TruthClass.BORDERLINE, 1), (TruthClass.GOOD, 1))  # how many of each
GREEN, RED = (80, 200, 60), (60, 60, 235)  # BGR
SEED = 4  # not the station's


def main(folder: Path) -> None:
    """Draws both."""
    folder.mkdir(exist_ok=True)
    cv2.imwrite(str(folder / "parts.png"), draw_parts())
    (folder / "panel.svg").write_text(draw_panel())


def draw_parts() -> npt.NDArray[np.uint8]:
    """Parts of each class, one above the other."""
    station = load_station(STATION)
    camera = station.cameras[0]
    segmenter = Segmenter.load(station.model, threads=2)
    strips = []
    slot = 0
    for truth, count in SHOWN:
        for _ in range(count):
            slot += 1
            surface = draw(surface_spec(station, camera), seed=SEED, slot=slot, wanted=truth)
            probability = segmenter.probability(surface.pixels)
            _, found = find_regions(probability, threshold=segmenter.threshold, calibration=camera.calibration)
            strips.append(_outlined(surface.pixels, surface.mask, found))
    ground = np.full((6, strips[0].shape[1], 3), 255, np.uint8)
    return np.vstack([each for strip in strips for each in (strip, ground)][:-1])


def _outlined(
    pixels: npt.NDArray[np.uint8], exact: npt.NDArray[np.bool_], found: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    """The part on its side, both masks as outlines just outside of what they enclose."""
    picture = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    for mask, colour, grow in ((found, RED, 5), (exact, GREEN, 3)):
        near = cv2.dilate(mask.astype(np.uint8), np.ones((grow, grow), np.uint8)).astype(bool)
        ring = near & ~cv2.erode(near.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        picture[ring] = colour
    return np.ascontiguousarray(np.rot90(picture))


def draw_panel() -> str:
    """The panel of a run of so many parts."""
    station = load_station(STATION)
    shown: list[str] = []

    def keep(view: View) -> None:
        if view.status and view.status.triggers >= PARTS and not shown:
            console = Console(record=True, width=WIDTH_COLUMNS, file=Path("/dev/null").open("w"))  # noqa: SIM115
            console.print(render(view))
            shown.append(console.export_svg(title=f"run_line.py --station {STATION}"))

    with tempfile.TemporaryDirectory() as state:
        os.environ["LINE_STATE"] = state
        supervisor = Supervisor(station, run_line.jobs(station, "picture"), run_line.child_command(STATION, "picture"))
        supervisor.on_tick = keep
        supervisor.run(frames=PARTS + 20, seconds=None)
    return shown[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
