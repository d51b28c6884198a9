"""The settings of a training run, from a file, from options, or from the run that is resumed."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.training import Training
from workers.errors import TrainingError
from workers.run_folder import differences, settings_of

FILE_BYTES = 1 << 20
PATHS = ("root", "begin_with")
OPTION_OF = {"height": "size", "input_width": "size"}  # keys that the command line gives another way


def read_settings(path: Path) -> dict[str, Any]:
    """The table of a settings file (TOML, keys as in config/training.py)."""
    try:
        if path.stat().st_size > FILE_BYTES:
            raise TrainingError(f"{path}: {path.stat().st_size} bytes; a settings file has at most {FILE_BYTES}")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{path}: is no TOML: {error}") from error


def settings(options: Mapping[str, Any], *, config: Path | None) -> Training:
    """Those of the file, with the options that were given in their place; TrainingError names the key at fault."""
    return _over({}, options, config)


def settings_resumed(options: Mapping[str, Any], *, config: Path | None, run: Path) -> Training:
    """Those of the run in this folder; what is given besides may repeat them, and say where the data lies now."""
    begun = settings_of(run)
    repeated = _over(begun.model_dump(), options, config)
    if differing := differences(begun, repeated):
        raise TrainingError(f"--resume: the run in {run} was started with {differing}; leave out what differs")
    return repeated


def parsed_size(size: str) -> tuple[int, int]:
    """`704x256` → 704 lines, 256 px across."""
    high, _, wide = size.partition("x")
    try:
        return int(high), int(wide)
    except ValueError:
        raise TrainingError(f"--size: {size!r} is not LINESxPX, as 1000x160") from None


def _over(table: dict[str, Any], options: Mapping[str, Any], config: Path | None) -> Training:
    """This table, under the file's, under the options that were given."""
    given = {key: value for key, value in options.items() if value is not None}
    table = table | ({} if config is None else read_settings(config)) | given
    for key in PATHS:
        if isinstance(table.get(key), str):
            table[key] = str(Path(table[key]).resolve())  # a run goes on from any folder
    return _validated(table, given=given, config=config)


def _validated(table: dict[str, Any], *, given: Mapping[str, Any], config: Path | None) -> Training:
    try:
        return Training.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else first["type"]  # a rule over several keys is named for one
        at = f"--{OPTION_OF.get(key, key).replace('_', '-')}" if config is None or key in given else f"{config}: {key}"
        if first["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, Training.model_fields, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise TrainingError(f"{at}: is not a key here{hint}; keys are {sorted(Training.model_fields)}") from error
        found = f", found {first['input']!r}" if first["loc"] else ""
        raise TrainingError(f"{at}: {first['msg']}{found}") from error
