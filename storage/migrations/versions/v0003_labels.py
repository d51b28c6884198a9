"""What people say of frames, parts and regions. No journal of before has such a row."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "label",
        sa.Column("station", sa.String(64), nullable=False, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("frame", sa.String(200)),
        sa.Column("slot", sa.BigInteger, nullable=False),
        sa.Column("region", sa.Integer),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reviewer", sa.String(64), nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("size_mm", sa.Float(53)),
        sa.Column("blind", sa.Boolean, nullable=False),
        sa.Column("trial", sa.Integer, nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("why", sa.String(1000), nullable=False),
        sa.Column("old", sa.String(200), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("station", "seq", name="pk_label"),
        sa.UniqueConstraint("station", "id", name="label_once"),
    )
    op.create_index("label_by_slot", "label", ["station", "slot"])
