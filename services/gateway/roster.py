"""Who is connected here."""

from services.gateway.connection import Connection


class Roster:
    """The connections of each user, from when they are in until they are gone."""

    def __init__(self) -> None:
        self._users: dict[str, Connection | set[Connection]] = {}
        """Nearly all have one: a set for each would be a tenth of what a connection costs."""

    def add(self, connection: Connection) -> None:
        """It is in. Idempotent."""
        user = connection.bearer.user.id
        there = self._users.get(user)
        if there is None or there is connection:
            self._users[user] = connection
        elif isinstance(there, set):
            there.add(connection)
        else:
            self._users[user] = {there, connection}

    def remove(self, connection: Connection) -> None:
        """It is gone. Idempotent."""
        user = connection.bearer.user.id
        there = self._users.get(user)
        if there is connection:
            del self._users[user]
        elif isinstance(there, set):
            there.discard(connection)
            if not there:
                del self._users[user]

    def of(self, user: str) -> tuple[Connection, ...]:
        """The connections of `user`."""
        there = self._users.get(user)
        if there is None:
            return ()
        return tuple(there) if isinstance(there, set) else (there,)
