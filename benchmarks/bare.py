"""One worker without a line: scores the given frames, and says how long that took."""

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from config.loader import load_station
from workers.segmenter import Segmenter

WARM_FRAMES = 5


def main(named: str, folder: str, threads: str, frames: str) -> None:
    """Says `ready`, waits for a line on stdin, and prints frames, seconds and CPU seconds as JSON."""
    cv2.setNumThreads(int(threads))
    station = load_station(named)
    segmenter = Segmenter.load(station.model, threads=int(threads))
    paths = sorted(Path(folder).iterdir())
    pictures = [np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8) for path in paths]
    for picture in pictures[:WARM_FRAMES]:
        segmenter.probability(picture)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    start_s, start_cpu_s = time.monotonic(), time.process_time()
    for n in range(int(frames)):
        segmenter.probability(pictures[n % len(pictures)])
    seconds, cpu_s = time.monotonic() - start_s, time.process_time() - start_cpu_s
    sys.stdout.write(json.dumps({"frames": int(frames), "seconds": seconds, "cpu_s": cpu_s}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
