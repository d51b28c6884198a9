"""Learns a camera's baseline from good frames: its own files, a folder of pictures, or surfaces the twin draws."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import assert_never

from config.cameras import Camera, FolderCamera, GigeCamera, TwinCamera, VideoCamera
from config.loader import package_path
from config.station import Station
from monitor.baseline import BaselineError
from monitor.cameras.folder import FolderError, list_files
from monitor.cameras.picture import Unreadable, read_picture
from monitor.rules.baseline import FORMAT, FRAMES_LEAST, Baseline, typical
from monitor.rules.health import LEARNED, Gates, Pixels
from monitor.twin.plant import surface_spec
from monitor.twin.surface import draw
from monitor.twin.truth import TruthClass

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff"})
TWIN_STRIDE = 11  # slots: the twin's lamp swings over 700, and a baseline should have seen all of its swing


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An image to learn from, or why it cannot be read."""

    name: str
    pixels: Pixels | None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What was learned, and what was left out."""

    baseline: Baseline
    skipped: tuple[tuple[str, str], ...]  # (image, why)


def learn(station: Station, camera: Camera, *, images: Path | None, frames: int) -> Lesson:
    """A baseline from at most so many frames; what the gates refuse is named and skipped."""
    source, shown = _source(station, camera, images=images, frames=frames)
    gates = Gates(camera.health, None)
    measured: list[dict[str, float]] = []
    sizes: list[tuple[int, int]] = []
    skipped: list[tuple[str, str]] = []
    for each in shown:
        if each.pixels is None:
            skipped.append((each.name, each.problem))
            continue
        finding = gates.inspect(each.pixels)
        if finding.refusal is not None:
            skipped.append((each.name, str(finding.refusal)))
            continue
        measured.append({name: finding.measures[name] for name in LEARNED})
        sizes.append((each.pixels.shape[1], each.pixels.shape[0]))
    if len(measured) < FRAMES_LEAST:
        raise BaselineError(
            f"{source}: {len(measured)} good frames for camera {camera.name!r}, at least {FRAMES_LEAST} are needed"
            + (f"; {len(skipped)} skipped, as {skipped[0][0]} ({skipped[0][1]})" if skipped else "")
        )
    widths, heights = zip(*sizes, strict=True)
    baseline = Baseline(
        format=FORMAT,
        station=station.name,
        camera=camera.name,
        frames=len(measured),
        learned_at=datetime.now(UTC).isoformat(timespec="seconds"),
        source=source,
        software=f"line-monitor {version('line-monitor')}",
        width=(min(widths), max(widths)),
        height=(min(heights), max(heights)),
        measures=typical(measured),
    )
    return Lesson(baseline=baseline, skipped=tuple(skipped))


def _source(station: Station, camera: Camera, *, images: Path | None, frames: int) -> tuple[str, Iterator[Shown]]:
    """(where the images come from, the images)"""
    if images is not None:
        return str(images), _read(images, _pictures(images, camera), camera, frames)
    match camera:
        case FolderCamera():
            root = package_path(camera.root)
            try:
                return str(root), _read(root, list_files(camera), camera, frames)
            except FolderError as error:
                raise BaselineError(str(error)) from error
        case TwinCamera():
            return f"twin, good surfaces of seed {_seed(station, camera)}", _drawn(station, camera, frames)
        case GigeCamera() | VideoCamera():
            raise BaselineError(
                f"{station.name}/{camera.name}: {camera.kind!r} keeps no frames; name a folder by --images"
            )
        case _:
            assert_never(camera)


def _pictures(images: Path, camera: Camera) -> list[Path]:
    """A folder camera's pattern goes for other folders too: image sets keep masks beside their images."""
    if not images.is_dir():
        raise BaselineError(f"{images}: no such folder")
    if isinstance(camera, FolderCamera):
        found, wanted = sorted(images.glob(camera.pattern)), f"{camera.pattern!r}"
    else:
        found, wanted = sorted(p for p in images.rglob("*") if p.suffix.lower() in SUFFIXES), f"{sorted(SUFFIXES)}"
    if not found:
        raise BaselineError(f"{images}: no name fits {wanted}")
    return found


def _read(root: Path, paths: list[Path], camera: Camera, frames: int) -> Iterator[Shown]:
    """Spread evenly over the list, as neighbours show the same piece."""
    step = -(-len(paths) // frames)
    for path in paths[::step]:
        name = str(path.relative_to(root))
        try:
            yield Shown(name=name, pixels=read_picture(path, camera))
        except Unreadable as found:
            yield Shown(name=name, pixels=None, problem=str(found.reason))


def _drawn(station: Station, camera: Camera, frames: int) -> Iterator[Shown]:
    spec, seed = surface_spec(station, camera), _seed(station, camera)
    for slot in range(1, 1 + frames * TWIN_STRIDE, TWIN_STRIDE):
        surface = draw(spec, seed=seed, slot=slot, wanted=TruthClass.GOOD)
        yield Shown(name=f"slot {slot}", pixels=surface.pixels)


def _seed(station: Station, camera: Camera) -> int:
    """Each camera of a twin looks at a face of its own, as in `draw_part`."""
    return (station.twin.seed if station.twin else 0) + station.cameras.index(camera)
