# SPDX-License-Identifier: Apache-2.0
"""Protocol buffers by table: dicts to bytes and back, for the few messages that `schema` describes.

Pure and generic: no message is known here. Fields without a row in the table are skipped, as the format wants.
Source: the Protocol Buffers encoding specification.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union

_VARINT, _LENGTH = 0, 2

Kind = Union[Literal["uint", "bytes", "string"], "Message"]


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

    def decode(self, data: bytes) -> dict[str, Any]:
        """Raises ProtobufError when the bytes are cut short, misshapen or hold a field of another type."""
        values: dict[str, Any] = {}
        at = 0
        while at < len(data):
            number, raw, at = _take(data, at)
            row = self.fields.get(number)
            if row is None:
                continue
            value = _read(row, raw)
            if row.repeated:
                values.setdefault(row.name, []).append(value)
            else:
                values[row.name] = value
        return values


def _put(out: bytearray, number: int, kind: Kind, value: Any) -> None:
    if kind == "uint":
        out += _varint(number << 3 | _VARINT) + _varint(int(value))
        return
    data = kind.encode(value) if isinstance(kind, Message) else value.encode() if kind == "string" else value
    out += _varint(number << 3 | _LENGTH) + _varint(len(data))
    out += data


def _read(row: Field, raw: int | bytes) -> Any:
    if isinstance(raw, int) != (row.kind == "uint"):
        raise ProtobufError(f"{row.name} has another type on the wire")
    if isinstance(raw, int) or row.kind == "bytes":
        return raw
    if isinstance(row.kind, Message):
        return row.kind.decode(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise ProtobufError(f"{row.name} is not UTF-8") from error


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _take_varint(data: bytes, at: int) -> tuple[int, int]:
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


def _take(data: bytes, at: int) -> tuple[int, int | bytes, int]:
    tag, at = _take_varint(data, at)
    match tag & 7:
        case 0:
            value, at = _take_varint(data, at)
            return tag >> 3, value, at
        case 2:
            size, at = _take_varint(data, at)
        case 1:
            size = 8
        case 5:
            size = 4
        case other:
            raise ProtobufError(f"unknown wire type {other}")
    if at + size > len(data):
        raise ProtobufError("a field is cut short")
    return tag >> 3, data[at : at + size], at + size
