const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long", month: "long", day: "numeric" });
const withYear = new Intl.DateTimeFormat(undefined, { weekday: "long", month: "long", day: "numeric", year: "numeric" });
const HUES = 8;

export const timeOf = (ts) => clock.format(ts);
/** Without AM and PM, for where there is little room. */
export const shortTimeOf = (ts) =>
  clock.formatToParts(ts).filter(({ type }) => type !== "dayPeriod").map(({ value }) => value).join("").trim();
export const momentOf = (ts) => full.format(ts);

export function dayOf(ts, now = Date.now()) {
  if (sameDay(ts, now)) return "Today";
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (sameDay(ts, yesterday)) return "Yesterday";
  const sameYear = new Date(ts).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? weekday : withYear).format(ts);
}

export function sameDay(a, b) {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** Up to two letters that stand for a name. */
export function initials(name) {
  const words = name.split(/\s+/u).map((word) => word.match(/[\p{L}\p{N}]/u)?.[0]).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.join("").toUpperCase() || "?";
}

/** A number from 0 to 7 that is always the same for the same id. */
export function hueOf(id) {
  let hash = 0;
  for (const letter of id) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return hash % HUES;
}

const encoder = new TextEncoder();
export const byteLength = (text) => encoder.encode(text).length;
