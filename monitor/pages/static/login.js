// The sign-in form works without this; it only says when a token was wrong.

import { fillStrings } from "./strings.js";

fillStrings(document);
const query = new URLSearchParams(location.search);
document.getElementById("token-wrong").hidden = !query.has("error");
const next = query.get("next");
if (next !== null) {
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name: "next", value: next });
  document.querySelector("form").append(field);
}
