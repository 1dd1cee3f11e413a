// The filter fields above the calls: text, team, language, only those with open alerts.

import { languageName } from "./format.js";
import { h } from "./dom.js";
import { t } from "./strings.js";

/** Fields bound to `filters`, the checkbox `alerts` among them; `onChange()` after each. Returns a painter that keeps choices and values current. */
export function fillFilters(host, alerts, filters, onChange) {
  const set = (name, value) => { filters[name] = value; onChange(); };
  const text = h("input", { id: "filter-text", type: "search", autocomplete: "off", spellcheck: "false", placeholder: t("filter"), "aria-label": t("filter"), oninput: () => set("text", text.value) });
  const team = h("select", { "aria-label": t("team"), onchange: () => set("team", team.value) });
  const language = h("select", { "aria-label": t("language"), onchange: () => set("language", language.value) });
  alerts.addEventListener("change", () => set("alerts", alerts.checked));
  host.append(text, h("div", { class: "filter-row" }, team, language));
  return (state) => {
    choices(team, t("allTeams"), valuesOf(state, "team"), filters.team, (name) => name);
    choices(language, t("allLanguages"), valuesOf(state, "language"), filters.language, languageName);
    if (text.value !== filters.text && document.activeElement !== text) text.value = filters.text;
    if (filters.text === "" && text.value !== "" ) text.value = "";
    alerts.checked = filters.alerts;
  };
}

function valuesOf(state, field) {
  const values = new Set();
  for (const call of state.calls.values()) if (call[field] !== null) values.add(call[field]);
  return [...values].sort();
}

function choices(select, all, values, chosen, name) {
  const wanted = chosen === "" || values.includes(chosen) ? values : [chosen, ...values];
  const key = wanted.join("\n");
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    select.replaceChildren(h("option", { value: "" }, all), ...wanted.map((value) => h("option", { value }, name(value))));
  }
  if (select.value !== chosen) select.value = chosen;
}
