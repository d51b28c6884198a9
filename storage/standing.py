"""What a command does while the line stands and it holds the lock: nobody else brings the stores up."""

from contextlib import closing
from pathlib import Path

from config.station import Station
from storage.audit import AuditStore
from storage.database import audit_url
from storage.images import ImageStore
from storage.projection import Projection, StoreForeign, StoreLost, stands_in
from storage.reader import JournalReader


def bring_up(station: Station, folder: Path) -> str:
    """Brings images and audit store up to the journal, as no recorder runs; why not, where that cannot be."""
    with JournalReader(folder) as reader, closing(AuditStore(audit_url(folder), station.name, station.shifts)) as audit:
        images = ImageStore(folder, reader.attachment)
        stores: tuple[Projection, ...] = (images, audit)
        try:
            images.open()
            for store in stores:
                cursor = store.cursor()
                if cursor is not None and not stands_in(cursor, reader):
                    store.restart()
                    cursor = None
                after = 0 if cursor is None else cursor.seq
                while rows := reader.rows(after):
                    store.project(rows)
                    after = rows[-1].seq
        except (StoreLost, StoreForeign) as error:
            return str(error)
    return ""
