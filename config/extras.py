"""Which extras a station needs, and whether they are installed: said before anything starts."""

from collections.abc import Iterator
from importlib.util import find_spec

from config.station import Station

EXTRAS = {  # extra: the module without which it is not there
    "gige": "viva_genicam",
    "modbus": "pymodbus",
    "mqtt": "paho",
    "opcua": "asyncua",
}


def missing_extras(station: Station) -> Iterator[str]:
    """One line for each that is missing."""
    for place, extra in _wanted(station):
        module = EXTRAS.get(extra)
        if module is not None and (said := missing_module(extra, module)):
            yield f"{station.name}.{place}: {said}"


def missing_module(extra: str, module: str) -> str | None:
    """What to say, in one line, where this module of an extra is not installed; None where it is."""
    if find_spec(module) is not None:
        return None
    return f"{extra!r} needs {module}, which is not installed: pip install 'line-monitor[{extra}]'"


def _wanted(station: Station) -> Iterator[tuple[str, str]]:
    """(dotted key, kind) of whatever may need one."""
    yield "actuator.kind", station.actuator.kind
    for index, camera in enumerate(station.cameras):
        yield f"cameras[{index}].kind", camera.kind
    if station.opcua_server is not None:
        yield "opcua_server", "opcua"
    if station.sparkplug is not None:
        yield "sparkplug", "mqtt"
