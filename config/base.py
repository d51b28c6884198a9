"""What every table of a station file shares: strict, frozen, no unknown keys."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict

type_checked_list = Strict(False)  # TOML has lists, we keep tuples: the container may convert, its items may not

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$", description="lower case, digits and dashes")]
Milliseconds = Annotated[float, Field(gt=0, le=600_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class Table(BaseModel):
    """One table of a station file; an unknown key or a value of another type is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
