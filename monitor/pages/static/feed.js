// The live feed: one websocket, resumed with `since` after a break, retried with growing pauses, honest about its state.

import { getTicket, probe } from "./api.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 20_000;
const QUIET_MS = 15_000;
const CLOSED_NOT_ALLOWED = 1008;

/**
 * States told to `onState(state, detail)`: `connecting`, `live`, `stale` (open, but neither frames nor an answer to a
 * probe), `disconnected` (with `retryAt_ms`). `onFrame(frame)` gets every parsed frame in order.
 */
export class Feed {
  constructor({ filters = {}, since = () => 0, onFrame, onState }) {
    this.filters = filters;
    this.since = since;
    this.onFrame = onFrame;
    this.onState = onState;
    this.pause_ms = FIRST_PAUSE_MS;
    this.heardAt_ms = 0;
    this.state = null;
    this.socket = null;
    this.timer = null;
    setInterval(() => this.#watch(), QUIET_MS / 3);
    window.addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.retryNow());
  }

  async open() {
    clearTimeout(this.timer);
    this.#tell("connecting");
    let url;
    try {
      url = await this.#url();
    } catch (error) {
      this.#lost(error);
      return;
    }
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onmessage = (message) => this.#hear(message);
    socket.onclose = (event) => socket === this.socket && this.#lost(event);
  }

  /** Skips the rest of the pause, if the feed is waiting. */
  retryNow() {
    if (this.state === "disconnected") this.open();
  }

  async #url() {
    const query = new URLSearchParams(this.filters);
    if (this.since() > 0) query.set("since", String(this.since()));
    const ticket = await getTicket();
    if (ticket !== null) query.set("ticket", ticket);
    const base = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/feed`;
    return `${base}?${query}`;
  }

  #hear(message) {
    this.heardAt_ms = Date.now();
    this.pause_ms = FIRST_PAUSE_MS;
    if (this.state !== "live") this.#tell("live");
    this.onFrame(JSON.parse(message.data));
  }

  #lost(why) {
    this.socket = null;
    if (why?.code === CLOSED_NOT_ALLOWED) this.pause_ms = LONGEST_PAUSE_MS;
    const wait_ms = this.pause_ms * (0.75 + Math.random() / 2);
    this.pause_ms = Math.min(this.pause_ms * 2, LONGEST_PAUSE_MS);
    this.#tell("disconnected", { retryAt_ms: Date.now() + wait_ms, heardAt_ms: this.heardAt_ms });
    this.timer = setTimeout(() => this.open(), wait_ms);
  }

  /** Silence may be a quiet hour or a dead line: ask the service, and say so when it does not answer. */
  async #watch() {
    if (this.socket === null || this.socket.readyState !== WebSocket.OPEN) return;
    if (Date.now() - this.heardAt_ms < QUIET_MS) return;
    const answered = await probe();
    if (this.socket === null || Date.now() - this.heardAt_ms < QUIET_MS) return;
    const state = answered ? "live" : "stale";
    if (state !== this.state) this.#tell(state, { heardAt_ms: this.heardAt_ms });
  }

  #tell(state, detail = {}) {
    this.state = state;
    this.onState(state, detail);
  }
}
