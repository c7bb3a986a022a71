const state = document.querySelector("#connection-state");
const gateway = document.querySelector("#gateway-name");
const notice = document.querySelector("#connection-notice");
const PATIENCE_MS = 1500;
const TEXT = { connecting: "Connecting…", connected: "Connected", reconnecting: "Reconnecting…", offline: "Offline" };
const NOTICE = {
  connecting: "Still connecting…",
  reconnecting: "There is no connection at the moment. What you write now is sent as soon as it is back.",
  offline: "You are offline. What you write now is sent as soon as you are back.",
};

let timer;

/** A short interruption shows beside the room's name only; a longer one explains itself. */
export function showState(name) {
  state.dataset.state = name;
  state.textContent = TEXT[name];
  notice.textContent = NOTICE[name] ?? "";
  if (name === "connected") {
    clearTimeout(timer);
    timer = undefined;
    notice.hidden = true;
  } else timer ??= setTimeout(() => { notice.hidden = false; }, PATIENCE_MS);
}

export function showGateway(name) {
  gateway.textContent = name;
}
