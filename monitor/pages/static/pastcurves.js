// What happened in a call before the page was opened: fetched only for calls in sight, a few at a time.

import * as api from "./api.js";
import { learn } from "./store.js";

const AT_ONCE = 2;

export class PastCurves {
  constructor(onChange) {
    this.onChange = onChange;
    this.asked = new Set();
    this.queue = [];
    this.running = 0;
  }

  /** Asks once for a call whose first points are not known here. */
  want(call) {
    if (this.asked.has(call.id) || (!call.partial && call.turns <= call.points.length)) return;
    this.asked.add(call.id);
    this.queue.push(call);
    this.#run();
  }

  /** Takes a call's events that somebody loaded. */
  take(call, events) {
    if (call === undefined) return;
    this.asked.add(call.id);
    learn(call, events);
  }

  async #run() {
    if (this.running >= AT_ONCE || this.queue.length === 0) return;
    this.running += 1;
    const call = this.queue.pop();
    try {
      this.take(call, await api.callEvents(call.id));
      this.onChange();
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      this.asked.delete(call.id); // the row goes on without its past; it is asked for again when it is seen again
    } finally {
      this.running -= 1;
      this.#run();
    }
  }
}
