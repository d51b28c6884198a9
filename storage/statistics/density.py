"""Where on the part defects lie: a grid of their density in part coordinates."""

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.statistics.missing import Missing

CELLS = 1_000_000  # at most: a larger grid is a mistaken unit


class Density(msgspec.Struct, frozen=True, kw_only=True):
    """Rows run along y, columns along x; the last ones end at the end of the part and may be narrower."""

    counts: NDArray[np.int64]  # (Y, X) defects
    per_m2: NDArray[np.float64]  # (Y, X) defects a part and m² of the cell
    x_edges_mm: NDArray[np.float64]  # (X + 1,)
    y_edges_mm: NDArray[np.float64]  # (Y + 1,)
    parts: int
    outside: int  # defects that do not lie on the part: a sign of a wrong calibration


def density(
    x_mm: ArrayLike, y_mm: ArrayLike, *, width_mm: float, length_mm: float, cell_mm: float, parts: int
) -> Density | Missing:
    """Of the middles (N,) of defects on `parts` inspected parts, which reach from 0 to width in x and to length in y.

    A middle on the far edge belongs to the last cell. ValueError for unlike lengths, a coordinate that is not finite, a
    size that is not above 0, or more than a million cells.
    """
    x, y = np.asarray(x_mm, np.float64), np.asarray(y_mm, np.float64)
    if x.shape != y.shape or x.ndim != 1 or not (np.all(np.isfinite(x)) and np.all(np.isfinite(y))):
        raise ValueError(f"x_mm {x.shape} and y_mm {y.shape}: a finite pair is needed for each defect")
    if min(width_mm, length_mm, cell_mm) <= 0 or parts < 0:
        raise ValueError(f"{width_mm} × {length_mm} mm in cells of {cell_mm} mm on {parts} parts: above 0 is needed")
    if np.ceil(width_mm / cell_mm) * np.ceil(length_mm / cell_mm) > CELLS:
        raise ValueError(f"cell_mm: {cell_mm} gives more than {CELLS} cells on {width_mm} × {length_mm} mm")
    if not parts:
        return Missing("a density needs an inspected part; there is none")
    x_edges, y_edges = (_edges(size, cell_mm) for size in (width_mm, length_mm))
    inside = (x >= 0) & (x <= width_mm) & (y >= 0) & (y <= length_mm)
    counts = np.histogram2d(y[inside], x[inside], bins=(y_edges, x_edges))[0].astype(np.int64)
    areas_m2 = np.outer(np.diff(y_edges), np.diff(x_edges)) / 1e6
    return Density(
        counts=counts,
        per_m2=counts / (areas_m2 * parts),
        x_edges_mm=x_edges,
        y_edges_mm=y_edges,
        parts=parts,
        outside=int(np.count_nonzero(~inside)),
    )


def _edges(size_mm: float, cell_mm: float) -> NDArray[np.float64]:
    cells = int(np.ceil(size_mm / cell_mm - 1e-9))  # 0.3 / 0.1 is 3
    return np.append(np.arange(cells) * cell_mm, size_mm)
