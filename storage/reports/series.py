"""The series of a camera that control charts are drawn of, and the charts: each with the limits that belong to it.

Subgroups are minutes, hours or shifts, as neighbouring frames resemble each other. Of automatic inspection a subgroup
has thousands of parts, so Laney's p′ and u′ are the default; below one reject in a thousand parts a chart of shares
shows nothing but zeros, and what lies between two rejects is drawn instead.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from storage.report_questions import Period, Subgroup
from storage.report_rows import Ending
from storage.reports.asked import Asked
from storage.statistics.attribute_charts import c_chart, np_chart, p_chart, u_chart
from storage.statistics.charts import Baseline, Chart, in_phases
from storage.statistics.missing import Missing
from storage.statistics.rare_event_charts import g_chart, t_chart
from storage.statistics.run_rules import NELSON, OF_ATTRIBUTES, WESTERN_ELECTRIC, Rule
from storage.statistics.variable_charts import ewma_chart, xmr_charts

RARE = 0.001  # share of rejects: below, what lies between them is drawn
ENDINGS_MOST = 20_000  # rejected and not inspected parts of a camera that are read one by one
SAME_SIZE = 1.25  # of a c-chart: the largest sample over the smallest
HOUR_NS = 3_600_000_000_000

Draw = Callable[[slice], Chart | Missing]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One chart of one camera, phase by phase."""

    camera: str
    chart: str  # a key of KINDS
    at: tuple[int, ...]  # of each point, wall time, ns
    phases: tuple[Chart | Missing, ...]
    cut: bool = False  # older rows were not read

    @property
    def key(self) -> str:
        return f"{self.camera}/{self.chart}"

    @property
    def charts(self) -> tuple[Chart, ...]:
        return tuple(phase for phase in self.phases if isinstance(phase, Chart))


def series_of(asked: Asked, camera: str, groups: Sequence[Subgroup], period: Period) -> Iterator[Series]:
    """The charts that were asked for, or those that fit this camera's rate of rejects."""
    names = asked.options.charts or fitting(groups)
    endings = asked.snapshot.rows.endings(period, camera, ENDINGS_MOST) if {"g", "t"}.intersection(names) else []
    for name in names:
        baseline = asked.options.frozen.limits.get(f"{camera}/{name}") if asked.options.frozen else None
        if name in {"g", "t"}:
            at, draw = _between_rejects(asked, name, endings, baseline)
        elif name.startswith(("ewma-", "xmr-")):
            at, draw = _measured(asked, name, groups, baseline)
        else:
            at, draw = [group.starts_at for group in groups], _attribute(asked, name, groups, baseline)
        cut = name in {"g", "t"} and len(endings) == ENDINGS_MOST
        yield Series(camera=camera, chart=name, at=tuple(at), phases=_phases(asked, at, draw, baseline), cut=cut)


def fitting(groups: Sequence[Subgroup]) -> tuple[str, ...]:
    """Laney's charts, or those of rare rejects; and EWMA of what was measured."""
    inspected = sum(group.verdicts - group.not_inspected for group in groups)
    rejected = sum(group.rejected for group in groups)
    rare = inspected > 0 and rejected / inspected < RARE
    return (*(("g", "t") if rare else ("laney-p",)), "laney-u", "ewma-area", "ewma-light", "ewma-score")


def _phases(asked: Asked, at: Sequence[int], draw: Draw, baseline: Baseline | None) -> tuple[Chart | Missing, ...]:
    """Frozen limits know no phases."""
    if not at:
        return (Missing("there is no point to draw"),)
    begins = () if baseline else (bisect_left(at, phase) for phase in asked.options.phases)
    return in_phases(draw, sorted({0, *(begin for begin in begins if begin < len(at))}), points=len(at))


def _attribute(asked: Asked, name: str, groups: Sequence[Subgroup], baseline: Baseline | None) -> Draw:
    n = np.array([group.verdicts - group.not_inspected for group in groups], np.float64)
    bad = np.array([group.rejected for group in groups], np.float64)
    defects = np.array([group.defects for group in groups], np.float64)
    rules: tuple[Rule, ...] = OF_ATTRIBUTES if asked.options.rules == "nelson" else ("WE1", "WE4")
    run = asked.options.run

    def draw(some: slice) -> Chart | Missing:
        match name:
            case "p" | "laney-p":
                laney = name == "laney-p"
                return p_chart(bad[some], n[some], baseline=baseline, rules=rules, run=run, laney=laney)
            case "np":
                return np_chart(bad[some], n[some], baseline=baseline, rules=rules, run=run)
            case "u" | "laney-u":
                laney = name == "laney-u"
                return u_chart(defects[some], n[some], baseline=baseline, rules=rules, run=run, laney=laney)
            case _:
                if (sizes := n[some]).max() > SAME_SIZE * max(1.0, sizes.min()):
                    return Missing(
                        f"a c-chart needs samples of one size; these have {sizes.min():g} to {sizes.max():g} parts: "
                        "take u or laney-u"
                    )
                return c_chart(defects[some], baseline=baseline, rules=rules, run=run)

    return draw


def _measured(asked: Asked, name: str, groups: Sequence[Subgroup], baseline: Baseline | None) -> tuple[list[int], Draw]:
    """Of the means of subgroups; one in which nothing was measured has no point."""
    how, _, measure = name.partition("-")
    means = [(group.starts_at, mean) for group in groups if (mean := group.measure(measure).mean) is not None]
    values = np.array([mean for _, mean in means], np.float64)
    rules = NELSON if asked.options.rules == "nelson" else WESTERN_ELECTRIC

    def draw(some: slice) -> Chart | Missing:
        if how == "ewma":
            return ewma_chart(values[some], baseline=baseline)
        found = xmr_charts(values[some], baseline=baseline, rules=rules, run=asked.options.run)
        return found if isinstance(found, Missing) else found.individuals

    return [at for at, _ in means], draw


def _between_rejects(
    asked: Asked, name: str, endings: Sequence[Ending], baseline: Baseline | None
) -> tuple[list[int], Draw]:
    at, good, hours = between_rejects(endings)
    values = good if name == "g" else hours
    chart = g_chart if name == "g" else t_chart
    rules: tuple[Rule, ...] = OF_ATTRIBUTES if asked.options.rules == "nelson" else ("WE1", "WE4")

    def draw(some: slice) -> Chart | Missing:
        return chart(values[some], baseline=baseline, rules=rules, run=asked.options.run)

    return at, draw


def between_rejects(endings: Sequence[Ending]) -> tuple[list[int], NDArray[np.float64], NDArray[np.float64]]:
    """(when, good parts since the reject before, hours since it) of each reject but the first.

    Parts that were not inspected are not good. Where the count of parts began anew there is no interval.
    """
    at: list[int] = []
    good: list[float] = []
    hours: list[float] = []
    last: Ending | None = None
    unseen = 0
    for ending in endings:
        if not ending.rejected:
            unseen += 1
            continue
        if last is not None and ending.slot > last.slot:
            at.append(ending.captured_at)
            good.append(max(0, ending.slot - last.slot - 1 - unseen))
            hours.append((ending.captured_at - last.captured_at) / HOUR_NS)
        last, unseen = ending, 0
    return at, np.array(good), np.array(hours)
