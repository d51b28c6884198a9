"""What a command does while the line stands and it holds the lock: nobody else brings the stores up."""

from contextlib import closing
from pathlib import Path

from config.station import Station
from storage.audit import AuditStore
from storage.database import audit_url
from storage.images import ImageStore
from storage.projection import Projection, StoreForeign, StoreLost, begin
from storage.reader import JournalReader


def bring_up(station: Station, folder: Path) -> str:
    """Brings images and audit store up to the journal, as no recorder runs; why not, where that cannot be."""
    with JournalReader(folder) as reader, closing(AuditStore(audit_url(folder), station.name, station.shifts)) as audit:
        images = ImageStore(folder, reader.attachment)
        stores: dict[str, Projection] = {"images": images, "audit": audit}
        try:
            images.open()
            for name, store in stores.items():
                after = begin(store, name, reader)
                while rows := reader.rows(after):
                    store.project(rows)
                    after = rows[-1].seq
        except (StoreLost, StoreForeign) as error:
            return str(error)
    return ""
