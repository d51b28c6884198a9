"""Escape and overkill: how many passed parts are defective and how many rejected ones are good, from those that people
looked at again.

Parts are weighted by how they ended, since people look most at what was rejected or grey: storage/statistics/strata.py
has the estimate and its bounds. Beside it stands the one-sided exact bound of each stratum, 1 - 0.05^(1/n) where none
of n was wrong (storage/statistics/proportions.py).
"""

from collections.abc import Iterable, Sequence

import msgspec

from monitor.messages import Outcome
from storage.reports.asked import Asked
from storage.reports.figures import known, share
from storage.reports.judged import JudgedPart, Truth, labelled_parts
from storage.reports.page import Cell, Column, Fact, Gap, Page, Part, Table, Text
from storage.statistics.missing import Missing
from storage.statistics.proportions import clopper_pearson, upper_bound
from storage.statistics.strata import Estimate, Stratum, stratified

TITLE = "Escape and overkill"
CONFIDENCE = 0.95
PASSED = ("passed, nothing found", "passed, something found")
REJECTED = ("rejected, within the grey band", "rejected, clear")


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Escapes among the passed parts, or good ones among the rejected."""

    strata: tuple[Stratum, ...]
    estimate: Estimate | Missing
    upper: float | Missing  # of the share, one-sided

    @property
    def parts(self) -> int:
        return sum(each.parts for each in self.strata)

    @property
    def reviewed(self) -> int:
        return sum(each.reviewed for each in self.strata)

    @property
    def wrong(self) -> int:
        return sum(each.wrong for each in self.strata)

    @property
    def estimated(self) -> float | Missing:
        return self.estimate if isinstance(self.estimate, Missing) else self.estimate.share


def escape(asked: Asked) -> Page:
    """Of parts captured in the period; a part is what the worst of its frames is."""
    period = asked.period()
    endings = asked.snapshot.labels.endings(period, asked.options.camera)
    total = sum(each.parts for each in endings)
    if not total:
        return asked.missing("escape", TITLE, period)
    parts = labelled_parts(asked, period)
    sizes: dict[str, int] = {}
    for each in endings:
        name = stratum_name(each.rejected, clear=each.clear, uninspected=each.uninspected, found=each.found)
        sizes[name] = sizes.get(name, 0) + each.parts
    escapes = side(PASSED, sizes, parts, wrong=Truth.DEFECTIVE)
    overkill = side(REJECTED, sizes, parts, wrong=Truth.GOOD)
    caught = side(REJECTED, sizes, parts, wrong=Truth.DEFECTIVE)
    uninspected = total - escapes.parts - overkill.parts
    rows = [*_rows("escape", escapes), *_rows("overkill", overkill)]
    return asked.page(
        "escape",
        TITLE,
        period,
        facts=_facts(escapes, overkill, _missed(escapes, caught), uninspected),
        parts=[
            _table("Escapes: passed parts that are defective", _rows("escape", escapes)),
            _table("Overkill: rejected parts that are good", _rows("overkill", overkill)),
            *_gaps(asked, escapes, overkill, parts),
            Text(title="How these are reckoned", text=_reckoned(parts)),
        ],
        rows=rows,
        row_count=total,
        query={"confidence": CONFIDENCE},
    )


def side(names: Sequence[str], sizes: dict[str, int], parts: Iterable[JudgedPart], *, wrong: Truth) -> Side:
    """The strata of these names; `wrong` is the truth that they should not have."""
    reviewed = dict.fromkeys(names, 0)
    seen_wrong = dict.fromkeys(names, 0)
    for part in parts:
        name = stratum_of(part)
        if name in reviewed and part.truth not in {None, Truth.DISPUTED}:
            reviewed[name] += 1
            seen_wrong[name] += part.truth is wrong
    strata = tuple(
        Stratum(name=name, parts=sizes.get(name, 0), reviewed=reviewed[name], wrong=seen_wrong[name]) for name in names
    )
    return Side(strata=strata, estimate=stratified(strata, confidence=CONFIDENCE), upper=upper_share(strata))


def upper_share(strata: Sequence[Stratum], *, confidence: float = CONFIDENCE) -> float | Missing:
    """The one-sided bound of the share of wrong parts, of a line that goes on as it did.

    With one stratum it is that of Clopper and Pearson. Of more, each of the m that were sampled gets the confidence
    c^(1/m) (Šidák), and a stratum that nobody looked at may be wrong altogether. Missing without a reviewed part.
    """
    filled = [each for each in strata if each.parts]
    sampled = sum(bool(each.reviewed) for each in filled)
    if not sampled:
        return Missing(f"none of {sum(each.parts for each in filled)} parts has a label that says what it is")
    bound = 0.0
    for each in filled:
        high = upper_bound(each.wrong, each.reviewed, confidence=confidence ** (1 / sampled))
        bound += each.parts * (1.0 if isinstance(high, Missing) else high)
    return bound / sum(each.parts for each in filled)


def stratum_of(part: JudgedPart) -> str:
    """As `Labels.endings` counts them."""
    rejecting = [frame for frame in part.frames if frame.outcome == Outcome.REJECT]
    return stratum_name(
        bool(rejecting),
        clear=any(not frame.grey for frame in rejecting),
        uninspected=any(frame.outcome == Outcome.NOT_INSPECTED for frame in part.frames),
        found=any(frame.area_px for frame in part.frames),
    )


def stratum_name(rejected: bool, *, clear: bool, uninspected: bool, found: bool) -> str:
    if rejected:
        return REJECTED[clear]
    return "not inspected" if uninspected else PASSED[found]


def _facts(escapes: Side, overkill: Side, missed: float | Missing, uninspected: int) -> list[Fact]:
    bound = f"{CONFIDENCE:.0%}, one-sided"
    return [
        share("escape_share", "Escapes, of passed parts", escapes.estimated, _interval(escapes), digits=3),
        share("escape_upper", "Escapes, at most", escapes.upper, bound, digits=3),
        share("overkill_share", "Overkill, of rejected parts", overkill.estimated, _interval(overkill), digits=3),
        share("overkill_upper", "Overkill, at most", overkill.upper, bound, digits=3),
        share("miss_share", "Missed, of defective parts", missed, "estimated; borderline parts left out", digits=3),
        Fact(key="escapes_seen", title="Escapes found", value=escapes.wrong, note=_of(escapes)),
        Fact(key="overkill_seen", title="Good parts found rejected", value=overkill.wrong, note=_of(overkill)),
        Fact(key="not_inspected", title="Not inspected", value=uninspected, note="rejected unseen: neither of the two"),
    ]


def _of(side: Side) -> str:
    return f"of {side.reviewed} reviewed, of {side.parts}"


def _interval(side: Side) -> str:
    if isinstance(side.estimate, Missing):
        return ""
    low, high = side.estimate.share_low, side.estimate.share_high
    return f"{CONFIDENCE:.0%}: {100 * low:.3f} to {100 * high:.3f} %"


def _missed(escapes: Side, caught: Side) -> float | Missing:
    """Of the defective parts that were inspected, those that passed."""
    for each in (escapes.estimate, caught.estimate):
        if isinstance(each, Missing):
            return each
    missed, found = (each.estimate.wrong for each in (escapes, caught) if isinstance(each.estimate, Estimate))
    return missed / (missed + found) if missed + found else Missing("no defective part was found, passed or rejected")


def _rows(of: str, found: Side) -> list[dict[str, Cell]]:
    rows: list[dict[str, Cell]] = []
    for each in found.strata:
        exact = clopper_pearson(each.wrong, each.reviewed, confidence=CONFIDENCE)
        rows.append(
            {
                "of": of,
                "stratum": each.name,
                "parts": each.parts,
                "reviewed": each.reviewed,
                "wrong": each.wrong,
                "share": None if isinstance(exact, Missing) else exact.estimate,
                "low": None if isinstance(exact, Missing) else exact.low,
                "high": None if isinstance(exact, Missing) else exact.high,
                "upper": known(upper_bound(each.wrong, each.reviewed, confidence=CONFIDENCE)),
            }
        )
    return rows


def _table(title: str, rows: list[dict[str, Cell]]) -> Table:
    return Table(
        title=title,
        columns=(
            Column(key="stratum", title="How they ended"),
            Column(key="parts", title="Parts"),
            Column(key="reviewed", title="Reviewed"),
            Column(key="wrong", title="Wrong"),
            Column(key="share", title="Share", is_share=True, digits=3),
            Column(key="low", title="Low", is_share=True, digits=3),
            Column(key="high", title="High", is_share=True, digits=3),
            Column(key="upper", title="At most", is_share=True, digits=3),
        ),
        rows=tuple(rows),
        note=f"Low and high: Clopper and Pearson, {CONFIDENCE:.0%} of both sides. At most: the same, of one side.",
    )


def _gaps(asked: Asked, escapes: Side, overkill: Side, parts: Sequence[JudgedPart]) -> Iterable[Part]:
    station = asked.station.name
    for found, outcome in ((escapes, "pass"), (overkill, "reject")):
        for each in found.strata:
            if each.parts and not each.reviewed:
                yield Gap(
                    title=f"Nobody looked at: {each.name}",
                    missing=f"None of {each.parts} parts ({each.name}) has a label that says whether it is good.",
                    remedy=f"Draw some by chance (linectl history --station {station} --outcome {outcome}), have them "
                    "looked at, and bring the labels in: linectl labels import FILE.csv. 59 of 59 right show less "
                    "than 5 % wrong with 95 % confidence, 299 of 299 less than 1 %.",
                )
    if disputed := [part.slot for part in parts if part.truth is Truth.DISPUTED]:
        yield Gap(
            title="Who looked does not agree",
            missing=f"Labels of {len(disputed)} parts, as of slot {disputed[0]}, contradict each other: none counts.",
            remedy="Adjudicate them: a line with the state adjudicated for linectl labels import.",
        )


def _reckoned(parts: Sequence[JudgedPart]) -> str:
    borderline = sum(part.truth is Truth.BORDERLINE for part in parts)
    return (
        "Each stratum's share of wrong parts is weighted with its parts; the bounds of the estimate are those of the "
        "finite number of parts in the period (hypergeometric), the one-sided bound is that of a line that goes on so. "
        "All this holds where the reviewed parts of a stratum were drawn by chance: labels do not say how they were. "
        f"Borderline parts ({borderline} here) are reviewed and never wrong. A stratum that nobody looked at counts as "
        "wrong altogether in the one-sided bound."
    )
