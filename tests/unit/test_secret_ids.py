"""Ids that nobody can guess."""

import re
from itertools import islice

from services.gateway.edge.ids import secret_ids


def test_all_differ_and_need_no_escaping() -> None:
    """Also beyond what the kernel is asked for at once, and between two that make them."""
    ids = [*islice(secret_ids(), 1000), *islice(secret_ids(), 1000)]
    assert len(set(ids)) == 2000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{20}", each) for each in ids)


def test_every_bit_of_them_is_random() -> None:
    """Each of the 20 characters takes all 64 values."""
    ids = list(islice(secret_ids(), 4000))
    assert all(len({each[at] for each in ids}) == 64 for at in range(20))
