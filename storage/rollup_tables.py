"""The tables of counts, from which a year is read at once; each moves in the transaction that moves its rows.

A row counts what was captured in one minute, hour (UTC) or shift. Sums are of values rounded to a power of two
(rollups.py), so they come out the same in whatever order they were added and taken away again.
"""

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base

CLUSTERED = {"sqlite_with_rowid": False}  # SQLite then keeps the rows in the order of their keys


class VerdictRollup(Base):
    """Verdicts, and what was measured on them: how many have a value, its sum, the sum of its squares."""

    __tablename__ = "verdict_rollup"
    __table_args__ = (CLUSTERED,)

    station: Mapped[str] = mapped_column(String(64), primary_key=True)
    span: Mapped[str] = mapped_column(String(8), primary_key=True)  # minute, hour, shift
    starts_at: Mapped[int] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(String(64), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(16), primary_key=True)  # the effective one
    reason: Mapped[str] = mapped_column(String(32), primary_key=True)  # "": none
    verdicts: Mapped[int]
    grey: Mapped[int]
    defects: Mapped[int]
    area_n: Mapped[int]  # mm²
    area_sum: Mapped[float]
    area_squares: Mapped[float]
    score_n: Mapped[int]
    score_sum: Mapped[float]
    score_squares: Mapped[float]
    light_n: Mapped[int]  # grey levels
    light_sum: Mapped[float]
    light_squares: Mapped[float]
    focus_n: Mapped[int]
    focus_sum: Mapped[float]
    focus_squares: Mapped[float]
    latency_n: Mapped[int]  # ms
    latency_sum: Mapped[float]
    latency_squares: Mapped[float]


class DefectRollup(Base):
    """Defects by zone and size class; spans are hour and shift."""

    __tablename__ = "defect_rollup"
    __table_args__ = (CLUSTERED,)

    station: Mapped[str] = mapped_column(String(64), primary_key=True)
    span: Mapped[str] = mapped_column(String(8), primary_key=True)
    starts_at: Mapped[int] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(String(64), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(16), primary_key=True)  # of the verdict
    zone: Mapped[str] = mapped_column(String(64), primary_key=True)  # "": none
    size: Mapped[int] = mapped_column(Integer, primary_key=True)  # class in rollups.SIZES_MM2; -1: no area in mm²
    defects: Mapped[int]
    area_sum: Mapped[float]  # mm²
    area_squares: Mapped[float]


class TimeRollup(Base):
    """Histogram of latency (a verdict's, from capture) and of lateness (the gate's); spans are hour and shift."""

    __tablename__ = "time_rollup"
    __table_args__ = (CLUSTERED,)

    station: Mapped[str] = mapped_column(String(64), primary_key=True)
    span: Mapped[str] = mapped_column(String(8), primary_key=True)
    starts_at: Mapped[int] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(String(64), primary_key=True)  # "": of the part, whichever cameras saw it
    measure: Mapped[str] = mapped_column(String(8), primary_key=True)  # latency, late
    bucket: Mapped[int] = mapped_column(Integer, primary_key=True)  # rollups.bucket_of; -1: in time
    parts: Mapped[int]


class PlaceRollup(Base):
    """Where in the frame defects lie, on a grid of rollups.CELLS by CELLS; its span is the shift."""

    __tablename__ = "place_rollup"
    __table_args__ = (CLUSTERED,)

    station: Mapped[str] = mapped_column(String(64), primary_key=True)
    span: Mapped[str] = mapped_column(String(8), primary_key=True)
    starts_at: Mapped[int] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(String(64), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(16), primary_key=True)  # of the verdict
    across: Mapped[int] = mapped_column(Integer, primary_key=True)  # cell, from the left
    along: Mapped[int] = mapped_column(Integer, primary_key=True)  # cell, from the top
    defects: Mapped[int]
    area_sum: Mapped[float]  # mm²
