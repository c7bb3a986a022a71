"""The users that Locust plays, one module for each kind; what all of them share is in `base` and `line`."""

from typing import Final

from loadtests.users.base import ParleyUser
from loadtests.users.browser import BrowserLikeUser
from loadtests.users.chat import ChatUser
from loadtests.users.dashboard import DashboardUser
from loadtests.users.lurker import LurkerUser
from loadtests.users.storm import StormUser

USERS: Final[tuple[type[ParleyUser], ...]] = (ChatUser, LurkerUser, StormUser, DashboardUser, BrowserLikeUser)
"""All kinds; each has a `NAME`, by which `--mix` weighs it."""
