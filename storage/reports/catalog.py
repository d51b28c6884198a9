"""The reports that there are, by the name on the command line; a new one is a file beside this and a row here."""

from collections.abc import Callable
from typing import NamedTuple

from storage.reports.agreement import agreement
from storage.reports.asked import Asked
from storage.reports.escape import escape
from storage.reports.latency import latency
from storage.reports.map import defect_map
from storage.reports.page import Page
from storage.reports.pareto import pareto
from storage.reports.pod import pod
from storage.reports.quality import quality
from storage.reports.shift import shift
from storage.reports.spc import spc
from storage.reports.trace import trace
from storage.reports.what_if import what_if


class Report(NamedTuple):
    make: Callable[[Asked], Page]
    says: str  # in one line


REPORTS: dict[str, Report] = {
    "shift": Report(shift, "what a shift hands over: parts, rejects, holds, alarms, lateness, changes"),
    "quality": Report(quality, "FPY, RTY, DPU, DPMO, and the share that was inspected"),
    "agreement": Report(agreement, "the line against inspectors, and inspectors among themselves: kappa, AC1"),
    "escape": Report(escape, "passed parts that are defective, rejected ones that are good: rates with bounds"),
    "pod": Report(pod, "probability of detection by size: a50, a90, a90/95, false calls"),
    "trace": Report(trace, "one part: every frame, verdict, command and label, and the proof of the chain"),
    "what-if": Report(what_if, "other limits over the stored masks: which verdicts move, and whether that is better"),
    "spc": Report(spc, "control charts: Laney p′ and u′, g and t of rare rejects, EWMA, run rules"),
    "pareto": Report(pareto, "which zones, sizes, cameras and shifts most defects come from"),
    "map": Report(defect_map, "where on the part defects lie, and whether they repeat as a mark on a roll would"),
    "latency": Report(latency, "how long verdicts took, and how late the gate was told"),
}
