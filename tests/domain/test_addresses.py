# SPDX-License-Identifier: Apache-2.0
"""Which addresses and URLs we may call: the public network, and what an operator allowed. Nothing by a trick."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.addresses import LONGEST_URL, host_of, is_public, may_connect, parse_networks, parse_url
from wigwag.domain.errors import InvalidSettings, InvalidUrl

INSIDE = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1"),
    *("203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.88.99.1"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:7f00:1"),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1"),
    *("2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1"),
    *("fe80::1", "fec0::1", "ff02::1", "ff0e::1", "4000::1"),
]
OUTSIDE = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.32.0.1", "::ffff:8.8.8.8"]
OUTSIDE += ["2606:4700:4700::1111", "2a00:1450:4001::200e", "2001:4860:4860::8888"]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_never_public(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not may_connect(ip_address(address), [])


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_outside_may_be_reached(address: str) -> None:
    assert may_connect(ip_address(address), [])


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_wrapping_an_address_changes_nothing_or_forbids_it(address: IPv4Address) -> None:
    """Mapped into IPv6 it is the same address; translated or tunnelled, it is nobody's we may call."""
    assert is_public(IPv6Address(f"::ffff:{address}")) is is_public(address)
    number = int(address)
    for wrapped in (0x0064_FF9B << 96 | number, 0x2002 << 112 | number << 80, 0x2001_0000 << 96 | number, number):
        assert not is_public(IPv6Address(wrapped))


@given(st.ip_addresses())
def test_we_are_never_laxer_than_python(address: IPv4Address | IPv6Address) -> None:
    mapped = isinstance(address, IPv6Address) and address.ipv4_mapped
    assert address.is_global or mapped or not is_public(address)


def test_an_allowed_network_may_be_reached_also_through_its_mapped_form() -> None:
    allowed = parse_networks("10.0.0.0/8, fd00::/8  127.0.0.1")
    assert allowed == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"), ip_network("127.0.0.1/32"))
    for address in ("10.9.9.9", "::ffff:10.9.9.9", "fd00::5", "127.0.0.1", "8.8.8.8"):
        assert may_connect(ip_address(address), allowed)
    for address in ("127.0.0.2", "192.168.0.1", "::1", "64:ff9b::a00:1"):
        assert not may_connect(ip_address(address), allowed)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "example.com", "10.0.0.0/33", "*"])
def test_what_is_no_network_is_named(text: str) -> None:
    with pytest.raises(InvalidSettings, match="no network"):
        parse_networks(f"10.0.0.0/8,{text}")


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "target"),
    [
        ("https://example.com", "https", "example.com", 443, "/"),
        ("HTTP://EXAMPLE.com:8080/a/b?c=d%20e", "http", "example.com", 8080, "/a/b?c=d%20e"),
        ("https://example.com?x=@y", "https", "example.com", 443, "/?x=@y"),
        ("http://127.0.0.1:9/", "http", "127.0.0.1", 9, "/"),
        ("http://[2001:db8::1]:81/x", "http", "2001:db8::1", 81, "/x"),
        ("https://my_host-1.internal/", "https", "my_host-1.internal", 443, "/"),
        ("https://xn--bcher-kva.example/", "https", "xn--bcher-kva.example", 443, "/"),
    ],
)
def test_a_plain_url_is_taken_apart(text: str, scheme: str, host: str, port: int, target: str) -> None:
    url = parse_url(text)
    assert (url.scheme, url.host, url.port, url.target) == (scheme, host, port, target)
    assert host_of(text) == host


@pytest.mark.parametrize(
    "text",
    [
        *("", "example.com", "//example.com", "ftp://example.com", "file:///etc/passwd", "gopher://example.com"),
        *(
            "unix:///run/docker.sock",
            "http+unix://%2Frun%2Fdocker.sock/",
            "javascript:alert(1)",
            "http://",
            "http:///x",
        ),
        *("http://user@example.com", "http://user:pw@127.0.0.1", "http://example.com@127.0.0.1/", "http://a%40b/"),
        *("http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://0/", "http://1"),
        *("http://0x7f.0.0.1/", "http://127.0.0.0x1/", "http://127.0.0.01/", "http://256.0.0.1/", "http://1.2.3.4.5/"),
        *("http://127.0.0.1./", "http://example.com./", "http://.example.com/", "http://a..b/", "http://-a.com/"),
        *("http://[::1", "http://[::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[127.0.0.1]x/", "http://[zz]/"),
        *("http://example.com:0/", "http://example.com:99999/", "http://example.com:/", "http://example.com:8o/"),
        *("http://exa mple.com/", "http://example.com/a b", "http://example.com/\r\nx: y", "http://ex\tample.com"),
        *(
            "http://example.com\\@127.0.0.1/",
            "http://example.com/\\x",
            "http://example.com/#x",
            "http://bücher.example/",
        ),
        *("http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://example.com/é", " http://example.com", "http://a.com\n"),
        f"http://example.com/{'x' * LONGEST_URL}",
    ],
)
def test_an_odd_spelling_is_refused_and_not_guessed_at(text: str) -> None:
    with pytest.raises(InvalidUrl):
        parse_url(text)


def test_a_url_hides_its_target() -> None:
    assert "token" not in repr(parse_url("https://example.com/hook?token=1"))
