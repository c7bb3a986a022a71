"""What replica-set.js does, on which member, and how often.

No mongod can be had as a package, so it runs in a model of what it uses of mongosh (tests/support/replica_set);
under the real one it runs in docker-compose.yml and in a cluster.
"""

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.support.manifests import BASE, ROOT

SCRIPT = (BASE / "replica-set.js").read_text()
A, B, C, D = (f"mongodb-{number}.mongodb:27017" for number in range(4))
THREE = f"{A},{B},{C}"
UP: dict[str, Any] = {"up": [A, B, C]}
USERS = {"root", "auth", "history", "admin"}


def run(*steps: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of each run of the script, one after the other, on one set."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: replica-set.js is NOT tested")
    model = ROOT / "tests" / "support" / "replica_set" / "run.mjs"
    given = json.dumps({"script": SCRIPT, "steps": steps})
    done = subprocess.run([node, model], input=given, check=True, capture_output=True, text=True, timeout=60)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def on(host: str, members: str = THREE, **state: Any) -> dict[str, Any]:
    """A run on `host`; `state` is what happens before it."""
    return {"host": host, "members": members, "state": state}


def test_the_first_member_alone_initiates() -> None:
    """Whoever comes before it waits for it, and it for all others."""
    early, alone, initiated = run(on(B, **UP), on(A, up=[A]), on(A, **UP))
    assert (early["result"], early["members"]) == ("ServerSelectionFailed", None)
    assert (alone["result"], alone["members"]) == ("NodeNotFound", None)
    assert initiated["members"] == [A, B, C]
    assert initiated["result"] == "ServerSelectionFailed", "there is no primary yet: the probe asks again"


def test_users_are_made_once_there_is_a_primary_and_no_member_is_ready_before() -> None:
    """By the primary, whichever that is: the first user by the localhost exception, the others by that one."""
    _, secondary, primary, later = run(on(A, **UP), on(A, primary=B), on(B), on(A))
    assert secondary["result"] == "AuthenticationFailed"
    assert secondary["users"] == {}
    assert primary["result"] == 0
    assert primary["users"].keys() == USERS
    assert primary["users"]["history"] == ["parleyHistory"]
    assert later["result"] == 0


def test_running_it_again_changes_no_member_and_no_role() -> None:
    """On any member, as often as the health check of docker-compose.yml asks."""
    _, first, *again = run(on(A, **UP), on(A, primary=A), *(on(host) for host in (A, B, C, A)))
    assert {each["result"] for each in [first, *again]} == {0}
    assert all((each["members"], each["users"]) == (first["members"], first["users"]) for each in again)


def test_a_member_that_is_named_later_joins_by_itself() -> None:
    """It asks the primary, from where it is; and is ready once it belongs to the set."""
    four = f"{THREE},{D}"
    *_, joining, joined = run(on(A, **UP), on(A, primary=A), on(D, four, up=[A, B, C, D]), on(D, four))
    assert joining["result"] == 1
    assert joining["members"] == [A, B, C, D]
    assert joined["result"] == 0
    assert joined["members"] == [A, B, C, D]


def test_two_members_join_one_after_the_other() -> None:
    """As from a set of one: MongoDB takes one new voting member at a time."""
    steps = [on(A, A, up=[A]), on(A, A, primary=A), on(A, **UP), on(A), on(A)]
    _, _, second, third, done = run(*steps)
    assert [each["members"] for each in (second, third, done)] == [[A, B], [A, B, C], [A, B, C]]
    assert [each["result"] for each in (second, third, done)] == [1, 1, 0]


def test_a_first_member_that_lost_its_volume_makes_no_second_set() -> None:
    """It is refused by those that belong to one already; the set brings it back."""
    *_, lost = run(on(A, **UP), on(A, primary=B), on(B), {**on("mongodb-0.elsewhere:27017"), "members": THREE})
    assert lost["result"] == "InvalidReplicaSetConfig"
    assert lost["members"] == [A, B, C]


def test_the_only_member_finds_itself_again() -> None:
    """Its name may lead to where it was before when it starts; nobody else would tell it that it is of the set."""
    *_, strayed, later = run(on(A, A, up=[A]), on(A, A, primary=A), on(A, A, strayed=A), on(A, A))
    assert strayed["result"] == "InvalidReplicaSetConfig"
    assert later["result"] == 0
    assert later["members"] == [A]


def test_one_of_three_that_does_not_find_itself_is_told_by_the_others() -> None:
    """To force a set upon them would undo what they have agreed upon."""
    *_, strayed, later = run(on(A, **UP), on(A, primary=B), on(B), on(A, strayed=A), on(A))
    assert strayed["result"] == later["result"] == "InvalidReplicaSetConfig"


def test_another_root_password_opens_nothing() -> None:
    """Whoever does not know the root user's password changes nothing: it is no reason to make the user again."""
    wrong = SCRIPT.replace("/run/parley/credentials/", "/run/other/")
    assert wrong != SCRIPT
    *_, refused = run(on(A, **UP), on(A, primary=A), {**on(A), "script": wrong})
    assert refused["result"] == "Unauthorized"


def test_docker_compose_has_a_set_of_one() -> None:
    """The same script, with one member, which is primary at once."""
    initiated, made, again = run(
        on("mongo:27017", "mongo:27017", up=["mongo:27017"]),
        on("mongo:27017", "mongo:27017", primary="mongo:27017"),
        on("mongo:27017", "mongo:27017"),
    )
    assert initiated["members"] == ["mongo:27017"]
    assert (made["result"], again["result"]) == (0, 0)
    assert made["users"].keys() == USERS
