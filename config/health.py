"""When a frame is fit to be inspected: what fails here is not inspected, whatever the net says."""

from pydantic import Field

from config.base import Share, Table

Level = int  # grey level of an 8-bit frame


class Health(Table):
    """The defaults are for a real camera; a folder of drawn or copied pictures may need `loop_frames = 0`."""

    # a real sensor's noise never draws two frames alike: one equal to any of so many before it is frozen; 0: no gate
    loop_frames: int = Field(default=64, ge=0, le=64)
    # of the brightest hundredth: a part on a black ground is mostly black, and a dead lamp leaves no bright pixel
    dark_below_level: Level = Field(default=25, ge=0, le=255)  # the darkest of 1,555 real frames has 58
    saturated_from_level: Level = Field(default=254, ge=1, le=255)  # JPEG leaves some clipped pixels just below the top
    saturated_above_share: Share = 0.33  # of all pixels; the brightest of the same frames has 0.21
    # of the baseline's focus, 0: no gate; where good frames spread more than that, so many spreads of theirs
    blurred_below_share: Share = 0.8
    blurred_spreads: float = Field(default=4.0, ge=0, le=100)
    # light, contrast and focus, averaged over about so many frames: a change by this share is worth a warning
    drift_frames: int = Field(default=200, ge=1, le=100_000)
    drift_above_share: float = Field(default=0.2, gt=0, le=10)
