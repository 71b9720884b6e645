# SPDX-License-Identifier: Apache-2.0
"""Protocol buffers by table: dicts to bytes and back, for the few messages that `schema` describes.

Pure and generic: no message is known here. Fields without a row in the table are skipped, as the format wants.
Source: the Protocol Buffers encoding specification.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union

_VARINT, _FIXED_64, _LENGTH, _FIXED_32 = 0, 1, 2, 5
_WIRE_TYPES = {"uint": _VARINT, "bool": _VARINT, "double": _FIXED_64}
_MAX_DEPTH = 32

Kind = Union[Literal["uint", "bool", "double", "bytes", "string"], "Message"]


class ProtobufError(ValueError):
    """The bytes are not a message of that shape."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: Kind
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A table of fields by number. Encodes from a dict; decodes to a dict that holds only what was present."""

    fields: Mapping[int, Field]

    def encode(self, values: Mapping[str, Any]) -> bytes:
        out = bytearray()
        for number, row in self.fields.items():
            if row.name not in values:
                continue
            value = values[row.name]
            for item in value if row.repeated else [value]:
                _put(out, number, row.kind, item)
        return bytes(out)

    def decode(self, data: bytes, depth: int = _MAX_DEPTH) -> dict[str, Any]:
        """Raises ProtobufError when the bytes are cut short, misshapen, too deep or hold a field of another type."""
        if not depth:
            raise ProtobufError("messages are nested too deeply")
        values: dict[str, Any] = {}
        at, end = 0, len(data)
        while at < end:
            tag, at = _take_varint(data, at)
            raw, at = _take(data, at, tag & 7)
            row = self.fields.get(tag >> 3)
            if row is None:
                continue
            value = _read(row, tag & 7, raw, depth)
            if row.repeated:
                values.setdefault(row.name, []).append(value)
            else:
                values[row.name] = value
        return values


def _put(out: bytearray, number: int, kind: Kind, value: Any) -> None:
    wire = _WIRE_TYPES.get(kind, _LENGTH) if isinstance(kind, str) else _LENGTH
    out += _varint(number << 3 | wire)
    if wire == _VARINT:
        out += _varint(int(value))
    elif wire == _FIXED_64:
        out += struct.pack("<d", value)
    else:
        data = kind.encode(value) if isinstance(kind, Message) else value.encode() if kind == "string" else value
        out += _varint(len(data)) + data


def _read(row: Field, wire: int, raw: int | bytes, depth: int) -> Any:
    kind = row.kind
    if wire != (_WIRE_TYPES.get(kind, _LENGTH) if isinstance(kind, str) else _LENGTH):
        raise ProtobufError(f"{row.name} has another type on the wire")
    if isinstance(raw, int):
        return bool(raw) if kind == "bool" else raw
    if isinstance(kind, Message):
        return kind.decode(raw, depth - 1)
    if kind == "string":
        return _text(row.name, raw)
    return struct.unpack("<d", raw)[0] if kind == "double" else raw


def _text(name: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise ProtobufError(f"{name} is not UTF-8") from error


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _take_varint(data: bytes, at: int) -> tuple[int, int]:
    if at < len(data) and data[at] < 128:
        return data[at], at + 1
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise ProtobufError("a number is cut short or too long")


def _take(data: bytes, at: int, wire: int) -> tuple[int | bytes, int]:
    if wire == _VARINT:
        return _take_varint(data, at)
    if wire == _LENGTH:
        size, at = _take_varint(data, at)
    elif wire in (_FIXED_64, _FIXED_32):
        size = 8 if wire == _FIXED_64 else 4
    else:
        raise ProtobufError(f"unknown wire type {wire}")
    if at + size > len(data):
        raise ProtobufError("a field is cut short")
    return data[at : at + size], at + size
