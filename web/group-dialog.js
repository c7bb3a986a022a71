import { showAvatar } from "./avatar.js";
import { run } from "./dialog.js";

const dialog = document.querySelector("#group-dialog");
const template = document.querySelector("#person-template");
const list = document.querySelector("#people-list");
const nobody = document.querySelector("#no-people");
const form = dialog.querySelector("form");
const { name, filter } = form.elements;

/** Choose some of `people`, and with `named` a name. `act({name, people: [id]})`; see dialog.js. */
export function choosePeople({ title, confirm, named, people, act }) {
  dialog.querySelector("#group-title").textContent = title;
  dialog.querySelector("#group-name").hidden = !named;
  dialog.querySelector("[data-part=confirm]").textContent = confirm;
  name.value = "";
  filter.value = "";
  filter.hidden = people.length < 8;
  list.replaceChildren(...people.map(choice));
  find();
  const done = run(dialog, () => {
    const chosen = Array.from(list.querySelectorAll("input:checked"), ({ value }) => value);
    if (!chosen.length && !named) throw new Error("Choose somebody first.");
    return act({ name: name.value.trim(), people: chosen });
  });
  (named ? name : (list.querySelector("input") ?? dialog.querySelector("[data-close]"))).focus();
  return done;
}

function choice(person) {
  const item = template.content.firstElementChild.cloneNode(true);
  item.querySelector("input").value = person.id;
  showAvatar(item.querySelector(".avatar"), person);
  item.querySelector("bdi").textContent = person.display_name;
  return item;
}

function find() {
  const wanted = filter.value.trim().toLocaleLowerCase();
  for (const item of list.children) item.hidden = !item.textContent.toLocaleLowerCase().includes(wanted);
  nobody.hidden = Boolean(list.querySelector("li:not([hidden])"));
  nobody.textContent = list.children.length
    ? "Nobody of that name."
    : "There is nobody else yet. You can choose from those whom you have met in a room.";
}

filter.addEventListener("input", find);
