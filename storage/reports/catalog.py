"""The reports that there are, by the name on the command line; a new one is a file beside this and a row here."""

from importlib import import_module
from typing import NamedTuple

from storage.reports.asked import Asked
from storage.reports.page import Page


class Report(NamedTuple):
    made_by: str  # module:function, Asked → Page; imported when asked for, as charts take a second to load
    says: str  # in one line


REPORTS: dict[str, Report] = {
    "shift": Report(
        "storage.reports.shift:shift", "what a shift hands over: parts, rejects, holds, alarms, lateness, changes"
    ),
    "quality": Report("storage.reports.quality:quality", "FPY, RTY, DPU, DPMO, and the share that was inspected"),
    "spc": Report(
        "storage.reports.spc:spc", "control charts: Laney p′ and u′, g and t of rare rejects, EWMA, run rules"
    ),
    "pareto": Report("storage.reports.pareto:pareto", "which zones, sizes, cameras and shifts most defects come from"),
    "map": Report(
        "storage.reports.map:defect_map",
        "where on the part defects lie, and whether they repeat as a roll's mark would",
    ),
    "latency": Report("storage.reports.latency:latency", "how long verdicts took, and how late the gate was told"),
    "pod": Report("storage.reports.pod:pod", "probability of detection by size: a50, a90, a90/95, false calls"),
    "agreement": Report(
        "storage.reports.agreement:agreement",
        "the line against inspectors, and inspectors among themselves: kappa, AC1",
    ),
    "escape": Report(
        "storage.reports.escape:escape", "passed parts that are defective, rejected ones that are good, with bounds"
    ),
    "what-if": Report(
        "storage.reports.what_if:what_if",
        "other limits over the stored masks: which verdicts move, and whether that is better",
    ),
    "trace": Report(
        "storage.reports.trace:trace", "one part: every frame, verdict, command and label, and the proof of the chain"
    ),
}


def make(name: str, asked: Asked) -> Page:
    """The report of this name; `KeyError` where there is none."""
    module, _, function = REPORTS[name].made_by.partition(":")
    page: Page = getattr(import_module(module), function)(asked)
    return page
