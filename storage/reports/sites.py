"""Sites of a POD trial out of labels: flaws of a known size that the line hit or missed, and clean parts."""

from collections.abc import Iterable, Iterator

import msgspec

from monitor.labels import GOOD, Label, State
from monitor.messages import Outcome
from monitor.rules.labels import settled
from storage.reports.judged import JudgedPart


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A flaw."""

    slot: int
    frame: str | None
    region: int | None
    size_mm: float
    label: str
    found: bool  # the line has a region there, or, of a frame or part, something that counts
    rejected: bool  # and the frame or part was rejected
    blind: bool


class Sites(msgspec.Struct, kw_only=True):
    """Of the parts of a period."""

    flaws: list[Site]
    clean: int = 0  # frames and parts without a flaw, inspected
    clean_found: int = 0  # of them with something that counts
    clean_rejected: int = 0
    unsized: int = 0  # flaws of which nobody has said how large
    uninspected: int = 0
    disputed: int = 0


def sites_of(parts: Iterable[JudgedPart]) -> Sites:
    """A label that counts is one site. A size with `good` is a flaw within the limits; without, the part is clean."""
    sites = Sites(flaws=[])
    for part in parts:
        for (frame, region), labels in part.labels.items():
            frames = [each for each in part.frames if frame in {None, each.frame}]
            label = settled(labels)
            if not frames or all(each.outcome == Outcome.NOT_INSPECTED for each in frames):
                sites.uninspected += 1
            elif label is None:
                sites.disputed += any(each.state is not State.PROPOSED for each in labels)
            else:
                apart = region is None and _names_regions(part, frame)  # then it is none of those regions
                found = any(each.area_px for each in frames) and not apart
                rejected = any(each.outcome == Outcome.REJECT for each in frames) and not apart
                site = Site(
                    slot=part.slot,
                    frame=frame,
                    region=region,
                    size_mm=_size(labels) or 0.0,
                    label=label.label,
                    found=region is not None or found,
                    rejected=rejected,
                    blind=label.blind,
                )
                _count(sites, site, clean=region is None and not apart)
    return sites


def _count(sites: Sites, site: Site, *, clean: bool) -> None:
    """As a flaw, as one that nobody has measured, or as a clean site."""
    if site.size_mm:
        sites.flaws.append(site)
    elif site.label != GOOD:
        sites.unsized += 1
    elif clean:
        sites.clean += 1
        sites.clean_found += site.found
        sites.clean_rejected += site.rejected


def _names_regions(part: JudgedPart, frame: str | None) -> bool:
    """Whether a region of this frame was labelled as a flaw."""
    return any(
        region is not None and of == frame and (label := settled(labels)) is not None and label.label != GOOD
        for (of, region), labels in part.labels.items()
    )


def _size(labels: Iterable[Label]) -> float | None:
    """As it was last measured."""
    sizes = [label.size_mm for label in labels if label.size_mm is not None]
    return sizes[-1] if sizes else None


def known_by_the_line(sites: Iterable[Site]) -> Iterator[Site]:
    """Flaws that are known because the line found them: they can only be hits."""
    return (site for site in sites if site.region is not None and not site.blind)
