"""Which triggers went missing between two blocks of a GigE Vision stream; pure.

GVSP 1.x counts blocks in 16 bits and skips zero: 65535 is followed by 1. GVSP 2.x counts in 64 bits. Both begin
anew at 1 when a camera opens its stream.
"""

WRAP = 65_535  # the last id of 16 bits; the next is 1
FIRST_MOST = 50  # lost before the first that came; past it the camera's ids did not begin at 1
GAP_MOST = 10_000  # more lost at once than a link can be away without being noticed: the ids began anew


def lost_between(last: int, now: int) -> list[int] | None:
    """The ids that never came after `last` (0: the stream was just opened); None where the ids cannot tell.

    An id that came again lost nothing. A greater jump, back or ahead, is a camera that began anew: nobody
    knows how much was lost, and a million rows would be an invention.
    """
    if now == last:
        return []
    if now > last:
        most = GAP_MOST if last else FIRST_MOST
        return list(range(last + 1, now)) if now - last - 1 <= most else None
    if last <= WRAP and WRAP - last + now - 1 <= GAP_MOST:
        return [*range(last + 1, WRAP + 1), *range(1, now)]
    return None
