"""All subjects of NATS, beside those that `wire.subjects` spells."""

from typing import Final

from apidocs.words.jetstream import OF_JETSTREAM, SELF
from apidocs.words.published import OF_CONTROL, OF_ROOMS, OF_USERS
from apidocs.words.questions import OF_AUTH, OF_HISTORY
from wire import subjects

SUBJECTS: Final = (*OF_ROOMS, *OF_USERS, *OF_CONTROL, *OF_AUTH, *OF_HISTORY, *OF_JETSTREAM, SELF)


def undescribed() -> list[str]:
    """What `wire.subjects` spells and nobody has described here, and the other way round."""
    spelled = {name for name in vars(subjects) if not name.startswith("_") and name != "Final"}
    return sorted({name for each in SUBJECTS for name in each.names} ^ spelled)
