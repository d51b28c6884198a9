"""Which extra a station needs, and whether it is installed."""

from collections.abc import Iterator
from importlib.util import find_spec

from config.station import Station

EXTRAS = {"modbus": "pymodbus", "opcua": "asyncua"}  # extra: the package without which it is not there


def missing_extras(station: Station) -> Iterator[str]:
    """One line for each that is missing."""
    wanted = {f"{station.name}.actuator.kind": station.actuator.kind}
    if station.opcua_server is not None:
        wanted[f"{station.name}.opcua_server"] = "opcua"
    for place, extra in wanted.items():
        package = EXTRAS.get(extra)
        if package is not None and find_spec(package) is None:
            yield f"{place}: {extra!r} needs {package}, which is not installed: pip install 'line-monitor[{extra}]'"
