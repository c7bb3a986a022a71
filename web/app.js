import { refreshSession, signOut } from "./api.js";
import { Chat } from "./chat.js";
import { ROOM_ID } from "./room-names.js";
import { showSignIn } from "./sign-in.js";
import * as stored from "./stored-session.js";

const DEFAULT_ROOM = "lobby";
const RENEW_AGAIN_MS = 3000;
const ENDED = {
  expired: "Your session has expired. Please enter again.",
  unauthorized: "You have been signed out. Please enter again.",
};

let chat;

function roomInAddress() {
  return new URLSearchParams(location.search).get("room");
}

function leaveChat(notice) {
  const room = roomInAddress();
  chat?.close();
  chat = undefined;
  stored.clear();
  askForEntry({ room, notice });
}

function askForEntry({ room, notice } = {}) {
  showSignIn({
    preferredRoom: room || DEFAULT_ROOM,
    notice,
    onEnter: (session, chosen) => enter({ session, rooms: [chosen], room: chosen }),
  });
}

function enter({ session, rooms, room }) {
  const state = { session, rooms, room };
  const renew = async () => {
    state.session = { ...state.session, ...(await refreshSession(state.session.refresh_token)) };
    stored.save(state);
  };
  const active = new Chat({
    session: () => state.session,
    rooms,
    room,
    async onEnded({ code, message }) {
      try {
        if (code !== "expired" || !state.session.refresh_token) throw new Error(message);
        await renew();
        if (chat === active) active.reconnect();
      } catch (error) {
        if (chat !== active) return;
        if (error.temporary) setTimeout(() => chat === active && active.reconnect(), RENEW_AGAIN_MS);
        else leaveChat(ENDED[code] ?? message);
      }
    },
    async onExpiring() {
      if (!state.session.refresh_token) return;
      try {
        await renew();
        if (chat === active) await active.refresh(state.session.access_token);
      } catch (error) {
        console.warn("The session was not renewed; the server will end it:", error);
      }
    },
    onSignOut() {
      signOut(state.session.access_token).catch(() => {});
      leaveChat();
    },
    onRoomsChange(ids, current) {
      Object.assign(state, { rooms: ids, room: current });
      stored.save(state);
      const address = new URL(location);
      address.searchParams.set("room", current);
      history.replaceState(null, "", address);
    },
  });
  chat = active;
}

const known = stored.load();
const wanted = roomInAddress();
if (known) {
  const room = wanted && ROOM_ID.test(wanted) ? wanted : (known.room ?? DEFAULT_ROOM);
  enter({ session: known.session, rooms: known.rooms ?? [], room });
} else askForEntry({ room: wanted });
