"""The first tables: what each verdict was, and what it rests on. Made by programs that knew no revisions."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table("schema_version", sa.Column("version", sa.Integer, primary_key=True, autoincrement=False))
    op.create_table(
        "inspection",
        sa.Column("station", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("frame", sa.String(200), nullable=False, unique=True),
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
    )
    op.create_index("inspection_newest", "inspection", ["station", "captured_at", "seq"])
    op.create_index("inspection_by_outcome", "inspection", ["station", "outcome", "captured_at", "seq"])
    op.create_index("inspection_by_run", "inspection", ["station", "run"])
    op.create_index("inspection_by_slot", "inspection", ["station", "slot"])
    op.create_table(
        "defect",
        *_of_a_verdict(),
        *_box(),
        sa.Column("area_px", sa.BigInteger, nullable=False),
        sa.Column("area_mm2", sa.Float(53)),
        sa.Column("score", sa.Float(53), nullable=False),
    )
    op.create_table(
        "crop",
        *_of_a_verdict(),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        *_box(),
    )
    op.create_index("crop_by_picture", "crop", ["sha256"])
    op.create_table(
        "actuation",
        sa.Column("station", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("slot", sa.BigInteger, nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("gate", sa.String(16), nullable=False),
        sa.Column("commanded", sa.String(16)),
        sa.Column("at_count", sa.BigInteger),
        sa.Column("late_ms", sa.Float(53), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_actuation_slot", "actuation", ["slot"])
    op.create_table(
        "model",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
    )
    op.create_table(
        "run",
        sa.Column("station", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("software", sa.String(64), nullable=False),
        sa.Column("config_sha256", sa.String(64), nullable=False),
        sa.Column("config", sa.String, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("first_slots", sa.JSON, nullable=False),
        sa.Column("recovered", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "cursor",
        sa.Column("station", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
    )


def _of_a_verdict() -> list[sa.Column[Any]]:
    return [
        sa.Column("station", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    ]


def _box() -> list[sa.Column[Any]]:
    return [sa.Column(side, sa.Integer, nullable=False) for side in ("x", "y", "width", "height")]
