"""Pictures say that they have expired, and by which row. No journal of before has such a row."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("crop", sa.Column("expired_by", sa.BigInteger))
    op.add_column("crop", sa.Column("expired_at", sa.BigInteger))
    kept = sa.text("expired_by IS NULL")
    columns = ["station", "day", "seq"]
    op.create_index("crop_kept", "crop", columns, sqlite_where=kept, postgresql_where=kept)
