"""Image data sets, one a file; the table of those that lie on disk."""

from workers.datasets import folder, kolektorsdd, kolektorsdd2, magnetic_tile, mvtec, rsdd
from workers.datasets.items import Layout

LAYOUTS: dict[str, Layout] = {
    "folder": folder.LAYOUT,
    "kolektorsdd": kolektorsdd.LAYOUT,
    "kolektorsdd2": kolektorsdd2.LAYOUT,
    "magnetic_tile": magnetic_tile.LAYOUT,
    "mvtec": mvtec.LAYOUT,
    "rsdd1": rsdd.TYPE_1,
    "rsdd2": rsdd.TYPE_2,
}  # the twin's surfaces are drawn: workers/datasets/twin.py
