import { ask } from "./ask-dialog.js";
import { choosePeople } from "./group-dialog.js";
import { peopleIn } from "./people.js";
import { showPerson } from "./person-dialog.js";

/** What a user does with rooms and people, each in a dialog that says what went wrong. */
export class RoomActions {
  #me;
  #api;
  #rooms;
  #open;
  #forget;

  /** @param open   (id) => void: show that room
   *  @param forget (room) => void: it is not ours any more, by our own doing */
  constructor({ me, api, rooms, open, forget }) {
    this.#me = me;
    this.#api = api;
    this.#rooms = rooms;
    this.#open = open;
    this.#forget = forget;
  }

  async newGroup() {
    const made = await choosePeople({
      title: "New group",
      confirm: "Create group",
      named: true,
      people: this.#people(),
      act: ({ name, people }) => this.#api.createGroup(name, people),
    });
    if (made) this.#enter(made);
  }

  async invite(room) {
    const members = new Set(room.info?.members?.map(({ id }) => id));
    await choosePeople({
      title: `Invite to ${room.title}`,
      confirm: "Invite",
      named: false,
      people: this.#people().filter(({ id }) => !members.has(id)),
      act: ({ people }) => Promise.all(people.map((id) => this.#api.invite(room.id, id))),
    });
    this.#rooms.refresh(room.id);
  }

  rename(room) {
    return ask({
      title: "Rename group",
      confirm: "Rename",
      value: room.info?.name ?? "",
      act: async (name) => {
        await this.#api.rename(room.id, name);
        await this.#rooms.refresh(room.id);
      },
    });
  }

  leave(room) {
    if (room.kind === "public") return this.#forget(room);
    return ask({
      title: `Leave ${room.title}?`,
      text: "You will not see its messages any more, until somebody invites you again.",
      confirm: "Leave group",
      danger: true,
      act: () => this.#end(room, () => this.#api.remove(room.id, this.#me.id)),
    });
  }

  delete(room) {
    return ask({
      title: `Delete ${room.title}?`,
      text: "It ends for all its members.",
      confirm: "Delete group",
      danger: true,
      act: () => this.#end(room, () => this.#api.delete(room.id)),
    });
  }

  /** Who somebody in `room` is, with what can be done about it. */
  async person(room, person) {
    const own = person.id === this.#me.id;
    const isMember = room.info?.members?.some(({ id }) => id === person.id);
    const online = room.presence.known && room.presence.has(person.id);
    const made = await showPerson({
      person: { ...person, online: online || (isMember && room.presence.known ? false : undefined) },
      own,
      onMessage: () => this.#api.openDirect(person.id),
      onRemove: room.isMine && isMember && !own ? () => this.#remove(room, person) : undefined,
    });
    if (made) this.#enter(made);
  }

  #remove(room, person) {
    return ask({
      title: `Remove ${person.display_name}?`,
      text: `They will not see what is said in ${room.title} any more.`,
      confirm: "Remove",
      danger: true,
      act: async () => {
        await this.#api.remove(room.id, person.id);
        await this.#rooms.refresh(room.id);
      },
    });
  }

  /** The server tells of it, too, sooner or later than it answers. */
  async #end(room, act) {
    room.isGoing = true;
    try {
      await act();
    } catch (error) {
      room.isGoing = false;
      throw error;
    }
    this.#forget(room);
  }

  #enter(info) {
    this.#rooms.add(info);
    this.#open(info.room);
  }

  #people() {
    return peopleIn(this.#rooms.all, this.#me);
  }
}
