// Notes on a recorded call, each at its moment.

import * as api from "./api.js";
import { clock, wallDate } from "./format.js";
import { h, setText } from "./dom.js";
import { t } from "./strings.js";

/** `now()` gives the position in seconds, `onGo(at_s)` moves there. */
export class Notes {
  constructor(host, { now, onGo }) {
    this.now = now;
    this.onGo = onGo;
    this.callId = null;
    this.list = h("ul", { class: "note-list" });
    this.text = h("textarea", { rows: 2, maxlength: 4000, "aria-label": t("addNote"), placeholder: t("addNote") });
    this.save = h("button", { class: "button small", type: "submit" }, t("saveNote"));
    this.at = h("span", { class: "muted num" });
    this.problem = h("p", { class: "alert-failure", role: "alert", hidden: true });
    this.form = h("form", { class: "note-form", hidden: true }, this.text, h("div", { class: "note-row" }, this.at, this.save), this.problem);
    this.about = h("p", { class: "muted" });
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#add(); });
    host.append(this.list, this.about, this.form);
  }

  /** The notes of a recorded call; null: a file, which has none. */
  async open(callId) {
    this.callId = callId;
    this.form.hidden = callId === null;
    this.list.replaceChildren();
    setText(this.about, callId === null ? t("notesNotKept") : "");
    if (callId === null) return;
    try {
      const { annotations } = await api.callDetail(callId);
      if (this.callId === callId) this.#show(annotations.filter((one) => one.kind === "note"));
    } catch (error) {
      setText(this.about, t("loadFailed", { why: error.message }));
    }
  }

  moved() {
    setText(this.at, t("noteAt", { time: clock(this.now()) }));
  }

  #show(notes) {
    this.list.replaceChildren(...notes.map(item, this));
    setText(this.about, notes.length === 0 ? t("noNotes") : "");
  }

  async #add() {
    const text = this.text.value.trim();
    if (text === "" || this.callId === null) return;
    this.save.disabled = true;
    this.problem.hidden = true;
    try {
      const note = await api.addNote(this.callId, { text, at_s: this.now() });
      this.list.append(item.call(this, note));
      setText(this.about, "");
      this.text.value = "";
    } catch (error) {
      this.problem.hidden = false;
      setText(this.problem, t("actionFailed", { why: error.message }));
    }
    this.save.disabled = false;
  }
}

function item(note) {
  const { text, at_s } = note.body;
  const when = at_s === null || at_s === undefined ? null : h("button", { class: "link num", type: "button", onclick: () => this.onGo(at_s) }, clock(at_s));
  return h("li", {}, h("p", { class: "note-head muted" }, when ?? "", ` ${note.by}, ${wallDate(note.at)}`), h("p", { dir: "auto" }, text));
}
