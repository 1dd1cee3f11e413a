// The REST side: JSON in, JSON out, problems as errors with a plain sentence. A missing sign-in leads to /login.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(path, { method = "GET", body, type } = {}) {
  const headers = { accept: "application/json" };
  if (type !== undefined) headers["content-type"] = type;
  let response;
  try {
    response = await fetch(path, { method, body, headers, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof TypeError) throw new ApiError(0, "the service cannot be reached");
    throw error;
  }
  if (response.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  const text = await response.text();
  const answer = text === "" ? null : parsed(text);
  if (!response.ok) throw new ApiError(response.status, answer?.detail ?? answer?.title ?? `status ${response.status}`);
  return answer;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return { detail: "the answer was not understood" };
    throw error;
  }
}

const get = (path) => call(path);
const post = (path, body = {}) => call(path, { method: "POST", body: JSON.stringify(body), type: "application/json" });

const at = (...parts) => `/v1/${parts.map(encodeURIComponent).join("/")}`;

/** A short-lived ticket for the websocket; null where the service needs none. */
export async function getTicket() {
  try {
    return (await post("/v1/ticket"))?.ticket ?? null;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 405)) return null;
    throw error;
  }
}

export async function probe() {
  try {
    return (await fetch("/healthz", { cache: "no-store" })).ok;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

export const callEvents = (callId) => get(`${at("calls", callId)}/events`);

export const me = () => get("/v1/me");
export const calls = (query) => get(`/v1/calls?${new URLSearchParams(query)}`);
export const callDetail = (callId) => get(at("calls", callId));
export const addNote = (callId, note) => post(`${at("calls", callId)}/notes`, note);
export const alertAction = (alertId, action, body) => post(`${at("alerts", alertId)}/${action}`, body);
export const promptAction = (prompt, action) => post(`${at("prompts", prompt.prompt_id)}/${action}`, { call_id: prompt.call_id });

/** Recorded messages (native JSONL text) -> the events they give. */
export const replayFile = (text) => call("/v1/replays", { method: "POST", body: text, type: "application/x-ndjson" });
