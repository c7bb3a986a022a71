"""Where the gateways of a stack listen: the first two at the usual ports, further ones wherever nobody else does."""

from typing import NamedTuple

from deploy.local.ports import Ports, spare


class Gateway(NamedTuple):
    """One of them."""

    name: str
    port: int
    admin_port: int


def places(ports: Ports, count: int) -> list[Gateway]:
    """Of gateways 1 to `count`; raises `OSError` when there are no free ports for further ones.

    Those are reserved for as long as `ports` is kept.
    """
    usual = [(ports.gateway_1, ports.gateway_1_admin), (ports.gateway_2, ports.gateway_2_admin)]
    further = spare(2 * max(0, count - len(usual)), ports)
    found = [*usual[:count], *zip(further[::2], further[1::2], strict=True)]
    return [Gateway(f"gateway-{number}", *each) for number, each in enumerate(found, 1)]
