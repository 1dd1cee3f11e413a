// The small curves of the list, for what happened before the page was opened: fetched only for calls in sight.

import * as api from "./api.js";

const AT_ONCE = 2;
const POINTS = 90;

export class PastCurves {
  constructor(onChange) {
    this.onChange = onChange;
    this.asked = new Set();
    this.queue = [];
    this.running = 0;
  }

  /** Asks once for a call whose first points are not known here. */
  want(call) {
    if (this.asked.has(call.id) || call.turns <= call.points.length) return;
    this.asked.add(call.id);
    this.queue.push(call);
    this.#run();
  }

  /** Takes point events that somebody loaded. */
  take(call, points) {
    if (call === undefined) return;
    this.asked.add(call.id);
    if (call.points.length < points.length) call.points = points.slice(-POINTS).map((point) => [point.at_s, point.tension, point.risk]);
  }

  async #run() {
    if (this.running >= AT_ONCE || this.queue.length === 0) return;
    this.running += 1;
    const call = this.queue.pop();
    try {
      const events = await api.callEvents(call.id);
      this.take(call, events.filter((event) => event.type === "point"));
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
