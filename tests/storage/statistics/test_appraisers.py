"""A part counts where all its trials do; rates of decisions have bounds by parts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from storage.statistics.agreement import Agreement
from storage.statistics.appraisers import DecisionRate, Study, agreement_study
from storage.statistics.missing import Missing
from storage.statistics.proportions import Proportion, clopper_pearson


def shown(found: Study | Missing) -> Study:
    assert isinstance(found, Study), found
    return found


def hits(found: Proportion | Missing) -> tuple[int, int]:
    assert isinstance(found, Proportion), found
    return found.hits, found.of


def rate(found: DecisionRate | Missing) -> DecisionRate:
    assert isinstance(found, DecisionRate), found
    return found


def a_trial(seed: int, parts: int = 50) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Three appraisers, three trials: a third of the parts are defective."""
    rng = np.random.Generator(np.random.PCG64(seed))
    defective = rng.random(parts) < 1 / 3
    return defective[:, None, None] ^ (rng.random((parts, 3, 3)) < 0.06), defective


def test_each_kind_of_agreement_by_hand() -> None:
    rejected = np.array(
        [  # two appraisers, two trials
            [[1, 1], [1, 1]],  # all right
            [[1, 0], [1, 1]],  # the first differs with himself
            [[0, 0], [1, 1]],  # they differ with each other: the first missed it twice
            [[0, 0], [0, 1]],
            [[0, 0], [0, 0]],
            [[1, 1], [1, 1]],  # all alike, and wrong
        ],
        bool,
    )
    defective = np.array([1, 1, 1, 0, 0, 0], bool)

    found = shown(agreement_study(rejected, ["system", "inspector"], defective=defective))

    system, inspector = found.appraisers
    assert (hits(system.within), hits(inspector.within)) == ((5, 6), (5, 6))
    assert (hits(system.effectiveness), hits(inspector.effectiveness)) == ((3, 6), (4, 6))
    assert (hits(found.between), hits(found.all_right)) == ((3, 6), (2, 6))
    missed = rate(system.misses)
    assert (missed.wrong, missed.decisions, missed.parts, missed.rate) == (3, 6, 3, 0.5)
    always, ever = clopper_pearson(1, 3), clopper_pearson(2, 3)
    assert isinstance(always, Proportion)
    assert isinstance(ever, Proportion)
    assert (missed.low, missed.high) == (always.low, ever.high)
    assert rate(system.false_alarms).rate == pytest.approx(2 / 6)
    assert rate(inspector.false_alarms).rate == pytest.approx(3 / 6)
    assert rate(inspector.misses).wrong == 0


def test_rates_of_the_aiag_study() -> None:
    """Appraiser A of AIAG's example: 3 of 48 decisions miss, 5 of 102 are false alarms; kappa 0.88."""
    defective = np.arange(50) < 16
    rejected = np.repeat(defective[:, None], 3, axis=1)
    rejected[[0, 1, 2], 0], rejected[[20, 21, 22, 23, 24], 1] = False, True

    found = shown(agreement_study(rejected[:, None, :], ["A"], defective=defective)).appraisers[0]

    assert (rate(found.misses).rate, rate(found.false_alarms).rate) == pytest.approx((3 / 48, 5 / 102))
    assert hits(found.effectiveness) == (42, 50)
    assert isinstance(found.kappa, Agreement)
    assert found.kappa.value == pytest.approx(0.88, abs=5e-3)


def test_trials_of_one_part_are_no_separate_proof() -> None:
    """Three trials that are copies of one leave bounds as they were; by decisions they would look narrower."""
    rejected, defective = a_trial(1)
    once = rejected[:, :, :1]

    one = shown(agreement_study(once, list("ABC"), defective=defective)).appraisers[0]
    three = shown(agreement_study(np.repeat(once, 3, axis=2), list("ABC"), defective=defective)).appraisers[0]

    assert (rate(one.misses).low, rate(one.misses).high) == (rate(three.misses).low, rate(three.misses).high)
    assert isinstance(one.kappa, Agreement)
    assert isinstance(three.kappa, Agreement)
    assert (one.kappa.low, one.kappa.high) == pytest.approx((three.kappa.low, three.kappa.high))
    broken = clopper_pearson(rate(three.misses).wrong, rate(three.misses).decisions)
    assert isinstance(broken, Proportion)
    assert broken.high < rate(three.misses).high


@settings(deadline=None, max_examples=50)
@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 3), st.integers(1, 3))), st.integers(0, 2**12 - 1))
def test_shares_are_ordered(rejected: NDArray[np.bool_], bits: int) -> None:
    defective = np.array([bool(bits >> n & 1) for n in range(len(rejected))])

    found = shown(agreement_study(rejected, list("ABC")[: rejected.shape[1]], defective=defective))

    for each in found.appraisers:
        right, _ = hits(each.effectiveness)
        assert hits(found.all_right)[0] <= right
        if isinstance(each.within, Proportion):
            assert right <= each.within.hits
        for kind in (each.misses, each.false_alarms):
            assert isinstance(kind, Missing) or kind.low <= kind.rate <= kind.high
    if isinstance(found.between, Proportion):
        assert hits(found.all_right)[0] <= found.between.hits


def test_what_a_study_lacks_is_missing_on_its_own() -> None:
    alone = shown(agreement_study(np.zeros((4, 1, 1), bool), ["system"]))

    assert isinstance(alone.appraisers[0].within, Missing)
    assert isinstance(alone.appraisers[0].kappa, Missing)
    assert isinstance(alone.between, Missing)
    assert isinstance(alone.all_right, Missing)
    assert isinstance(agreement_study(np.zeros((0, 1, 1), bool), ["system"]), Missing)
    all_good = shown(agreement_study(np.zeros((4, 1, 2), bool), ["system"], defective=np.zeros(4, bool)))
    assert isinstance(found := all_good.appraisers[0].misses, Missing)
    assert "no defective part" in found.why


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 appraisers"):
        agreement_study(np.zeros((4, 1, 1), bool), ["A", "B"])
    with pytest.raises(ValueError, match="defective"):
        agreement_study(np.zeros((4, 1, 1), bool), ["A"], defective=[True])
