"""How long the pictures of a verdict are kept, by how it ended. Rows stay for ever; see docs/retention.md."""

from typing import Annotated

from pydantic import Field

from config.base import Table

Days = Annotated[int, Field(ge=0, le=36_500)]


class Retention(Table):
    """Days from capture; 0: for ever. A picture that two verdicts name is kept for the longer of them."""

    pass_days: Days = 30  # the sampled full frames of good parts: many, and of use to whoever looks at the last weeks
    reject_days: Days = 3650  # what a customer may ask about
    grey_days: Days = 3650  # within the grey band, whichever way it went: what the next net learns from
    not_inspected_days: Days = 365
