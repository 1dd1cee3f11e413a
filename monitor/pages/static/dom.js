// Building the page's nodes. Data only ever becomes text nodes or attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** `h("p", {class: "x", onclick: f}, "text", node)`: an element; null and false children are left out. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  set(node, props);
  node.append(...kept(children));
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...kept(children));
  return node;
}

function set(node, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

function kept(children) {
  return children.flat().filter((child) => child !== null && child !== undefined && child !== false);
}

/** `replaceChildren` that leaves out null and false. */
export function fill(node, ...children) {
  node.replaceChildren(...kept(children));
}

/** Sets text only when it differs, so that a repaint costs nothing and keeps selections. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const SHAPES = {
  calm: () => [svg("circle", { cx: 8, cy: 8, r: 4.5, fill: "none", stroke: "currentColor", "stroke-width": 2.5 })],
  tense: () => [svg("path", { d: "M8 1.8 14.2 8 8 14.2 1.8 8Z", fill: "currentColor" })],
  hot: () => [svg("path", { d: "M8 1.5 15 14H1Z", fill: "currentColor" })],
  unknown: () => [svg("path", { d: "M3 8h10", stroke: "currentColor", "stroke-width": 2.5 })],
  info: () => [svg("circle", { cx: 8, cy: 8, r: 7, fill: "currentColor" }), svg("path", { d: "M8 7v5M8 4v1.6", class: "knock" })],
  warning: () => [svg("path", { d: "M8 1 15.5 14.5H.5Z", fill: "currentColor" }), svg("path", { d: "M8 5.6v4M8 11.2v1.5", class: "knock" })],
  critical: () => [svg("path", { d: "M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5Z", fill: "currentColor" }),
    svg("path", { d: "M8 3.6v5.2M8 10.7v1.7", class: "knock" })],
};

/** A state's own shape, so that colour is never the only sign. Hidden from screen readers: words stand beside it. */
export function icon(name) {
  return svg("svg", { viewBox: "0 0 16 16", class: `icon icon-${name}`, "aria-hidden": "true" }, ...SHAPES[name]());
}

/** A designed nothing: a short heading, one sentence, maybe one button. */
export function blank(title, help, action = null) {
  return h("div", { class: "blank" }, h("p", { class: "blank-title" }, title), help ? h("p", { class: "muted" }, help) : null, action);
}

let queued = new Set();
/** Runs `paint` once in the next animation frame, however often it is asked for. */
export function soon(paint) {
  if (queued.size === 0) requestAnimationFrame(flush);
  queued.add(paint);
}

function flush() {
  const paints = queued;
  queued = new Set();
  for (const paint of paints) paint();
}
