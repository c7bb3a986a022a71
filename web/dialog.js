/**
 * Show a dialog until `act` has worked or somebody closes it. What goes wrong is said within.
 * Resolves with what `act` returned; with undefined, if it was closed.
 */
export function run(dialog, act) {
  const form = dialog.querySelector("form");
  const error = dialog.querySelector("[data-part=error]");
  const confirm = dialog.querySelector("[data-part=confirm]");
  error.textContent = "";
  confirm.disabled = false;
  return new Promise((resolve) => {
    let result;
    let closed = false;
    form.onsubmit = async (event) => {
      event.preventDefault();
      if (confirm.disabled) return;
      error.textContent = "";
      confirm.disabled = true;
      try {
        result = await act();
        if (!closed) dialog.close();
      } catch (problem) {
        if (!closed) error.textContent = problem.message;
      }
      if (!closed) confirm.disabled = false;
    };
    dialog.onclose = () => {
      closed = true;
      resolve(result);
    };
    dialog.showModal();
  });
}

/** Whoever goes leaves no question behind. */
export function closeAll() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", ({ target }) => target.closest("[data-close]") && dialog.close());
  dialog.addEventListener("pointerdown", ({ target }) => target === dialog && dialog.close()); // beside it
}
