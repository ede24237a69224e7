// Draws the parts of a state; see view.py.

import { drawCurve, percent } from "./curve.js";

const SMALL = 100; // pixels: an image this small is enlarged even as a thumbnail
const preloaded = new Map();

export const at = (id) => document.getElementById(id);
export const classOf = (state, label) => (label === null ? "skipped" : state.classes[label]);

const imageOf = (state, id) => `/image?id=${encodeURIComponent(id)}&of=${state.images}`;

export function showImage(picture, state) {
  picture.show(state.current ? imageOf(state, state.current.id) : null);
}

export function thumbnail(image, state, id) {
  image.onload = () => image.classList.toggle("pixelated", image.naturalWidth < SMALL);
  image.src = imageOf(state, id);
}

function statusOf(state, name) {
  const { phase, begins_in: left, query, training } = state;
  if (!name) return "Say who labels here, and the first image comes.";
  if (phase === "choosing") return "Choosing what to ask…";
  if (phase === "exporting") return "All rounds are made. Exporting the models…";
  if (phase === "failed") return state.problem;
  if (phase === "finished") {
    return `Finished: all ${state.rounds} rounds are made, and the models are exported to `
      + `${state.export}. Thank you!`;
  }
  if (phase === "training") {
    const step = training ? `: ${training.stage}, step ${training.step} of ${training.steps}` : "";
    return `Training round ${state.round}${step}. Corrections hold from the next one on.`;
  }
  if (left !== null) return `All is answered. Training begins in ${Math.ceil(left)} s; U undoes.`;
  return `The last ${query.with_others} are with others; this page goes on by itself.`;
}

export function drawStatus(state, name) {
  const { phase, training, current } = state;
  at("status").hidden = Boolean(current);
  if (current) return;
  at("status-text").textContent = statusOf(state, name);
  at("status").className = phase;
  const working = ["training", "choosing", "exporting"].includes(phase);
  at("status-bar").hidden = !working;
  if (working && training) at("status-bar").value = training.step / training.steps;
  else at("status-bar").removeAttribute("value");
  at("retry").hidden = phase !== "failed";
}

// Returns the class to mark.
export function drawGuess(state, hidden) {
  const { current, acquisition } = state;
  const guess = current?.guess;
  const scores = [];
  if (guess && guess.bald !== null) scores.push(`BALD ${guess.bald.toFixed(3)} nats`);
  if (guess && acquisition !== "bald") {
    scores.push(`${acquisition} ${current.score.toPrecision(3)}`);
  }
  at("guess-class").textContent = hidden && guess ? "guess hidden"
    : guess ? `${classOf(state, guess.label)} ${percent(guess.probability)}`
      : current ? "No guess before the first round." : "";
  at("guess-class").classList.toggle("known", Boolean(guess) && !hidden);
  at("guess-scores").textContent = hidden ? "" : scores.join(" · ");
  at("guess-toggle").innerHTML = `<kbd>H</kbd> ${hidden ? "show" : "hide"}`;
  at("guess-toggle").hidden = !guess;
  return guess && !hidden ? guess.label : null;
}

export function drawRecent(state, choose) {
  const drawn = at("recent").dataset.drawn;
  const now = JSON.stringify([state.recent, state.classes.length]);
  if (drawn === now) return;
  at("recent").dataset.drawn = now;
  const had = at("recent").contains(document.activeElement);
  at("recent").replaceChildren(...state.recent.map((entry) => {
    const [item, button, image, text] =
      ["li", "button", "img", "span"].map((tag) => document.createElement(tag));
    button.type = "button";
    button.title = `${entry.id}: ${classOf(state, entry.label)}, said ${entry.who}; correct it`;
    thumbnail(image, state, entry.id);
    image.alt = "";
    image.loading = "lazy";
    text.textContent = classOf(state, entry.label);
    button.append(image, text);
    button.addEventListener("click", () => choose(entry));
    item.append(button);
    return item;
  }));
  at("no-recent").hidden = state.recent.length > 0;
  if (had) at("recent").querySelector("button")?.focus();
}

export function drawRounds(state) {
  drawCurve(at("curve"), state.finished);
  at("finished").replaceChildren(...state.finished.map((round) => {
    const item = document.createElement("li");
    const accuracy = round.test_accuracy === null ? "no test set" : percent(round.test_accuracy);
    item.textContent = `${round.labelled} labels: ${accuracy}`;
    item.title = `after round ${round.round}`;
    return item;
  }).reverse());
  at("no-rounds").hidden = state.finished.length > 0;
}

export function preload(state) {
  for (const id of state.next) {
    if (preloaded.has(id)) continue;
    const image = new Image();
    image.src = imageOf(state, id);
    preloaded.set(id, image);
  }
  for (const id of preloaded.keys()) if (!state.next.includes(id)) preloaded.delete(id);
}
