"""Days, counts and more to ask by.

Inspections, defects and crops get their day of capture, which PostgreSQL partitions by, and it becomes part of their
keys. Rows of before have no zone, and count in the shifts that every station has unless it says otherwise. The tables
of counts are filled by storage/migrate.py.
"""

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

DAY_NS, HOUR_NS = 86_400_000_000_000, 3_600_000_000_000
SHIFT = "(({at} - {six}) / {eight}) * {eight} + {six}"  # 06, 14 and 22 h, UTC
REPLACED = ("crop", "defect", "inspection", "actuation", "run")  # in this order: the first two refer to the third
INDEXES = (
    "crop_by_picture", "inspection_newest", "inspection_by_outcome", "inspection_by_run", "inspection_by_slot",
    "ix_actuation_slot",
)  # fmt: skip


def upgrade() -> None:
    for index in INDEXES:
        op.drop_index(index)
    for table in REPLACED:
        op.rename_table(table, f"{table}_1")
    _make_rows()
    _make_counts()
    if op.get_bind().dialect.name == "postgresql":
        _make_days()
    day = f"captured_at / {DAY_NS}"
    of_verdict = "(SELECT {what} FROM inspection_1 AS v WHERE v.station = o.station AND v.seq = o.seq)"
    _copy("inspection", day=day, shift_at=_shift("captured_at"))
    _copy("defect", day=of_verdict.format(what=day), ignored="false")
    _copy("crop", day=of_verdict.format(what=day))
    _copy("actuation", shift_at=_shift("at"))
    _copy("run", baselines="'{}'", calibrations="'{}'")
    for table in REPLACED:
        op.drop_table(f"{table}_1")
    # the table stays: a program that knows no revisions looks here, and refuses what is not version 1
    op.execute("DELETE FROM schema_version")
    op.execute("INSERT INTO schema_version (version) VALUES (2)")


def _shift(at: str) -> str:
    return SHIFT.format(at=at, six=6 * HOUR_NS, eight=8 * HOUR_NS)


def _copy(table: str, **new: str) -> None:
    """Every row as it was, with what it has beside that."""
    old = [column["name"] for column in sa.inspect(op.get_bind()).get_columns(f"{table}_1")]
    into, out_of = ", ".join([*old, *new]), ", ".join([*old, *new.values()])
    op.execute(f"INSERT INTO {table} ({into}) SELECT {out_of} FROM {table}_1 AS o")  # noqa: S608 - names of ours


def _make_days() -> None:
    days = op.get_bind().scalars(sa.text(f"SELECT DISTINCT captured_at / {DAY_NS} FROM inspection_1"))  # noqa: S608
    for day in sorted(days):
        for table in ("inspection", "defect", "crop"):
            name = f"{table}_{date(1970, 1, 1) + timedelta(days=day):%Y%m%d}"
            op.execute(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ({day}) TO ({day + 1})")


def _make_rows() -> None:
    op.create_table(
        "inspection",
        *_key("station", "seq", "day"),
        sa.Column("frame", sa.String(200), nullable=False),
        sa.Column("camera", sa.String(64), nullable=False),
        sa.Column("slot", sa.BigInteger, nullable=False),
        sa.Column("trigger_count", sa.BigInteger, nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("original_outcome", sa.String(16), nullable=False),
        sa.Column("original_reason", sa.String(32)),
        sa.Column("corrected_by", sa.BigInteger),
        sa.Column("captured_at", sa.BigInteger, nullable=False),
        sa.Column("shift_at", sa.BigInteger, nullable=False),
        sa.Column("decided_at", sa.BigInteger, nullable=False),
        sa.Column("at_count", sa.BigInteger),
        sa.Column("source", sa.String(4096), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("config_sha256", sa.String(64), nullable=False),
        sa.Column("software", sa.String(64), nullable=False),
        sa.Column("policy", sa.JSON, nullable=False),
        sa.Column("measures", sa.JSON, nullable=False),
        sa.Column("score", sa.Float(53)),
        sa.Column("severity", sa.Float(53)),
        sa.Column("grey", sa.Boolean, nullable=False),
        sa.Column("area_px", sa.BigInteger),
        sa.Column("area_mm2", sa.Float(53)),
        sa.Column("largest_mm2", sa.Float(53)),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(64), nullable=False),
        sa.Column("inference_ms", sa.Float(53)),
        sa.Column("latency_ms", sa.Float(53)),
        sa.Column("zone", sa.String(64)),
        sa.Column("area_relative_uncertainty", sa.Float(53)),
        sa.PrimaryKeyConstraint("station", "seq", "day", name="pk_inspection"),
        sa.UniqueConstraint("station", "frame", "day", name="inspection_of_frame"),
        postgresql_partition_by="RANGE (day)",
    )
    newest = ["station", "captured_at", "seq"]
    op.create_index("inspection_newest", "inspection", newest)
    for name, column in {"outcome": "outcome", "camera": "camera", "slot": "slot", "model": "model_sha256"}.items():
        op.create_index(f"inspection_by_{name}", "inspection", ["station", column, "captured_at", "seq"])
    op.create_index("inspection_by_run", "inspection", ["station", "run"])
    for column in ("reason", "zone"):
        given = sa.text(f"{column} IS NOT NULL")
        columns = ["station", column, "captured_at", "seq"]
        op.create_index(f"inspection_by_{column}", "inspection", columns, sqlite_where=given, postgresql_where=given)
    some = sa.text("area_mm2 > 0")
    columns = [*newest, "area_mm2"]
    op.create_index("inspection_with_defects", "inspection", columns, sqlite_where=some, postgresql_where=some)
    op.create_table(
        "defect",
        *_key("station", "seq", "day", "number"),
        *_box(),
        sa.Column("area_px", sa.BigInteger, nullable=False),
        sa.Column("area_mm2", sa.Float(53)),
        sa.Column("score", sa.Float(53), nullable=False),
        sa.Column("zone", sa.String(64)),
        sa.Column("ignored", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("station", "seq", "day", "number", name="pk_defect"),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "crop",
        *_key("station", "seq", "day", "number"),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        *_box(),
        sa.PrimaryKeyConstraint("station", "seq", "day", "number", "kind", name="pk_crop"),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index("crop_by_picture", "crop", ["sha256"])
    op.create_table(
        "actuation",
        *_key("station", "seq"),
        sa.Column("slot", sa.BigInteger, nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("gate", sa.String(16), nullable=False),
        sa.Column("commanded", sa.String(16)),
        sa.Column("at_count", sa.BigInteger),
        sa.Column("late_ms", sa.Float(53), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("shift_at", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.Boolean),
        sa.PrimaryKeyConstraint("station", "seq", name="pk_actuation"),
    )
    op.create_index("actuation_by_slot", "actuation", ["station", "slot"])
    op.create_table(
        "run",
        *_key("station", "seq"),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("software", sa.String(64), nullable=False),
        sa.Column("config_sha256", sa.String(64), nullable=False),
        sa.Column("config", sa.String, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("first_slots", sa.JSON, nullable=False),
        sa.Column("recovered", sa.BigInteger, nullable=False),
        sa.Column("baselines", sa.JSON, nullable=False),
        sa.Column("calibrations", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("station", "seq", name="pk_run"),
    )


def _make_counts() -> None:
    sums: list[sa.Column[Any]] = [
        sa.Column(f"{of}_{what}", kind, nullable=False)
        for of in ("area", "score", "light", "focus", "latency")
        for what, kind in (("n", sa.BigInteger()), ("sum", sa.Float(53)), ("squares", sa.Float(53)))
    ]
    area: list[sa.Column[Any]] = [
        sa.Column(f"area_{what}", sa.Float(53), nullable=False) for what in ("sum", "squares")
    ]
    _make_rollup(
        "verdict_rollup",
        [sa.Column("outcome", sa.String(16), nullable=False), sa.Column("reason", sa.String(32), nullable=False)],
        [*(sa.Column(name, sa.BigInteger, nullable=False) for name in ("verdicts", "grey", "defects")), *sums],
    )
    _make_rollup(
        "defect_rollup",
        [
            sa.Column("outcome", sa.String(16), nullable=False),
            sa.Column("zone", sa.String(64), nullable=False),
            sa.Column("size", sa.Integer, nullable=False),
        ],
        [sa.Column("defects", sa.BigInteger, nullable=False), *area],
    )
    _make_rollup(
        "time_rollup",
        [sa.Column("measure", sa.String(8), nullable=False), sa.Column("bucket", sa.Integer, nullable=False)],
        [sa.Column("parts", sa.BigInteger, nullable=False)],
    )
    _make_rollup(
        "place_rollup",
        [
            sa.Column("outcome", sa.String(16), nullable=False),
            sa.Column("across", sa.Integer, nullable=False),
            sa.Column("along", sa.Integer, nullable=False),
        ],
        [
            sa.Column("defects", sa.BigInteger, nullable=False),
            sa.Column("area_sum", sa.Float(53), nullable=False),
        ],
    )


def _make_rollup(name: str, key: list[sa.Column[Any]], sums: list[sa.Column[Any]]) -> None:
    counted: list[sa.Column[Any]] = [
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("span", sa.String(8), nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("camera", sa.String(64), nullable=False),
    ]
    columns = [column.name for column in (*counted, *key)]
    primary = sa.PrimaryKeyConstraint(*columns, name=f"pk_{name}")
    op.create_table(name, *counted, *key, *sums, primary, sqlite_with_rowid=False)


def _key(*names: str) -> list[sa.Column[Any]]:
    kinds: dict[str, Any] = {
        "station": sa.String(64),
        "seq": sa.BigInteger(),
        "day": sa.Integer(),
        "number": sa.Integer(),
    }
    return [sa.Column(name, kinds[name], nullable=False, autoincrement=False) for name in names]


def _box() -> list[sa.Column[Any]]:
    return [sa.Column(side, sa.Integer, nullable=False) for side in ("x", "y", "width", "height")]
