// The classes to choose from: keys for up to ten, a search for more.

const KEYS = "1234567890";
const SHOWN = 200;

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

// Those that contain the words, names that begin with them first.
function found(classes, words) {
  const wanted = plain(words.trim());
  const fits = classes
    .map((name, index) => ({ name, index, at: plain(name).indexOf(wanted) }))
    .filter(({ at }) => at >= 0);
  const rank = ({ name, at }) => (plain(name) === wanted ? 0 : at === 0 ? 1 : 2);
  return wanted ? fits.sort((a, b) => rank(a) - rank(b) || a.index - b.index) : fits;
}

export class Picker {
  constructor({ list, search, pick }) {
    this.list = list;
    this.search = search;
    this.pick = pick;
    this.classes = [];
    this.chosen = -1;
    search.addEventListener("input", () => this.draw());
    search.addEventListener("keydown", (event) => this.inSearch(event));
    list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.pick(Number(button.dataset.index));
    });
  }

  get searches() {
    return this.classes.length > KEYS.length;
  }

  show(classes, guessed = null) {
    const same = classes.length === this.classes.length && guessed === this.guessed;
    if (same && classes.every((name, index) => name === this.classes[index])) return;
    this.classes = classes;
    this.guessed = guessed;
    this.search.hidden = !this.searches;
    this.list.classList.toggle("many", this.searches);
    this.draw();
  }

  clear() {
    if (!this.search.value && this.chosen < 0) return;
    this.search.value = "";
    this.draw();
  }

  // Whether a key named a class.
  key(event) {
    if (this.searches || event.altKey || event.ctrlKey || event.metaKey) return false;
    const index = this.keys.indexOf(event.key);
    if (index < 0 || event.key === "" || index >= this.classes.length) return false;
    this.pick(index);
    return true;
  }

  // Classes that are called by digits have these as keys.
  get keys() {
    const digits = this.classes.length > 0 && this.classes.every((name) => /^\d$/.test(name));
    return digits ? this.classes : [...KEYS];
  }

  inSearch(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const count = this.list.querySelectorAll("button").length;
      const by = event.key === "ArrowDown" ? 1 : -1;
      this.chosen = count ? (Math.max(this.chosen, by < 0 ? 0 : -1) + by + count) % count : -1;
      this.mark();
      event.preventDefault();
    } else if (event.key === "Enter" && !event.isComposing) {
      const chosen = this.list.querySelectorAll("button")[this.chosen];
      if (chosen) this.pick(Number(chosen.dataset.index));
      event.preventDefault();
    }
  }

  draw() {
    const words = this.searches ? this.search.value : "";
    const fits = found(this.classes, words);
    this.chosen = words.trim() && fits.length ? 0 : -1;
    const buttons = fits.slice(0, SHOWN).map(({ name, index }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.index = index;
      button.classList.toggle("guessed", index === this.guessed);
      if (!this.searches) {
        const key = document.createElement("kbd");
        key.textContent = this.keys[index];
        button.append(key);
      }
      const label = document.createElement("span");
      label.textContent = name;
      button.append(label);
      return button;
    });
    this.list.replaceChildren(...buttons);
    if (!fits.length || fits.length > SHOWN) {
      const note = document.createElement("p");
      note.textContent = fits.length
        ? `${fits.length - SHOWN} more: type to find them`
        : "No class is called like this.";
      this.list.append(note);
    }
    this.mark();
  }

  mark() {
    this.list.querySelectorAll("button").forEach((button, place) => {
      button.classList.toggle("chosen", place === this.chosen);
      if (place === this.chosen) button.scrollIntoView({ block: "nearest" });
    });
  }
}
