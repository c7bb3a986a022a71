"""A user who chats in a browser."""

from loadtests.users.chat import ChatUser


class BrowserLikeUser(ChatUser):
    """Connects as official clients do unless told otherwise: with polling, which is upgraded to a WebSocket."""

    NAME = "browser"
    UPGRADES = True
