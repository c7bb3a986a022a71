const banner = document.querySelector("#error-banner");

/** The one place where errors are shown; it moves to the view in use. */
export function moveTo(container) {
  hide();
  container.append(banner);
}

export function show(text) {
  banner.textContent = text;
  banner.hidden = false;
}

export function hide() {
  banner.hidden = true;
  banner.textContent = "";
}
