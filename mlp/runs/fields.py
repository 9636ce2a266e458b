"""The types of a record's fields: what they may hold is checked when they are read."""

from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any, Literal

from annotated_types import Ge, Lt
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    JsonValue,
    StringConstraints,
)


def _plain(value: Any) -> Any:
    """Refuse control characters, which a terminal would obey, and numbers that JSON has not."""
    match value:
        case str():
            if any(c not in "\n\t" and (c < " " or "\x7f" <= c <= "\x9f") for c in value):
                raise ValueError("it has control characters")
        case float() if not isfinite(value):
            raise ValueError("it is not a finite number")
        case dict():
            _plain([*value, *value.values()])
        case list():
            for item in value:
                _plain(item)
    return value


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it has unprintable characters")
    return text


Id = Annotated[str, StringConstraints(pattern=r"^[\w-][\w. -]{0,99}\Z")]  # it names a folder
Line = Annotated[str, AfterValidator(_printable)]
Text = Annotated[str, AfterValidator(_plain)]
Value = Annotated[JsonValue, AfterValidator(_plain)]
Count = Annotated[int, Ge(0), Lt(2**53)]
FIRST, LAST = (datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 3000))
Moment = Annotated[AwareDatetime, Ge(FIRST), Lt(LAST)]
Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


class Model(BaseModel):
    """Values that were checked, and do not change."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        regex_engine="python-re",  # Rust's takes 65 ms to compile them
    )
