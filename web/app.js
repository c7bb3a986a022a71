import { signOut } from "./api.js";
import { Chat } from "./chat.js";
import { ROOM_ID } from "./room-names.js";
import { SharedSession } from "./shared-session.js";
import { showSignIn } from "./sign-in.js";
import * as stored from "./stored-session.js";

const DEFAULT_ROOM = "lobby";
const RENEW_AGAIN_MS = 3000;
const ENDED = {
  expired: "Your session has expired. Please enter again.",
  unauthorized: "You have been signed out. Please enter again.",
};
const SIGNED_OUT_ELSEWHERE = "You have signed out in another tab. Please enter again.";

let chat;
let shared;

function roomInAddress() {
  return new URLSearchParams(location.search).get("room");
}

function leaveChat(notice) {
  const room = roomInAddress();
  chat?.close();
  chat = undefined;
  shared?.close();
  stored.clear();
  askForEntry({ room, notice });
}

function askForEntry({ room, notice } = {}) {
  showSignIn({
    preferredRoom: room || DEFAULT_ROOM,
    notice,
    onEnter: (session, chosen) => enter({ session }, { rooms: [chosen], room: chosen }),
  });
}

function enter(known, places) {
  const save = () => stored.save({ ...own.stored, ...places });
  const own = new SharedSession({
    ...known,
    async onTokens() {
      save();
      try {
        await active.refresh(own.session.access_token);
      } catch (error) {
        console.warn("The connection was not lengthened; the server will end it, and it will come back:", error);
      }
    },
    onSignedOut: () => leaveChat(SIGNED_OUT_ELSEWHERE),
  });
  const active = new Chat({
    session: () => own.session,
    ...places,
    async onEnded({ code, message }) {
      try {
        if (code !== "expired" || !own.canRenew) throw new Error(message);
        await own.renew();
        if (chat === active) active.reconnect();
      } catch (error) {
        if (chat !== active) return;
        if (error.temporary) setTimeout(() => chat === active && active.reconnect(), RENEW_AGAIN_MS);
        else leaveChat(ENDED[code] ?? message);
      }
    },
    async onExpiring() {
      if (!own.canRenew) return;
      try {
        await own.renew();
      } catch (error) {
        console.warn("The session was not renewed; the server will end it:", error);
      }
    },
    onSignOut() {
      own.signOut();
      signOut(own.session.access_token).catch(() => {});
      leaveChat();
    },
    onRoomsChange(rooms, room) {
      Object.assign(places, { rooms, room });
      save();
      const address = new URL(location);
      address.searchParams.set("room", room);
      history.replaceState(null, "", address);
    },
  });
  chat = active;
  shared = own;
}

const known = stored.load();
const wanted = roomInAddress();
if (known) {
  const room = wanted && ROOM_ID.test(wanted) ? wanted : (known.room ?? DEFAULT_ROOM);
  enter(known, { rooms: known.rooms ?? [], room });
} else askForEntry({ room: wanted });
