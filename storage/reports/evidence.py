"""The pictures that a report shows: each as it is kept, or what has become of it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from storage.keeping import Tombstone, tombstones
from storage.reader import JournalReader
from storage.reports.asked import Asked
from storage.reports.page import Photo
from storage.reports.part_rows import picture


class Named(NamedTuple):
    """A picture that a verdict names."""

    title: str
    seq: int  # of the verdict
    sha256: str


def photos(asked: Asked, reader: JournalReader, named: Sequence[Named]) -> Iterator[Photo]:
    """Each of these. What had expired by the head of the report is not shown, though the bytes may be there for another
    verdict; what has expired since is looked up in the rows behind it.
    """
    expired = asked.snapshot.pictures.expired((each.seq, each.sha256) for each in named) if named else {}
    head = asked.snapshot.head
    since: dict[str, Tombstone] | None = None
    for title, seq, sha256 in named:
        tombstone = expired.get((seq, sha256))
        png = None if tombstone else picture(asked.folder, reader, sha256)
        if png is None and tombstone is None:
            since = tombstones(reader, 0 if head is None else head.seq) if since is None else since
            tombstone = since.get(sha256)
        yield Photo(title=title, sha256=sha256, png=png, note="" if png else _said(asked, tombstone))


def _said(asked: Asked, tombstone: Tombstone | None) -> str:
    if tombstone is None:
        return "Not here, and purged by no row: linectl verify names what is missing."
    return f"Evidence expired: purged on {asked.clock(tombstone.at)}, row {tombstone.seq} of the journal."
