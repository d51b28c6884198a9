"""What stands where a figure cannot be had: a sentence that says what is missing, never a NaN.

A function that may lack what it needs returns `Figure | Missing`, so that mypy asks each report what it shows then.
What no observation could mend (a negative count, arrays of unlike length) is a ValueError instead.
"""

import msgspec


class Missing(msgspec.Struct, frozen=True):
    why: str  # what was found, and what would have been enough
