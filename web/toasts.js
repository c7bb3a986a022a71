const region = document.querySelector("#toasts");
const template = document.querySelector("#toast-template");
const SHOWN_MS = 7000;
const MOST = 3;

/** A quiet hint that goes by itself, unless somebody is on it. `action`: {label, run}. `about`: see remove(). */
export function show({ title, text = "", action, about = "" }) {
  const toast = template.content.firstElementChild.cloneNode(true);
  const part = (name) => toast.querySelector(`[data-part=${name}]`);
  toast.dataset.about = about;
  part("title").textContent = title;
  part("text").textContent = text;
  part("text").hidden = !text;
  part("close").onclick = () => toast.remove();
  part("action").hidden = !action;
  part("action").textContent = action?.label ?? "";
  part("action").onclick = () => {
    toast.remove();
    action.run();
  };
  region.append(toast);
  while (region.children.length > MOST) region.firstElementChild.remove();
  const expire = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(expire, SHOWN_MS);
    else toast.remove();
  };
  setTimeout(expire, SHOWN_MS);
}

/** What it was about has been seen elsewhere. */
export function remove(about) {
  for (const toast of [...region.children]) if (toast.dataset.about === about) toast.remove();
}

export function clear() {
  region.replaceChildren();
}
