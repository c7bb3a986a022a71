export const ROOM_ID = /^[A-Za-z0-9_-]{1,64}$/;
const NAMED_MOST = 3;
const KINDS = { "g-": "group", "d-": "direct" };

/** public | group | direct: an id tells. */
export const kindOf = (id) => KINDS[id.slice(0, 2)] ?? "public";

/** What a room is called: its id, its name, or those who are in it. */
export function titleOf({ id, kind, info, me }) {
  if (kind === "public") return id;
  const others = (info?.members ?? []).filter((member) => member.id !== me.id).map((member) => member.display_name);
  if (kind === "direct") return others[0] ?? "Direct message";
  if (info?.name) return info.name;
  if (!others.length) return info ? "Only you" : "Group";
  const further = info.member_count - 1 - Math.min(others.length, NAMED_MOST);
  return others.slice(0, NAMED_MOST).join(", ") + (further > 0 ? ` and ${further} more` : "");
}
