// The page: draws what the server says, and tells it what is pressed.

import { at, classOf, drawGuess, drawRecent, drawRounds, drawStatus, preload, showImage, thumbnail }
  from "./drawing.js";
import { Picker } from "./picker.js";
import { Picture } from "./picture.js";
import { Refused, Server } from "./server.js";

const POLL_MS = 1500;
const SAID_MS = 6000;

const kept = {
  get: (name) => {
    try { return localStorage.getItem(`bgadl.${name}`) ?? ""; } catch { return ""; }
  },
  set: (name, value) => {
    try { localStorage.setItem(`bgadl.${name}`, value); } catch { /* forgotten on reload */ }
  },
};

let state = null;
let busy = false;
let name = kept.get("name");
let correcting = null;
let saidUntil = 0;
let leftSearch = false;

const server = new Server({
  name: () => name,
  shown: (newer) => { state = newer; draw(); },
  lost: (away) => {
    at("banner").hidden = !away;
    at("banner").textContent = "The server does not answer; trying again. Nothing is lost.";
  },
});
const picture = new Picture(at("frame"), at("image"));
at("image").addEventListener("error", () => {
  say("This image cannot be shown: its file is gone or damaged. Skip it.", true);
});
const picker = new Picker({ list: at("classes"), search: at("search"), pick: answer });
const corrector = new Picker({
  list: at("correct-classes"), search: at("correct-search"), pick: correct,
});

// On a phone its keyboard would cover the page.
const typesFirst = () => matchMedia("(hover: hover) and (pointer: fine)").matches;

function say(text, problem = false) {
  at("said").textContent = text;
  at("said").classList.toggle("problem", problem);
  saidUntil = Date.now() + SAID_MS;
}

// One thing after the other, so that no key is taken for the image after.
async function does(what, fields, done = () => "") {
  if (busy) return false;
  busy = true;
  document.body.classList.add("busy");
  try {
    await server.ask(what, fields);
    say(done());
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(error.message, true);
    server.once("show").catch(() => {});
    return false;
  } finally {
    busy = false;
    document.body.classList.remove("busy");
  }
}

function answer(label) {
  const id = state?.current?.id;
  // What is not seen yet is not answered.
  if (id === undefined || !picture.ready || busy) return;
  picker.clear();
  does("answer", { id, label }, () => `${classOf(state, label)}: noted`);
}

async function undo() {
  const last = state?.undo;
  if (!last) return say("There is nothing to undo.");
  await does("undo", {}, () => `${classOf(state, last.label)}: undone`);
}

async function correct(label) {
  const id = correcting;
  at("correct-dialog").close();
  await does("correct", { id, label }, () =>
    state.phase === "labelling"
      ? `corrected: ${classOf(state, label)}`
      : `corrected: ${classOf(state, label)}; it holds from the next round on`);
}

async function addClass(text) {
  if (await does("class", { class: text }, () => `${text}: a class from now on`)) picker.clear();
}

function hideGuess() {
  kept.set("hideGuess", kept.get("hideGuess") ? "" : "yes");
  draw();
}

// Dialogs

function open(dialog) {
  if (!dialog.open) dialog.showModal();
}

function askName() {
  at("name").value = name;
  open(at("name-dialog"));
}

function askClass() {
  if (state?.phase !== "labelling" && state?.phase !== "finished") {
    return say("A class can be added while images are asked about.", true);
  }
  at("class-name").value = picker.searches ? at("search").value : "";
  open(at("class-dialog"));
}

function askCorrection(entry) {
  correcting = entry.id;
  thumbnail(at("correct-image"), state, entry.id);
  at("correct-text").textContent = `${classOf(state, entry.label)}, said ${entry.who}`;
  corrector.show(state.classes, entry.label);
  corrector.clear();
  open(at("correct-dialog"));
}

// Drawing

function draw() {
  const { phase, query, current } = state;
  const done = query.asked - query.left;
  at("run").textContent = state.run;
  document.title = phase === "labelling" ? `${query.left} to label – ${state.run}`
    : `${phase} – ${state.run}`;
  at("query-text").textContent = phase === "labelling"
    ? `${done} of ${query.asked} · round ${state.round} of ${state.rounds}`
    : phase === "finished" ? `${state.rounds} rounds` : `round ${state.round} of ${state.rounds}`;
  at("query-bar").value = phase === "labelling" && query.asked ? done / query.asked : 1;
  at("who").textContent = name || "who?";
  if (Date.now() > saidUntil) at("said").textContent = "";
  showImage(picture, state);
  at("id").textContent = current
    ? current.id + (current.synthesised ? " (made by the model)" : "") : "";
  at("zoom").hidden = !current;
  at("skip").disabled = !current;
  at("undo").disabled = !state.undo;
  at("new").disabled = phase !== "labelling" && phase !== "finished";
  document.body.classList.toggle("asking", Boolean(current));
  document.body.classList.toggle("searching", state.classes.length > 10);
  drawStatus(state, name);
  picker.show(state.classes, drawGuess(state, Boolean(kept.get("hideGuess"))));
  drawRecent(state, askCorrection);
  drawRounds(state);
  preload(state);
  const free = document.activeElement === document.body;
  if (picker.searches && current && free && !leftSearch && typesFirst()) at("search").focus();
}

// What is pressed

const SHORTCUTS = {
  s: () => answer(null),
  u: undo,
  n: askClass,
  h: hideGuess,
  c: () => at("recent").querySelector("button")?.focus(),
  f: () => picture.zoom(0),
  "/": () => at("search").focus(),
  "+": () => picture.zoomIn(),
  "=": () => picture.zoomIn(),
  "-": () => picture.zoomOut(),
  "?": () => open(at("help-dialog")),
};

function pressed(event) {
  if (!state || event.repeat || event.isComposing) return;
  const dialog = document.querySelector("dialog[open]");
  const typing = event.target.matches?.("input");
  if (event.key === "Escape" && !dialog) {
    leftSearch = true;
    document.activeElement?.blur();
  }
  if ((typing && !event.altKey) || event.ctrlKey || event.metaKey) return;
  // With Alt some keyboards send another character.
  const key = event.altKey ? event.code.replace(/^Key/, "").toLowerCase() : event.key.toLowerCase();
  let known = true;
  if (dialog === at("correct-dialog")) {
    known = corrector.key(event) || (key === "s" && (correct(null), true));
  } else if (dialog) known = false;
  else if (!picker.key(event)) {
    known = key in SHORTCUTS;
    if (known) SHORTCUTS[key]();
  }
  if (known) event.preventDefault();
}

document.addEventListener("keydown", pressed);
at("search").addEventListener("focus", () => { leftSearch = false; });
const clicks = {
  skip: () => answer(null), undo, new: askClass, who: askName, help: SHORTCUTS["?"],
  retry: () => does("retry", {}), "guess-toggle": hideGuess, "correct-skip": () => correct(null),
  "zoom-in": () => picture.zoomIn(), "zoom-out": () => picture.zoomOut(),
  "zoom-fit": () => picture.zoom(0),
};
for (const [id, does_] of Object.entries(clicks)) at(id).addEventListener("click", () => does_());
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
at("name-dialog").addEventListener("cancel", (event) => { if (!name) event.preventDefault(); });
at("name-form").addEventListener("submit", (event) => {
  event.preventDefault();
  name = at("name").value.trim();
  kept.set("name", name);
  if (!name) return;
  at("name-dialog").close();
  poll();
});
at("class-form").addEventListener("submit", (event) => {
  event.preventDefault();
  at("class-dialog").close();
  addClass(at("class-name").value.trim());
});

// The server is asked all the time: that keeps the image before this tab, too.

async function poll() {
  if (busy) return;
  await server.once("show").catch((error) => {
    if (error instanceof Refused) say(error.message, true);
  });
}

setInterval(poll, POLL_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });
addEventListener("pagehide", () => server.release());
addEventListener("pageshow", (event) => { if (event.persisted) poll(); });
if (!name) askName();
poll();
