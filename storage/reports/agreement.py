"""Agreement (MSA): the line against inspectors, inspectors among themselves, and all against a reference.

What is counted and how stands in storage/statistics/appraisers.py and agreement.py, and on the page. A match is a call
on the same thing: a frame with a frame, a part with a part.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from storage.reports.asked import Asked
from storage.reports.figures import number, share
from storage.reports.judged import labelled_parts
from storage.reports.judgements import SYSTEM, Calls, Judgements, Unit, judgements
from storage.reports.page import Cell, Column, Fact, Gap, Page, Part, Table, Text
from storage.statistics.agreement import Agreement, cohen_kappa, fleiss_kappa, gwet_ac1, pabak
from storage.statistics.appraisers import GOOD_KAPPA, POOR_KAPPA, Appraiser, DecisionRate, agreement_study
from storage.statistics.missing import Missing
from storage.statistics.proportions import Proportion

TITLE = "Agreement of the line and its inspectors"
CONFIDENCE = 0.95
SHORT = {"effectiveness": "Right", "miss_rate": "Missed", "false_alarm_rate": "False", "within": "Alike", "ac1": "AC1"}
COUNTS = 7  # columns of a pair before kappa
RECKONED = (
    "A call is reject or pass on a frame, or on a whole part, whichever was labelled; the line's is its outcome in "
    "force, and what it has not inspected is left out. Labels of single regions, borderline calls and a net's "
    "proposals are no calls. A call matches where both say the same of the same thing; types of defects are not "
    "compared. Of several labels of one reviewer in one trial the last is the call. Against the reference a part "
    "counts as right where all trials are, as in Minitab's Stat menu. The reference is the adjudicated label, or "
    f"the twin's of a bench station. Kappa is Cohen's for two and Fleiss' for more; from {GOOD_KAPPA:g} on it is "
    f"good, below {POOR_KAPPA:g} poor (AIAG). Where nearly all parts are good kappa is low though nearly all calls "
    f"agree: then read AC1 (Gwet) and PABAK. All bounds are of {CONFIDENCE:.0%}."
)


def agreement(asked: Asked) -> Page:
    """Of labels on parts captured in the period."""
    period = asked.period()
    parts = labelled_parts(asked, period)
    found = judgements(parts)
    if not found.inspectors and not found.reference:
        gap = Gap(
            title="Nobody has looked",
            missing=f"There is no label on a frame or part of {asked.station.name} in this period.",
            remedy="Have inspectors judge the same parts blind, a third of them defective, and bring their calls in: "
            "linectl labels import FILE.csv; at a bench station linectl labels import --from-twin.",
        )
        return asked.page("agreement", TITLE, period, parts=[gap], row_count=0)
    names = sorted(found.inspectors)
    pairs = [_pair(found, *pair) for pair in combinations([SYSTEM, *names], 2)]
    against = {name: _against(found, name) for name in [SYSTEM, *names]}
    return asked.page(
        "agreement",
        TITLE,
        period,
        facts=_facts(found, names, against[SYSTEM]),
        parts=[
            _pairs_table(pairs),
            _against_table([_row_against(name, each) for name, each in against.items() if each is not None]),
            _within_table([row for name in names if (row := _within(found, name)) is not None]),
            *_gaps(found, names),
            Text(title="How matches are counted", text=RECKONED),
        ],
        rows=[
            *({"kind": "pair", **row} for row in pairs),
            *({"kind": "reference", **_row_against(n, each)} for n, each in against.items() if each is not None),
        ],
        row_count=sum(len(part.frames) for part in parts),
        query={"confidence": CONFIDENCE},
    )


def _common(*calls: Calls) -> list[Unit]:
    """Units that all have judged, in order."""
    units = set(calls[0]).intersection(*calls[1:]) if calls else set()
    return sorted(units, key=lambda unit: (unit[0], unit[1] or ""))


def _pair(found: Judgements, one: str, other: str) -> dict[str, Cell]:
    a, b = found.first(one), found.first(other)
    units = _common(a, b)
    first, second = np.array([a[u] for u in units], np.bool_), np.array([b[u] for u in units], np.bool_)
    kappa = cohen_kappa(first, second, confidence=CONFIDENCE)
    ac1 = gwet_ac1(np.stack([first, second], axis=1), categories=2, confidence=CONFIDENCE)
    adjusted = pabak(first, second, categories=2, confidence=CONFIDENCE)
    return {
        "first": one,
        "second": other,
        "parts": len(units),
        "both_reject": int(np.count_nonzero(first & second)),
        "only_first_rejects": int(np.count_nonzero(first & ~second)),
        "only_second_rejects": int(np.count_nonzero(~first & second)),
        "both_pass": int(np.count_nonzero(~first & ~second)),
        **_bounded("kappa", kappa),
        **_bounded("ac1", ac1),
        "pabak": None if isinstance(adjusted, Missing) else adjusted.value,
    }


def _against(found: Judgements, name: str) -> Appraiser | None:
    """In the first trial, on what has a reference; None where there is nothing."""
    calls = found.first(name)
    units = _common(calls, found.reference)
    study = agreement_study(
        np.array([calls[u] for u in units], np.bool_).reshape(len(units), 1, 1),
        [name],
        defective=np.array([found.reference[u] for u in units], np.bool_),
        confidence=CONFIDENCE,
    )
    return None if isinstance(study, Missing) else study.appraisers[0]


def _within(found: Judgements, name: str) -> dict[str, Cell] | None:
    """How far an inspector agrees with himself, on what he was shown in each of his trials."""
    trials = [found.inspectors[name][trial] for trial in sorted(found.inspectors[name])]
    units = _common(*trials)
    if len(trials) < 2 or not units:
        return None
    shown = np.array([[trial[u] for trial in trials] for u in units], np.bool_)[:, None, :]
    study = agreement_study(shown, [name], confidence=CONFIDENCE)
    if isinstance(study, Missing):
        return None
    return {"appraiser": name, "trials": len(trials), **_share("within", study.appraisers[0].within)}


def _facts(found: Judgements, names: Sequence[str], line: Appraiser | None) -> list[Fact]:
    nothing = Missing("no part that the line has inspected has a reference")
    among = _among(found, names, "agreement between inspectors needs two of them")
    everyone = _among(found, [SYSTEM, *names], "it needs an inspector beside the line")
    kappa = line.kappa if line else nothing
    return [
        Fact(key="inspectors", title="Inspectors", value=len(names), note=", ".join(names)),
        Fact(key="calls", title="Calls", value=found.blind + found.seeing, note=f"{found.blind} of them blind"),
        number("kappa_reference", "Kappa, line and reference", _value(kappa), _note(kappa), digits=3),
        _rate("effectiveness", "Effectiveness of the line", line.effectiveness if line else nothing),
        _rate("miss_rate", "Defective parts that it passed", line.misses if line else nothing),
        _rate("false_alarm_rate", "Good parts that it rejected", line.false_alarms if line else nothing),
        number("kappa_inspectors", "Kappa, inspectors", _value(among[0]), _note(among[0]), digits=3),
        number("ac1_inspectors", "AC1, inspectors", _value(among[1]), _note(among[1]), digits=3),
        number("kappa_all", "Kappa, line and inspectors", _value(everyone[0]), _note(everyone[0]), digits=3),
        number("ac1_all", "AC1, line and inspectors", _value(everyone[1]), _note(everyone[1]), digits=3),
    ]


def _among(found: Judgements, names: Sequence[str], lack: str) -> tuple[Agreement | Missing, Agreement | Missing]:
    """Fleiss' kappa and AC1 of the first trials, on what all of them have judged."""
    if len(names) < 2:
        return Missing(lack), Missing(lack)
    calls = [found.first(name) for name in names]
    rated = np.array([[each[u] for each in calls] for u in _common(*calls)], np.bool_).reshape(-1, len(names))
    return fleiss_kappa(rated, confidence=CONFIDENCE), gwet_ac1(rated, categories=2, confidence=CONFIDENCE)


def _value(found: Agreement | Missing) -> float | Missing:
    return found if isinstance(found, Missing) else found.value


def _note(found: Agreement | Missing) -> str:
    return "" if isinstance(found, Missing) else f"{CONFIDENCE:.0%}: {found.low:.3f} to {found.high:.3f}"


def _rate(key: str, title: str, found: Proportion | DecisionRate | Missing) -> Fact:
    if isinstance(found, Missing):
        return share(key, title, found)
    wrong, of = (found.hits, found.of) if isinstance(found, Proportion) else (found.wrong, found.decisions)
    bounds = f"{CONFIDENCE:.0%}: {100 * found.low:.2f} to {100 * found.high:.2f} %"
    value = found.estimate if isinstance(found, Proportion) else found.rate
    return share(key, title, value, f"{wrong} of {of}; {bounds}")


def _bounded(key: str, found: Agreement | Missing) -> dict[str, Cell]:
    if isinstance(found, Missing):
        return {key: None, f"{key}_low": None, f"{key}_high": None}
    return {key: found.value, f"{key}_low": found.low, f"{key}_high": found.high}


def _share(key: str, found: Proportion | DecisionRate | Missing) -> dict[str, Cell]:
    match found:
        case Missing():
            return {f"{key}_n": None, key: None, f"{key}_low": None, f"{key}_high": None}
        case Proportion():
            return {f"{key}_n": found.of, key: found.estimate, f"{key}_low": found.low, f"{key}_high": found.high}
        case DecisionRate():
            return {f"{key}_n": found.decisions, key: found.rate, f"{key}_low": found.low, f"{key}_high": found.high}


def _row_against(name: str, found: Appraiser) -> dict[str, Cell]:
    return {
        "appraiser": name,
        **_share("effectiveness", found.effectiveness),
        **_share("miss_rate", found.misses),
        **_share("false_alarm_rate", found.false_alarms),
        **_bounded("kappa", found.kappa),
    }


def _pairs_table(rows: list[dict[str, Cell]]) -> Part:
    if not rows:
        return Text(title="Two by two", text="No inspector has judged a part.")
    digits = [None] * COUNTS + [3] * (len(rows[0]) - COUNTS)
    return Table(
        title="Two by two",
        columns=tuple(Column(key=key, title=_titled(key), digits=n) for key, n in zip(rows[0], digits, strict=True)),
        rows=tuple(rows),
        note="On what both have judged, each in the first trial.",
    )


def _against_table(rows: list[dict[str, Cell]]) -> Part:
    if not rows:
        return Text(title="Against the reference", text="There is none.")
    keys = [key for key in rows[0] if key != "appraiser"]
    return Table(
        title="Against the reference",
        columns=(
            Column(key="appraiser", title="Appraiser"),
            *map(_column, keys),
        ),
        rows=tuple(rows),
        note="Missed: of the n defective parts; false: alarms, of the n good ones.",
    )


def _within_table(rows: list[dict[str, Cell]]) -> Part:
    if not rows:
        return Text(title="Each with himself", text="No inspector was shown a part twice (the column trial).")
    return Table(
        title="Each with himself",
        columns=(
            Column(key="appraiser", title="Appraiser"),
            Column(key="trials", title="Trials"),
            Column(key="within_n", title="Parts"),
            *(Column(key=key, title=_titled(key), is_share=True, digits=1) for key in list(rows[0])[3:]),
        ),
        rows=tuple(rows),
        note="Parts of which all trials are alike.",
    )


def _column(key: str) -> Column:
    if key.endswith("_n"):
        return Column(key=key, title=f"{_titled(key.removesuffix('_n'))} n")
    return Column(key=key, title=_titled(key), is_share="kappa" not in key, digits=3 if "kappa" in key else 1)


def _titled(key: str) -> str:
    """Of a column, as narrow as twelve beside one another must be."""
    for name, title in SHORT.items():
        if key.startswith(name):
            return key.replace(name, title).replace("_", " ")
    return key.replace("_", " ").capitalize()


def _gaps(found: Judgements, names: Sequence[str]) -> Iterator[Gap]:
    if not found.reference:
        yield Gap(
            title="No reference",
            missing="No part has an adjudicated label: who is right cannot be said, only who agrees.",
            remedy="Have the parts measured or judged by an expert, and bring that in with the state adjudicated.",
        )
    if len(names) < 2:
        yield Gap(
            title="Inspectors among themselves",
            missing=f"{len(names)} inspectors have judged parts of this period: two are needed.",
            remedy="Have a second inspector judge the same parts blind, and bring the calls in.",
        )
    if found.seeing:
        yield Gap(
            title="Not independent",
            missing=f"{found.seeing} of {found.blind + found.seeing} calls were not blind: they lean to the verdict.",
            remedy="Show the parts without the verdict, and say blind = yes in the file.",
        )
    if not found.system:
        yield Gap(
            title="The line has no call",
            missing=f"All {found.uninspected} labelled frames and parts ended as NOT_INSPECTED.",
            remedy="Have parts labelled that the line has inspected.",
        )
