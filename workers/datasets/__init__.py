"""Image data sets, one a file; the table of those that lie on disk."""

from workers.datasets import kolektorsdd, magnetic_tile
from workers.datasets.items import Layout

LAYOUTS: dict[str, Layout] = {
    "kolektorsdd": kolektorsdd.LAYOUT,
    "magnetic_tile": magnetic_tile.LAYOUT,
}  # the twin's surfaces are drawn: workers/datasets/twin.py
