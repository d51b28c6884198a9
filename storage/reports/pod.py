"""Probability of detection: how surely the line finds a flaw of a size, from labels that say how large flaws are.

Hit or miss by the logit of ln(size), bounds by profile likelihood, Firth's where hits and misses do not overlap:
storage/statistics/detection.py. Two kinds of hit stand beside one another: the part was rejected, which is the line's
promise, and something was found there that counts, which is the net's.
"""

from collections.abc import Iterator, Sequence

from storage.reports.asked import Asked
from storage.reports.curves import pod_curve
from storage.reports.figures import known, number, share
from storage.reports.judged import labelled_parts
from storage.reports.page import Cell, Column, Fact, Gap, Page, Part, Picture, Table, Text
from storage.reports.sites import Site, Sites, known_by_the_line, sites_of
from storage.statistics.detection import SITES, SPAN, Pod, false_calls, probability_of_detection
from storage.statistics.missing import Missing
from storage.statistics.proportions import Proportion

TITLE = "Probability of detection"
CONFIDENCE = 0.95
KINDS = {"rejected": "the part was rejected", "found": "something that counts was found there"}
RECKONED = (
    "A site is a label with a size (size_mm): of a region, a frame or a part. With the number of a region it was "
    "found; a label of a frame without one, beside labels of regions of the same frame, is a flaw that was not. "
    "Otherwise what counts is whether the frame, or the part, was rejected, or has a region of at least the least "
    "area. A good label with a size is a flaw within the limits; one without is a clean site, and a false call where "
    "the line called out. What was not inspected is left out: it was rejected, and proves nothing of the line's "
    "eyes. The curve is logit POD = intercept + slope · ln(size), by maximum likelihood; bounds are of the profile "
    "likelihood, one-sided."
)


def pod(asked: Asked) -> Page:
    """Of labels on parts captured in the period."""
    period = asked.period()
    parts = labelled_parts(asked, period)
    sites = sites_of(parts)
    fits = {kind: _fit(sites.flaws, kind) for kind in KINDS}
    return asked.page(
        "pod",
        TITLE,
        period,
        facts=_facts(sites, fits["rejected"]),
        parts=[
            *(part for kind, found in fits.items() for part in _curve(kind, found, sites.flaws)),
            _table(fits, sites),
            *_gaps(asked, sites, fits),
            Text(title="How this is reckoned", text=RECKONED),
        ],
        rows=[*(_row(kind, found, sites) for kind, found in fits.items()), *map(_site, sites.flaws)],
        row_count=sum(len(part.frames) for part in parts),
        query={"confidence": CONFIDENCE},
    )


def _fit(flaws: Sequence[Site], kind: str) -> Pod | Missing:
    if not flaws:
        return Missing("no label in this period has a size")
    return probability_of_detection(
        [site.size_mm for site in flaws], [getattr(site, kind) for site in flaws], confidence=CONFIDENCE
    )


def _false(sites: Sites, kind: str) -> Proportion | Missing:
    calls = sites.clean_rejected if kind == "rejected" else sites.clean_found
    return false_calls(calls, sites.clean, confidence=CONFIDENCE)


def _facts(sites: Sites, found: Pod | Missing) -> list[Fact]:
    lack = found if isinstance(found, Missing) else None
    rate = _false(sites, "rejected")
    method = "" if isinstance(found, Missing) else f"{found.method}, {found.hits} hits of {found.sites} sites"
    return [
        Fact(key="sites", title="Flaws of known size", value=len(sites.flaws), note="a hit: the part was rejected"),
        number("a50_mm", "a50", lack or _of(found, "a50_mm"), method, digits=3, unit="mm"),
        number("a90_mm", "a90", lack or _of(found, "a90_mm"), "", digits=3, unit="mm"),
        number(
            "a90_95_mm", "a90/95", lack or _of(found, "a90_bound_mm"), "profile likelihood, 95 %", digits=3, unit="mm"
        ),
        share(
            "false_call_rate",
            "False calls, of clean sites",
            rate if isinstance(rate, Missing) else rate.estimate,
            "" if isinstance(rate, Missing) else _interval(rate),
        ),
    ]


def _of(found: Pod | Missing, name: str) -> float | Missing:
    return found if isinstance(found, Missing) else getattr(found, name)


def _interval(rate: Proportion) -> str:
    return f"{rate.hits} of {rate.of}; {CONFIDENCE:.0%}: {100 * rate.low:.2f} to {100 * rate.high:.2f} %, exact"


def _curve(kind: str, found: Pod | Missing, flaws: Sequence[Site]) -> Iterator[Part]:
    if isinstance(found, Missing):
        return
    yield Picture(
        title=f"A hit: {KINDS[kind]}",
        svg=pod_curve(found, [site.size_mm for site in flaws], [getattr(site, kind) for site in flaws]),
        note=f"logit POD = {found.intercept:.4g} + {found.slope:.4g} · ln(size in mm), {found.method}.",
    )


def _row(kind: str, found: Pod | Missing, sites: Sites) -> dict[str, Cell]:
    rate = _false(sites, kind)
    lacks = isinstance(found, Missing)
    return {
        "kind": "curve",
        "hit": kind,
        "sites": len(sites.flaws),
        "hits": sum(getattr(site, kind) for site in sites.flaws),
        "method": None if isinstance(found, Missing) else found.method,
        **{name: None if lacks else known(_of(found, name)) for name in ("intercept", "slope", "a50_mm", "a90_mm")},
        "a90_95_mm": known(_of(found, "a90_bound_mm")),
        "clean_sites": sites.clean,
        "false_calls": None if isinstance(rate, Missing) else rate.hits,
        "false_call_rate": None if isinstance(rate, Missing) else rate.estimate,
        "false_call_low": None if isinstance(rate, Missing) else rate.low,
        "false_call_high": None if isinstance(rate, Missing) else rate.high,
    }


def _table(fits: dict[str, Pod | Missing], sites: Sites) -> Table:
    rows = [{**_row(kind, found, sites), "hit": KINDS[kind]} for kind, found in fits.items()]
    plain = {"hit": "A hit", "sites": "Sites", "hits": "Hits", "method": "By"}
    measured = {"a50_mm": "a50, mm", "a90_mm": "a90, mm", "a90_95_mm": "a90/95, mm"}
    return Table(
        title="In figures",
        columns=(
            *(Column(key=key, title=title) for key, title in plain.items()),
            *(Column(key=key, title=title, digits=3) for key, title in measured.items()),
            Column(key="clean_sites", title="Clean sites"),
            Column(key="false_calls", title="False calls"),
            Column(key="false_call_rate", title="Rate", is_share=True, digits=2),
            Column(key="false_call_high", title="At most", is_share=True, digits=2),
        ),
        rows=tuple(rows),
    )


def _site(site: Site) -> dict[str, Cell]:
    return {
        "kind": "site",
        "slot": site.slot,
        "frame": site.frame,
        "region": site.region,
        "size_mm": site.size_mm,
        "label": site.label,
        "found": site.found,
        "rejected": site.rejected,
        "blind": site.blind,
    }


def _gaps(asked: Asked, sites: Sites, fits: dict[str, Pod | Missing]) -> Iterator[Gap]:
    wanted = (
        f"Have at least {SITES} flaws measured, of sizes that the line finds from {SPAN[0]:.0%} to {SPAN[1]:.0%} of "
        "the time, and bring them in with size_mm: linectl labels import FILE.csv; a bench station has a twin: "
        f"linectl labels import --from-twin --station {asked.station.name}."
    )
    for kind, found in fits.items():
        if isinstance(found, Missing):
            yield Gap(title=f"No curve: {KINDS[kind]}", missing=_sentence(found.why), remedy=wanted)
            continue
        if isinstance(found.a90_bound_mm, Missing):
            yield Gap(title=f"No a90/95: {KINDS[kind]}", missing=_sentence(found.a90_bound_mm.why), remedy=wanted)
        for told in found.shortcomings:
            yield Gap(title=f"Short of a full trial: {KINDS[kind]}", missing=_sentence(told), remedy=wanted)
    if own := list(known_by_the_line(sites.flaws)):
        yield Gap(
            title="Flaws that the line itself found",
            missing=f"{len(own)} of {len(sites.flaws)} sites name a region of the line, not found blind: such "
            "a flaw can only be a hit, and the curve is too good.",
            remedy="Search frames or parts for flaws without the line's regions, and say blind = yes.",
        )
    if not sites.clean:
        yield Gap(
            title="No clean site",
            missing="No part without a flaw is labelled: how often the line calls out for nothing is not known.",
            remedy="Have good parts looked at too, and label them good, without a size.",
        )
    if sites.unsized or sites.disputed:
        yield Gap(
            title="Labels that are no sites",
            missing=f"{sites.unsized} flaws have no size, of {sites.disputed} it is disputed whether they are any.",
            remedy="Have them measured, or adjudicated.",
        )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
