"""The payload of Sparkplug B in protobuf, as far as the line speaks it; from a description of our own.

The description is built at run time, not by a compiler: code that protoc has generated runs only with runtimes of its
own age, and a pool of our own cannot clash with another Sparkplug library in the same process.
"""

import time
from typing import Any

from config.loader import ConfigError
from monitor.rules.sparkplug import REBIRTH, Kind, Report

try:
    from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory
except ModuleNotFoundError as error:
    raise ConfigError("Sparkplug needs the extra `mqtt`: python -m pip install 'line-monitor[mqtt]'") from error

COMMAND_MOST = 64 * 1024  # bytes of a command; looked at before anything is decoded
FIELD_OF = {
    Kind.INT64: "long_value",
    Kind.DOUBLE: "double_value",
    Kind.BOOLEAN: "boolean_value",
    Kind.STRING: "string_value",
}
_F = descriptor_pb2.FieldDescriptorProto
# name, number, type; those of `value` are one of a kind
_METRIC = (
    ("name", 1, _F.TYPE_STRING),
    ("alias", 2, _F.TYPE_UINT64),
    ("timestamp", 3, _F.TYPE_UINT64),
    ("datatype", 4, _F.TYPE_UINT32),
    ("is_null", 7, _F.TYPE_BOOL),
)
_VALUES = (
    ("int_value", 10, _F.TYPE_UINT32),
    ("long_value", 11, _F.TYPE_UINT64),
    ("float_value", 12, _F.TYPE_FLOAT),
    ("double_value", 13, _F.TYPE_DOUBLE),
    ("boolean_value", 14, _F.TYPE_BOOL),
    ("string_value", 15, _F.TYPE_STRING),
)


class CommandError(Exception):
    """A command that is no Sparkplug payload."""


def encode(report: Report) -> bytes:
    """The payload of this message, of now."""
    now_ms = time.time_ns() // 1_000_000
    payload = _PAYLOAD(timestamp=now_ms)
    if report.seq is not None:
        payload.seq = report.seq
    for each in report.metrics:
        metric = payload.metrics.add(name=each.name, timestamp=now_ms, datatype=int(each.kind))
        if each.value is None:
            metric.is_null = True
        elif each.kind is Kind.INT64 and isinstance(each.value, int):
            metric.long_value = each.value & (1 << 64) - 1  # a negative one as its two's complement
        else:
            setattr(metric, FIELD_OF[each.kind], each.value)
    return bytes(payload.SerializeToString())


def asks_for_rebirth(payload: bytes) -> bool:
    """Whether this command is the one that we obey; CommandError where it is none at all."""
    if len(payload) > COMMAND_MOST:
        raise CommandError(f"{len(payload)} bytes; a command has at most {COMMAND_MOST}")
    try:
        command = _PAYLOAD.FromString(payload)
    except message.DecodeError as error:
        raise CommandError(f"{error}; it begins with {payload[:60]!r}") from error
    return any(metric.name == REBIRTH and metric.boolean_value for metric in command.metrics)


def _payload_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="line_sparkplug.proto", package="line.sparkplug", syntax="proto2")
    payload = file.message_type.add(name="Payload")
    metric = payload.nested_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    for name, number, kind in _METRIC:
        metric.field.add(name=name, number=number, type=kind, label=_F.LABEL_OPTIONAL)
    for name, number, kind in _VALUES:
        metric.field.add(name=name, number=number, type=kind, label=_F.LABEL_OPTIONAL, oneof_index=0)
    payload.field.add(name="timestamp", number=1, type=_F.TYPE_UINT64, label=_F.LABEL_OPTIONAL)
    payload.field.add(
        name="metrics",
        number=2,
        type=_F.TYPE_MESSAGE,
        label=_F.LABEL_REPEATED,
        type_name=".line.sparkplug.Payload.Metric",
    )
    payload.field.add(name="seq", number=3, type=_F.TYPE_UINT64, label=_F.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("line.sparkplug.Payload"))


_PAYLOAD = _payload_class()
