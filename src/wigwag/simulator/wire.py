# SPDX-License-Identifier: Apache-2.0
"""WhatsApp's binary XML: the nodes that travel inside each encrypted frame.

Pure: bytes to `Node` and back. Whatever arrives, decoding ends in a `Node` or a `WireError`. What a stanza means is
decided in `stanzas`, never here.
"""

import zlib
from dataclasses import dataclass, field
from typing import NamedTuple

from wigwag.simulator.tokens import LATEST, Dictionary

_LIST_EMPTY, _DICTIONARY_0, _AD_JID, _LIST_8, _LIST_16, _JID_PAIR = 0, 236, 247, 248, 249, 250
_HEX_8, _BINARY_8, _BINARY_20, _BINARY_32, _NIBBLE_8 = 251, 252, 253, 254, 255
_NIBBLES, _HEX_DIGITS = "0123456789-.", "0123456789ABCDEF"
_AS_HEX, _AS_NIBBLES = str.maketrans("-.", "AB"), str.maketrans("AB", "-.")
_PACKED_MAX = 127
_AGENTS = {"s.whatsapp.net": 0, "lid": 1, "hosted": 128, "hosted.lid": 129}
_SERVERS = {agent: server for server, agent in _AGENTS.items()}

_MAX_DEPTH = 32
MAX_PLAIN_SIZE = 1 << 24
"""Bytes: the largest frame the protocol can carry, and so the most that is ever inflated."""


class WireError(ValueError):
    """The bytes are not a node."""


class Jid(NamedTuple):
    """An address: `user@server`, or `user:device@server` for one device. No user: the server itself."""

    user: str
    server: str = "s.whatsapp.net"
    device: int = 0

    @classmethod
    def parse(cls, text: str) -> "Jid":
        """Read the written form. Raises WireError when it is none, or names a device where there are no devices."""
        user, at, server = text.rpartition("@")
        user, colon, device = user.partition(":")
        devices = range(256) if server in _AGENTS else range(1)
        if not at or not server or (colon and not (device.isascii() and device.isdecimal() and int(device) in devices)):
            raise WireError(f"{text!r} is not an address: expected user@server or user:device@server")
        return cls(user, server, int(device or 0))

    @property
    def bare(self) -> "Jid":
        return Jid(self.user, self.server)

    def __str__(self) -> str:
        device = f":{self.device}" if self.device else ""
        return f"{self.user}{device}@{self.server}"


SERVER = Jid("")
Value = str | Jid


@dataclass(frozen=True, slots=True)
class Node:
    """A stanza or a part of one: tag, attributes, and as content nothing, bytes, a string, or nodes."""

    tag: str
    attrs: dict[str, Value] = field(default_factory=dict)
    content: "list[Node] | bytes | str | None" = None

    @property
    def children(self) -> "list[Node]":
        return self.content if isinstance(self.content, list) else []

    @property
    def data(self) -> bytes:
        """The content as bytes; empty when there is none. Encoders send short texts either way."""
        if isinstance(self.content, str):
            return self.content.encode()
        return self.content if isinstance(self.content, bytes) else b""

    def child(self, tag: str) -> "Node | None":
        return next((child for child in self.children if child.tag == tag), None)

    def text(self, name: str) -> str:
        """An attribute as a string, `""` when it is missing."""
        return str(self.attrs.get(name, ""))

    def jid(self, name: str) -> Jid | None:
        """An attribute as an address, None when it is missing or is none."""
        value = self.attrs.get(name)
        if isinstance(value, Jid) or value is None:
            return value
        try:
            return Jid.parse(value)
        except WireError:
            return None


def encode(node: Node, dictionary: Dictionary = LATEST) -> bytes:
    writer = _Writer(dictionary)
    writer.node(node)
    return bytes(writer.out)


def decode(data: bytes, dictionary: Dictionary = LATEST) -> Node:
    """Read one node. Raises WireError for anything else."""
    if not data:
        raise WireError("an empty frame")
    body = _inflate(data[1:]) if data[0] & 2 else data[1:]
    reader = _Reader(body, dictionary)
    try:
        node = reader.node(0)
    except UnicodeDecodeError as error:
        raise WireError("a string is not UTF-8") from error
    if reader.at != len(body):
        raise WireError(f"{len(body) - reader.at} bytes follow the node")
    return node


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(data, MAX_PLAIN_SIZE)
    except zlib.error as error:
        raise WireError("broken compression") from error
    if not inflater.eof:
        raise WireError("the compressed node is cut short or too large")
    return plain


class _Writer:
    def __init__(self, dictionary: Dictionary) -> None:
        self.out, self.dictionary = bytearray([0]), dictionary  # the first byte is flags: not compressed

    def node(self, node: Node) -> None:
        self.list_size(1 + 2 * len(node.attrs) + (node.content is not None))
        self.string(node.tag)
        for key, value in node.attrs.items():
            self.string(key)
            if isinstance(value, str):
                self.string(value)
            else:
                self.jid(value)
        match node.content:
            case list():
                self.list_size(len(node.content))
                for child in node.content:
                    self.node(child)
            case bytes():
                self.binary(node.content)
            case str():
                self.string(node.content)

    def list_size(self, size: int) -> None:
        if size == 0:
            self.out.append(_LIST_EMPTY)
        elif size < 256:
            self.out += bytes((_LIST_8, size))
        else:
            self.out.append(_LIST_16)
            self.out += size.to_bytes(2, "big")

    def binary(self, data: bytes) -> None:
        size = len(data)
        if size < 256:
            self.out += bytes((_BINARY_8, size))
        elif size < 1 << 20:
            self.out.append(_BINARY_20)
            self.out += size.to_bytes(3, "big")
        else:
            self.out.append(_BINARY_32)
            self.out += size.to_bytes(4, "big")
        self.out += data

    def string(self, text: str) -> None:
        if (single := self.dictionary.single_at.get(text)) is not None:
            self.out.append(single)
        elif (double := self.dictionary.double_at.get(text)) is not None:
            self.out += bytes((_DICTIONARY_0 + double[0], double[1]))
        elif 0 < len(text) <= _PACKED_MAX and not text.strip(_NIBBLES):
            self.packed(_NIBBLE_8, text.translate(_AS_HEX))
        elif 0 < len(text) <= _PACKED_MAX and not text.strip(_HEX_DIGITS):
            self.packed(_HEX_8, text)
        else:
            self.binary(text.encode())

    def packed(self, tag: int, digits: str) -> None:
        odd = len(digits) % 2
        data = bytes.fromhex(digits + "F" * odd)
        self.out += bytes((tag, odd << 7 | len(data))) + data

    def jid(self, jid: Jid) -> None:
        if jid.device:
            self.out += bytes((_AD_JID, _AGENTS[jid.server], jid.device))
            self.string(jid.user)
            return
        self.out.append(_JID_PAIR)
        if jid.user:
            self.string(jid.user)
        else:
            self.out.append(_LIST_EMPTY)
        self.string(jid.server)


class _Reader:
    def __init__(self, data: bytes, dictionary: Dictionary) -> None:
        self.data, self.at, self.dictionary = data, 0, dictionary

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise WireError("the node is cut short")
        self.at += size
        return self.data[self.at - size : self.at]

    def byte(self) -> int:
        if self.at == len(self.data):
            raise WireError("the node is cut short")
        self.at += 1
        return self.data[self.at - 1]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def list_size(self, tag: int) -> int:
        if tag == _LIST_EMPTY:
            return 0
        if tag not in (_LIST_8, _LIST_16):
            raise WireError(f"expected a list, found tag {tag}")
        return self.byte() if tag == _LIST_8 else self.number(2)

    def node(self, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise WireError("nodes are nested too deeply")
        size = self.list_size(self.byte())
        if size == 0:
            raise WireError("a node without a tag")
        tag = self.string()
        attrs: dict[str, Value] = {}
        for _ in range((size - 1) // 2):
            key = self.string()
            attrs[key] = self.value()
        return Node(tag, attrs, self.content(depth) if size % 2 == 0 else None)

    def content(self, depth: int) -> list[Node] | bytes | str | None:
        tag = self.byte()
        if tag == _LIST_EMPTY:
            return None
        if tag in (_LIST_8, _LIST_16):
            return [self.node(depth + 1) for _ in range(self.list_size(tag))]
        if tag in (_BINARY_8, _BINARY_20, _BINARY_32):
            return self.binary(tag)
        return str(self.scalar(tag))

    def string(self) -> str:
        value = self.value()
        if not isinstance(value, str) or not value:
            raise WireError("expected a string")
        return value

    def value(self) -> Value:
        tag = self.byte()
        return "" if tag == _LIST_EMPTY else self.scalar(tag)

    def scalar(self, tag: int) -> Value:
        if 0 < tag < len(self.dictionary.single):
            return self.dictionary.single[tag]
        if 0 <= tag - _DICTIONARY_0 < len(self.dictionary.double):
            return self.dictionary.double[tag - _DICTIONARY_0][self.byte()]
        if tag in (_AD_JID, _JID_PAIR):
            return self.device_jid() if tag == _AD_JID else self.jid_pair()
        if tag in (_HEX_8, _NIBBLE_8):
            return self.packed(tag)
        if tag in (_BINARY_8, _BINARY_20, _BINARY_32):
            return self.binary(tag).decode()
        raise WireError(f"unknown tag {tag}")

    def binary(self, tag: int) -> bytes:
        if tag == _BINARY_20:
            return self.take(self.number(3) & 0xFFFFF)
        return self.take(self.byte() if tag == _BINARY_8 else self.number(4))

    def packed(self, tag: int) -> str:
        start = self.byte()
        digits = self.take(start & 127).hex().upper()
        if start & 128:
            if not digits.endswith("F"):
                raise WireError("bad filling of a packed string")
            digits = digits[:-1]
        if tag == _HEX_8:
            return digits
        if digits.strip(_HEX_DIGITS[:12]):
            raise WireError("bad digit in a packed string")
        return digits.translate(_AS_NIBBLES)

    def device_jid(self) -> Jid:
        agent, device = self.byte(), self.byte()
        if agent not in _SERVERS:
            raise WireError(f"unknown address domain {agent}")
        return Jid(self.string(), _SERVERS[agent], device)

    def jid_pair(self) -> Jid:
        user = self.value()
        if not isinstance(user, str):
            raise WireError("the user of an address is not a string")
        return Jid(user, self.string())
