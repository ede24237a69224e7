// The learning curve: test accuracy over the number of labels.

const WIDTH = 220;
const HEIGHT = 88;
const LEFT = 34;
const BELOW = 18;
const ROOM = 8;

function element(name, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

export function drawCurve(svg, rounds) {
  const known = rounds.filter((round) => round.test_accuracy !== null);
  svg.toggleAttribute("hidden", known.length === 0);
  if (!known.length) return;
  const labels = known.map((round) => round.labelled);
  const shares = known.map((round) => round.test_accuracy);
  const [first, last] = [Math.min(...labels), Math.max(...labels)];
  const low = Math.max(0, Math.floor(10 * Math.min(...shares) - 0.5) / 10);
  const high = Math.min(1, Math.ceil(10 * Math.max(...shares) + 0.5) / 10);
  const x = (count) =>
    LEFT + ((WIDTH - LEFT - ROOM) * (last > first ? (count - first) / (last - first) : 0.5));
  const y = (share) => ROOM + ((HEIGHT - BELOW - ROOM) * (high - share)) / (high - low);
  const drawn = [low, high].flatMap((share) => [
    element("line", { x1: LEFT, x2: WIDTH - ROOM, y1: y(share), y2: y(share), class: "grid" }),
    element("text", { x: LEFT - 4, y: y(share) + 4, "text-anchor": "end" }, (100 * share).toFixed(0)),
  ]);
  for (const count of new Set([first, last])) {
    const anchor = last === first ? "middle" : count === first ? "start" : "end";
    const text = count === last ? `${count} labels` : String(count);
    drawn.push(element("text", { x: x(count), y: HEIGHT - 3, "text-anchor": anchor }, text));
  }
  const points = known.map((round) => [x(round.labelled), y(round.test_accuracy)]);
  drawn.push(element("polyline", { points: points.map(String).join(" "), class: "line" }));
  for (const [cx, cy] of points) drawn.push(element("circle", { cx, cy, r: 3, class: "point" }));
  svg.replaceChildren(...drawn);
}
