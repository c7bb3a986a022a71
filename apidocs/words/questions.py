"""What gateways ask the services, which are NATS micro services."""

from typing import Final

from apidocs.described import Subject
from apidocs.words.senders import AUTH, GATEWAY, HISTORY
from wire import accounts, membership, messages, notifications, reading, subjects


def _asked(
    name: str, kind: type[messages.Message], summary: str, *replies: type[messages.Message], text: str = ""
) -> Subject:
    """Of a NATS micro service, asked by gateways."""
    address = str(getattr(subjects, name))
    return Subject(
        address=address,
        names=(name,),
        kinds=(kind,),
        summary=summary,
        text=text,
        sender=GATEWAY,
        hearers=HISTORY if address.startswith(f"{HISTORY}.") else AUTH,
        replies=replies,
    )


OF_AUTH: Final = (
    _asked("AUTH_VERIFY", accounts.VerifyToken, "Who bears this access token?", accounts.Verified),
    _asked("AUTH_GUEST", accounts.Guest, "Let somebody in by a name alone", accounts.Session),
    _asked("AUTH_REGISTER", accounts.Register, "Make an account", accounts.Session),
    _asked("AUTH_LOGIN", accounts.Login, "Open a session of an account", accounts.Session),
    _asked("AUTH_REFRESH", accounts.Refresh, "Go on with a session", accounts.Session),
    _asked("AUTH_LOGOUT", accounts.Logout, "End a session", messages.Done),
    _asked("AUTH_PASSWORD", accounts.ChangePassword, "Change a password", accounts.Session),
    _asked("AUTH_DISCONNECT", accounts.Disconnect, "End all sessions of a user", messages.Done),
    _asked("AUTH_VERIFY_SERVICE", accounts.VerifyService, "Who bears this service token?", accounts.Service),
    _asked("AUTH_KEYS", accounts.GetKeys, "Which keys verify access tokens?", accounts.Keys),
    _asked("ROOMS_CHECK", membership.CheckMember, "Is somebody a member of rooms?", messages.Done),
    _asked("ROOMS_CREATE", membership.CreateGroup, "Make a group", membership.RoomInfo),
    _asked("ROOMS_DIRECT", membership.OpenDirect, "Open the conversation of two", membership.RoomInfo),
    _asked("ROOMS_ADD", membership.AddMember, "Invite somebody", messages.Done),
    _asked("ROOMS_REMOVE", membership.RemoveMember, "Remove somebody, or leave", messages.Done),
    _asked("ROOMS_RENAME", membership.RenameGroup, "Rename a group", messages.Done),
    _asked("ROOMS_DELETE", membership.DeleteGroup, "End a group", messages.Done),
    _asked("ROOMS_LIST", membership.ListRooms, "List a user's private rooms", membership.RoomList),
    _asked("ROOMS_GET", membership.GetRoom, "Look at a private room", membership.RoomInfo),
)
OF_HISTORY: Final = (
    _asked("HISTORY_PAGE", messages.GetPage, "Read a page of a room", messages.Page),
    _asked("HISTORY_READ", reading.MarkRead, "A user has read a room up to somewhere", reading.ReadMarker),
    _asked("HISTORY_UNREAD", reading.CountUnread, "How much has a user not read?", reading.Unread),
    _asked("HISTORY_NOTIFY", notifications.Notify, "Keep a notification", notifications.Notified),
    _asked("HISTORY_NOTIFICATIONS", notifications.GetNotifications, "What is kept for users?", notifications.Kept),
    _asked("HISTORY_DISMISS", notifications.Dismiss, "A notification was read", messages.Done),
)
