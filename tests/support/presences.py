"""What clients have been told of who is present."""

from tests.support.clients.parley import ParleyClient
from tests.support.waiting import until


def me(client: ParleyClient) -> str:
    """The id of its user."""
    return str(client.of("session")[0]["user"]["id"])


def told(client: ParleyClient, room: str) -> list[tuple[str, str]]:
    """Who came and went, in order."""
    return [(each["user"], each["state"]) for each in client.of("presence") if each["room"] == room]


async def until_present(client: ParleyClient, room: str, users: set[str]) -> None:
    """Until it is answered that these are there, and nobody else."""

    async def are_present() -> bool:
        ack = await client.call("presence", {"room": room})
        if not ack["ok"]:
            assert ack["error"]["code"] == "unavailable", ack
            return False
        members = [each["id"] for each in ack["members"]]
        assert len(members) == len(set(members)) == ack["count"]
        return set(members) == users

    await until(are_present, f"{len(users)} to be present")
