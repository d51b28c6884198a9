"""Pareto: which few kinds make most of the defects, by count, area or cost.

Source: Juran, Quality Control Handbook. Rows fall by amount; of equal ones the one given first stands first, so that a
report is the same each time. "other" stands last however large it is: it is no kind that anyone could work on.
"""

from collections.abc import Mapping

import msgspec

from storage.statistics.missing import Missing

OTHER = "other"
ROUNDING = 1e-12  # of a share: a kind that reaches the line exactly has reached it


class Row(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    amount: float  # count, mm² or cost
    share: float  # of all, 0..1
    cumulative: float  # with the rows above
    vital: bool  # one of the fewest that together reach the line; never "other"


class Pareto(msgspec.Struct, frozen=True, kw_only=True):
    rows: tuple[Row, ...]
    total: float
    line: float  # 0.8: the share that the vital few reach
    reached: bool  # kinds other than "other" do reach it
    merged: int  # kinds that are counted under "other" because they were beyond the most


def pareto(amounts: Mapping[str, float], *, most: int = 10, line: float = 0.8) -> Pareto | Missing:
    """Rows of the `most` largest kinds, and "other" for what was given under that name and for all further ones.

    Amounts are 0 or more; kinds of 0 are left out. ValueError for one below 0, or for a line that is not in (0, 1].
    """
    if most < 1 or not 0 < line <= 1:
        raise ValueError(f"most {most} must be 1 or more, line {line} above 0 and at most 1")
    if wrong := [kind for kind, amount in amounts.items() if not 0 <= amount < float("inf")]:
        raise ValueError(f"amounts of {wrong}: finite ones from 0 are needed")
    kinds = sorted(
        ((kind, amount) for kind, amount in amounts.items() if amount and kind != OTHER), key=lambda each: -each[1]
    )
    kept, merged = kinds[:most], kinds[most:]
    other = amounts.get(OTHER, 0) + sum(amount for _, amount in merged)
    total = sum(amount for _, amount in kept) + other
    if not total:
        return Missing("a Pareto needs an amount above 0; there is none")
    rows, before = [], 0.0
    for kind, amount in [*kept, *([(OTHER, other)] if other else [])]:
        cumulative = before + amount
        vital = kind != OTHER and before / total < line - ROUNDING
        rows.append(Row(kind=kind, amount=amount, share=amount / total, cumulative=cumulative / total, vital=vital))
        before = cumulative
    named = sum(amount for _, amount in kept)
    return Pareto(
        rows=tuple(rows), total=total, line=line, reached=named / total >= line - ROUNDING, merged=len(merged)
    )
