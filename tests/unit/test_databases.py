"""What a service asks of MongoDB, whatever else its URL says."""

from pymongo import ReadPreference

from services.auth import database as auth
from services.history import database as history
from services.history.settings import DatabaseSettings

URL = "mongodb://127.0.0.1:9/?readPreference=secondaryPreferred&w=1"


async def test_collections_are_written_to_a_majority_and_read_where_they_are_written() -> None:
    """A secondary may lag: it would let in who was removed, and leave out what was acknowledged."""
    with auth.connected(URL, "parley") as accounts, history.connected(DatabaseSettings(mongo_url=URL)) as said:
        assert accounts.read_preference == ReadPreference.SECONDARY_PREFERRED, "the URL says so"
        for each in (auth.majority(accounts, "rooms"), history.majority(said, "messages")):
            assert each.read_preference == ReadPreference.PRIMARY
            assert each.write_concern.document["w"] == "majority"
