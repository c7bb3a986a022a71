"""Whose request it is: never what a stranger writes into a header."""

import ipaddress

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from runtime.settings import SettingsError, load
from services.gateway.edge.addresses import Addresses, client, counted, networks
from services.gateway.settings import GatewaySettings

PROXY = "10.0.0.1"
TRUSTED = networks(["10.0.0.0/8", "fd00::/8", "::ffff:192.168.0.0/112", "203.0.113.9"])
STRANGER = "198.51.100.7"


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (STRANGER, [], STRANGER),
        (STRANGER, ["1.2.3.4"], STRANGER),
        (STRANGER, ["1.2.3.4, 10.0.0.1"], STRANGER),
        ("2001:db8::1", ["1.2.3.4"], "2001:db8::1"),
        (PROXY, [], PROXY),
        (PROXY, [STRANGER], STRANGER),
        (PROXY, [f"1.2.3.4, {STRANGER}"], STRANGER),
        (PROXY, [f"nonsense, {STRANGER}"], STRANGER),
        (PROXY, ["1.2.3.4", STRANGER], STRANGER),
        (PROXY, [f"1.2.3.4,\t {STRANGER} \t,10.9.9.9 ", "192.168.0.3"], STRANGER),
        (PROXY, [f"{STRANGER}:4711"], STRANGER),
        (PROXY, ["[2001:db8::1]:4711"], "2001:db8::1"),
        (PROXY, ["[2001:db8::1]"], "2001:db8::1"),
        (PROXY, ["2001:DB8:0::1"], "2001:db8::1"),
        (PROXY, [f"::ffff:{STRANGER}"], STRANGER),
        (f"::ffff:{PROXY}", [STRANGER], STRANGER),
        (f"::ffff:{STRANGER}", ["1.2.3.4"], STRANGER),
        ("fd12::1", [STRANGER], STRANGER),
        ("192.168.0.1", [STRANGER], STRANGER),
        ("192.169.0.1", [STRANGER], "192.169.0.1"),
        ("203.0.113.9", [STRANGER], STRANGER),
        ("203.0.113.8", [STRANGER], "203.0.113.8"),
        (PROXY, ["nonsense"], PROXY),
        (PROXY, [f"{STRANGER}, nonsense"], PROXY),
        (PROXY, [f"{STRANGER}, nonsense, 10.2.2.2"], PROXY),
        (PROXY, [""], PROXY),
        (PROXY, [f"{STRANGER}, "], PROXY),
        (PROXY, [f"{STRANGER}:99999999"], PROXY),
        (PROXY, [f"{STRANGER}:x"], PROXY),
        (PROXY, ["fe80::1%eth0"], PROXY),
        (PROXY, ["localhost"], PROXY),
        (PROXY, ["0127.0.0.1"], PROXY),
        (PROXY, ["2130706433"], PROXY),
        (PROXY, ["1" * 10_240], PROXY),
        (PROXY, ["," * 10_240], PROXY),
        (PROXY, ["[" * 10_240], PROXY),
        (PROXY, ["1.2.3.4, " * 1000 + STRANGER], STRANGER),
        (PROXY, ["10.0.0.2, 10.0.0.3"], PROXY),
        ("fe80::1%eth0", [], "fe80::1"),
        ("", [STRANGER], ""),
        ("/run/parley.sock", [STRANGER], ""),
    ],
)
def test_the_last_address_that_is_no_trusted_proxy(peer: str, forwarded: list[str], address: str) -> None:
    """The peer's, if it is no proxy, if the proxies say nothing that can be read, or nothing but each other."""
    assert client(peer, forwarded, TRUSTED) == address


@given(st.text(max_size=40), st.lists(st.text(alphabet="0123456789abcdef.:,[]% \tx", max_size=60), max_size=4))
def test_it_is_an_address_whatever_is_sent(peer: str, forwarded: list[str]) -> None:
    """Of a stranger it is the peer's; of a proxy it is one that is in its plain form, or the peer's."""
    assert client(STRANGER, forwarded, TRUSTED) == STRANGER
    found = client(PROXY, forwarded, TRUSTED)
    assert str(ipaddress.ip_address(found)) == found
    assert "%" not in found
    if client(peer, forwarded, TRUSTED):
        ipaddress.ip_address(client(peer, forwarded, TRUSTED))


@given(st.lists(st.text(max_size=60), max_size=4))
def test_if_everybody_is_trusted_nobody_is_believed(forwarded: list[str]) -> None:
    """0.0.0.0/0 would let strangers choose their address, if the first of all trusted ones were taken."""
    everybody = networks(["0.0.0.0/0", "::/0"])
    assert client(STRANGER, [*forwarded, "1.2.3.4"], everybody) == STRANGER


def test_without_proxies_no_header_is_looked_at() -> None:
    """Of a request, with any of the headers that proxies add, as often as one likes."""
    headers = CIMultiDict(
        [
            ("X-Forwarded-For", STRANGER),
            ("X-Forwarded-For", "1.2.3.4"),
            ("X-Real-IP", STRANGER),
            ("Forwarded", f"for={STRANGER}"),
            ("Client-IP", STRANGER),
        ]
    )
    request = make_mocked_request("GET", "/", headers=headers)
    request._cache["remote"] = PROXY
    assert Addresses(()).of(request) == PROXY
    assert Addresses(["10.0.0.0/8"]).of(request) == "1.2.3.4"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        (STRANGER, STRANGER),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("::1", "::"),
        ("", ""),
    ],
)
def test_an_address_of_version_6_counts_by_its_first_half(address: str, key: str) -> None:
    """One customer has 2 to the 64th of them."""
    assert counted(address) == key


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "nginx", "10.0.0.0/8;::/0", "10.0.0", "/8", "::/x"])
def test_a_malformed_network_is_named_at_the_start(text: str) -> None:
    """In one line, with the variable; also as the last of several, and where bits of the host are set."""
    environ = {"NATS_URL": "nats://n", "ADMIN_PORT": "9080", "TRUSTED_PROXIES": f"10.0.0.0/8,{text}"}
    with pytest.raises(SettingsError, match=r"^TRUSTED_PROXIES is malformed: [^\n]*$") as caught:
        load(GatewaySettings, environ)
    assert text not in str(caught.value).replace("10.0.0.0/8 or fd00::/8", "")
