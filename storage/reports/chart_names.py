"""The control charts by the name that people ask for them: their kind, title, and what their axis shows."""

from storage.rollups import MEASURES
from storage.statistics.charts import Kind

UNITS = {"area": "defect area, mm²", "score": "score", "light": "light, grey levels", "focus": "focus", "latency": "ms"}
KINDS: dict[str, Kind] = {
    "p": "p",
    "np": "np",
    "c": "c",
    "u": "u",
    "laney-p": "laney p′",
    "laney-u": "laney u′",
    "g": "g",
    "t": "t",
    **{f"ewma-{measure}": "ewma" for measure in MEASURES},
    **{f"xmr-{measure}": "individuals" for measure in MEASURES},
}
TITLES = {
    "p": "Share rejected, p",
    "np": "Rejected parts, np",
    "c": "Defects a subgroup, c",
    "u": "Defects a part, u",
    "laney-p": "Share rejected, Laney p′",
    "laney-u": "Defects a part, Laney u′",
    "g": "Good parts between rejects, g",
    "t": "Time between rejects, t",
    **{f"ewma-{measure}": f"EWMA of {unit}" for measure, unit in UNITS.items()},
    **{f"xmr-{measure}": f"Mean {unit}, individuals" for measure, unit in UNITS.items()},
}
VALUES = {
    "p": "share rejected",
    "np": "rejected parts",
    "c": "defects",
    "u": "defects a part",
    "laney-p": "share rejected",
    "laney-u": "defects a part",
    "g": "good parts",
    "t": "hours",
    **{f"ewma-{measure}": unit for measure, unit in UNITS.items()},
    **{f"xmr-{measure}": unit for measure, unit in UNITS.items()},
}
