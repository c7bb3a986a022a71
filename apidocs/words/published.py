"""What gateways and the auth service publish for others to hear."""

from typing import Final

from apidocs.described import Subject
from apidocs.words.senders import AUTH, GATEWAY, HISTORY, NATS
from wire import control, messages, notifications, presence, reading, subjects

OF_ROOMS: Final = (
    Subject(
        address=subjects.stored_message("{room}"),
        names=("stored_message", "STORED_MESSAGES", "room_of_stored"),
        kinds=(messages.ChatMessage,),
        summary="A message is to be stored",
        text="Captured by the stream MESSAGES, which drops what has the `Nats-Msg-Id` of one that it saw lately. "
        "Answered by JetStream: `{stream, seq, duplicate?}`, or `{error}`. History's consumer fetches it from there.",
        sender=GATEWAY,
        hearers=f"{NATS}, {HISTORY}",
        is_answered=True,
    ),
    Subject(
        address=subjects.live("{room}", "message"),
        names=("REPUBLISHED_MESSAGES",),
        kinds=(messages.ChatMessage,),
        summary="A message was stored",
        text="Republished by the stream, with `Nats-Sequence` and, of the message before it in the room, "
        "`Nats-Last-Sequence`.",
        sender=NATS,
        hearers=GATEWAY,
    ),
    Subject(
        address=subjects.live("{room}", subjects.TYPING),
        names=("TYPING", "live", "live_interest"),
        kinds=(messages.Typing,),
        summary="Somebody types, or has ceased to",
        text="As all that is live it goes to gateways with members of the room, and to no other.",
        sender=GATEWAY,
        hearers=GATEWAY,
    ),
    Subject(
        address=subjects.live("{room}", subjects.EVENT),
        names=("EVENT",),
        kinds=(messages.RoomEvent,),
        summary="An application's own event",
        sender=GATEWAY,
        hearers=GATEWAY,
    ),
    Subject(
        address=subjects.live("{room}", subjects.PRESENCE),
        names=("PRESENCE",),
        kinds=(presence.PresenceChanged, presence.PresenceStands, presence.PresenceAsked),
        summary="Who is present in a room, at one gateway",
        text="A gateway that asks is answered by each of the others that has somebody there.",
        sender=GATEWAY,
        hearers=GATEWAY,
    ),
    Subject(
        address=subjects.presence_answers(subjects.inbox(GATEWAY), "{gateway}"),
        names=("presence_answers",),
        kinds=(presence.PresenceSnapshot,),
        summary="Who is in a room at one gateway, for another that has asked",
        sender=GATEWAY,
        hearers=GATEWAY,
    ),
    Subject(
        address=subjects.live_gateway("{gateway}"),
        names=("GATEWAYS", "live_gateway"),
        kinds=(presence.Heartbeat, presence.Farewell),
        summary="A gateway lives, or ends",
        sender=GATEWAY,
        hearers=GATEWAY,
    ),
)
OF_USERS: Final = (
    Subject(
        address=subjects.live_user("{user}", subjects.NOTIFICATION),
        names=("NOTIFICATION", "live_user", "live_user_interest", "user_of_live"),
        kinds=(notifications.Notification, notifications.Dismissed),
        summary="A backend tells a user something, or one of the user's devices has read it",
        sender=GATEWAY,
        hearers=GATEWAY,
    ),
    Subject(
        address=subjects.live_user("{user}", subjects.READ),
        names=("READ",),
        kinds=(reading.ReadMoved,),
        summary="A user has read a room up to somewhere",
        sender=GATEWAY,
        hearers=GATEWAY,
    ),
)
OF_CONTROL: Final = tuple(
    each
    for stored, names, kind, summary in (
        (
            subjects.session_revoked("{session}"),
            ("session_revoked", "SESSIONS_REVOKED"),
            control.SessionRevoked,
            "A session has ended",
        ),
        (
            subjects.user_revoked("{user}"),
            ("user_revoked", "USERS_REVOKED"),
            control.UserRevoked,
            "All of a user have",
        ),
        (subjects.members_changed("{room}"), ("members_changed",), control.MembersChanged, "Members came or went"),
    )
    for each in (
        Subject(
            address=stored,
            names=(*names, "CONTROL"),
            kinds=(kind,),
            summary=summary,
            text="Captured by the stream CONTROL, and answered by JetStream.",
            sender=AUTH,
            hearers=NATS,
            is_answered=True,
        ),
        Subject(
            address=f"live.{stored}",
            names=("REPUBLISHED_CONTROL", "CONTROL_INTEREST"),
            kinds=(kind,),
            summary=f"{summary}, and it is stored",
            text="Republished by the stream: every gateway hears it.",
            sender=NATS,
            hearers=GATEWAY,
        ),
    )
)
