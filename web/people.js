/** Service tokens write under such ids: nobody to talk to. */
const SERVICE = "svc-";
const byName = new Intl.Collator(undefined, { sensitivity: "base" });

/** Whether somebody is there to be talked to: not a backend, nor the platform itself. */
export const isPerson = (id) => id !== "" && !id.startsWith(SERVICE);

/** Everybody whom this page has met in `rooms`, except `me`: `[{id, display_name}]` by name. */
export function peopleIn(rooms, me) {
  const people = new Map();
  for (const { info, presence, timeline } of rooms) {
    for (const { from } of timeline.entries) people.set(from.id, from);
    for (const member of info?.members ?? []) people.set(member.id, member);
    for (const member of presence.members) people.set(member.id, member);
  }
  people.delete(me.id);
  return sorted([...people.values()].filter(({ id }) => isPerson(id)));
}

/** By name, in place. */
export function sorted(people) {
  return people.sort((a, b) => byName.compare(a.display_name, b.display_name));
}
