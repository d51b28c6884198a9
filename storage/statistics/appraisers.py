"""Attribute agreement (MSA): the system and people judge the same parts, some times over, and a reference knows them.

What is counted (AIAG, Measurement Systems Analysis, 4th ed., ch. III-C; as Minitab's Stat menu, not its Assistant):
within: parts of which all trials of one appraiser are alike; between: parts of which all trials of all are alike;
against the reference: parts of which all trials are right. This last one is an appraiser's effectiveness.

Miss and false-alarm rate count decisions: those that let a defective part pass, those that reject a good one. Trials of
one part are no separate proof, so their bounds count parts: the lower one those that were misjudged in each trial, the
upper one those in any, both exact; the rate of decisions lies between. Kappa against the reference is over decisions
too, with the standard error of so many parts.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.statistics.agreement import Agreement, cohen_kappa_of_table, fleiss_kappa, gwet_ac1
from storage.statistics.missing import Missing
from storage.statistics.proportions import Proportion, clopper_pearson

GOOD_KAPPA = 0.75  # AIAG: from here on good
POOR_KAPPA = 0.4  # below: poor

Judged = NDArray[np.bool_]


class DecisionRate(msgspec.Struct, frozen=True, kw_only=True):
    wrong: int  # decisions
    decisions: int
    parts: int  # that they were about
    rate: float  # wrong / decisions
    low: float  # bounds of it, by parts
    high: float
    confidence: float


class Appraiser(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    within: Proportion | Missing
    effectiveness: Proportion | Missing  # against the reference
    kappa: Agreement | Missing  # Cohen's, against the reference
    misses: DecisionRate | Missing  # of the defective parts
    false_alarms: DecisionRate | Missing  # of the good parts


class Study(msgspec.Struct, frozen=True, kw_only=True):
    parts: int
    trials: int
    appraisers: tuple[Appraiser, ...]
    between: Proportion | Missing
    all_right: Proportion | Missing  # parts that all appraisers judged right in all trials
    kappa_between: Agreement | Missing  # Fleiss', over all trials of all
    ac1_between: Agreement | Missing  # Gwet's, which a low prevalence leaves readable


def agreement_study(
    rejected: ArrayLike, appraisers: Sequence[str], *, defective: ArrayLike | None = None, confidence: float = 0.95
) -> Study | Missing:
    """rejected (P, A, T) bool: part, appraiser in the order of their names, trial. defective (P,) bool: the reference.

    Missing without a part. What needs a second trial, a second appraiser or a reference is missing on its own.
    ValueError for shapes that do not fit.
    """
    judged = np.asarray(rejected, np.bool_)
    if judged.ndim != 3 or judged.shape[1] != len(appraisers) or 0 in judged.shape[1:]:
        raise ValueError(f"rejected: {judged.shape} is not (parts, {len(appraisers)} appraisers, trials)")
    truth = None if defective is None else np.asarray(defective, np.bool_)
    if truth is not None and truth.shape != judged.shape[:1]:
        raise ValueError(f"defective: {truth.shape} is not one for each of {judged.shape[0]} parts")
    parts, people, trials = judged.shape
    if not parts:
        return Missing("a study needs a part; there is none")
    flat = judged.reshape(parts, -1)
    alone = Missing("agreement between appraisers needs two of them")
    return Study(
        parts=parts,
        trials=trials,
        appraisers=tuple(
            _appraiser(name, judged[:, place], truth, confidence) for place, name in enumerate(appraisers)
        ),
        between=clopper_pearson(_alike(flat), parts, confidence=confidence) if people > 1 else alone,
        all_right=_right(flat, truth, confidence),
        kappa_between=fleiss_kappa(flat, confidence=confidence) if people > 1 else alone,
        ac1_between=gwet_ac1(flat, confidence=confidence) if people > 1 else alone,
    )


def _appraiser(name: str, judged: Judged, truth: Judged | None, confidence: float) -> Appraiser:
    """judged (P, T)."""
    parts, trials = judged.shape
    once = Missing("agreement of an appraiser with himself needs two trials")
    none = Missing("there is no reference")
    return Appraiser(
        name=name,
        within=clopper_pearson(_alike(judged), parts, confidence=confidence) if trials > 1 else once,
        effectiveness=_right(judged, truth, confidence),
        kappa=none if truth is None else _kappa(judged, truth, confidence),
        misses=none if truth is None else _rate(~judged[truth], "defective", confidence),
        false_alarms=none if truth is None else _rate(judged[~truth], "good", confidence),
    )


def _alike(judged: Judged) -> int:
    return int(np.count_nonzero(judged.all(axis=1) | ~judged.any(axis=1)))


def _right(judged: Judged, truth: Judged | None, confidence: float) -> Proportion | Missing:
    if truth is None:
        return Missing("there is no reference")
    return clopper_pearson(
        int(np.count_nonzero((judged == truth[:, None]).all(axis=1))), len(truth), confidence=confidence
    )


def _kappa(judged: Judged, truth: Judged, confidence: float) -> Agreement | Missing:
    repeated = np.broadcast_to(truth[:, None], judged.shape)
    table = [
        [np.count_nonzero((judged == mine) & (repeated == true)) for true in (True, False)] for mine in (True, False)
    ]
    return cohen_kappa_of_table(table, parts=len(truth), confidence=confidence)


def _rate(wrong: Judged, what: str, confidence: float) -> DecisionRate | Missing:
    """wrong (P, T): of the parts of one kind."""
    always = clopper_pearson(int(np.count_nonzero(wrong.all(axis=1))), len(wrong), confidence=confidence)
    ever = clopper_pearson(int(np.count_nonzero(wrong.any(axis=1))), len(wrong), confidence=confidence)
    if isinstance(always, Missing) or isinstance(ever, Missing):
        return Missing(f"the reference has no {what} part")
    return DecisionRate(
        wrong=int(np.count_nonzero(wrong)),
        decisions=wrong.size,
        parts=len(wrong),
        rate=float(wrong.mean()),
        low=always.low,
        high=ever.high,
        confidence=confidence,
    )
