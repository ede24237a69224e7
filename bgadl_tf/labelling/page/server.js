// Talks to the server: an answer is sent until it is acknowledged, and old news are dropped.

const RETRY_MS = 1000;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What the server refuses; its message is for people.
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function newTab() {
  // Not crypto.randomUUID: browsers offer it to secure addresses alone.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Server {
  constructor({ name, shown, lost }) {
    this.tab = newTab(); // of this load: a duplicated tab is another one
    this.name = name; // a function
    this.shown = shown; // is given every newer state
    this.lost = lost; // is told whether the server is away
    this.sent = 0;
    this.newest = 0;
  }

  // The state after it is done; tries until the server answers.
  async ask(what, fields = {}) {
    for (;;) {
      const state = await this.once(what, fields).catch((error) => {
        if (error instanceof Refused) throw error;
        return null;
      });
      if (state !== null) return state;
      await wait(RETRY_MS);
    }
  }

  async once(what, fields = {}) {
    const number = ++this.sent;
    const body = JSON.stringify({ tab: this.tab, name: this.name(), ...fields });
    let response;
    let state;
    try {
      const headers = { "Content-Type": "application/json" };
      response = await fetch(`/api/${what}`, { method: "POST", headers, body });
      state = await response.json();
    } catch (error) {
      this.lost(true);
      throw error;
    }
    this.lost(false);
    if (!response.ok) throw new Refused(response.status, state.error);
    if (number > this.newest) {
      this.newest = number;
      this.shown(state);
    }
    return state;
  }

  release() {
    const body = new Blob([JSON.stringify({ tab: this.tab })], { type: "application/json" });
    navigator.sendBeacon("/api/release", body);
  }
}
