// The line of state: of all that may be wrong with what is shown, the one story that matters most. Pure.
import { age, length, plain, plural, seconds } from "./format.js";

// How long a hole in what was received is told; the figures of Fabric keep it.
const TOLD_S = 60;

const well = (text) => ({ level: "well", text, more: "" });
const calm = (text, more = "") => ({ level: "calm", text, more });
const warn = (text, more = "") => ({ level: "warn", text, more });
const bad = (text, more = "") => ({ level: "bad", text, more });

/**
 * Return { level, text, more }; the level is "bad", "warn", "calm" or "well", `more` changes all the time.
 *
 * `facts`: { hello, state, stream: { wantsToken, displacedBy, downSince }, liveSince, missed, missedAt,
 * prismMissed, prismMissedAt, pausedAt, waiting, at, tabAt }. Times are seconds UTC: those of the stream,
 * `liveSince` and `tabAt` (now) by the clock of the tab, the others and `at` (now) by that of the server.
 */
export function story(facts) {
  return ofPrism(facts) ?? ofSynapse(facts) ?? ofFabric(facts) ?? ofHoles(facts) ?? ofPause(facts) ?? allWell(facts);
}

const lasting = (value_s) => `for ${age(value_s)}`;

function ofPrism({ hello, stream, tabAt }) {
  if (stream.wantsToken) return bad("Prism wants its token. It makes a new one at each start: open the address that it printed.");
  if (stream.displacedBy !== null) return bad(`This tab made room for a newer one: Prism shows ${stream.displacedBy} at a time. Reload the page to show it here again.`);
  const since = stream.downSince;
  if (since === null) return hello === null ? calm("Connecting to Prism") : null;
  if (hello === null) return bad(`No word from Prism since ${seconds(since)}. Is it running? A browser opens six connections to one server: if that many tabs show it, close one.`);
  return bad(`Prism is gone since ${seconds(since)}. Trying again; what was seen stays here.`, lasting(tabAt - since));
}

function ofSynapse({ hello, state, at }) {
  const synapse = state?.synapse;
  if (!synapse || synapse.connected || hello.mode === "replay") return null;
  const isKnown = Number.isFinite(synapse.since_ts);
  const since = isKnown ? ` since ${seconds(synapse.since_ts)}` : "";
  const why = synapse.reason ? ` (${plain(synapse.reason)})` : "";
  return bad(`The Synapse is gone${since}${why}. Prism tries again; what was seen stays here.`, isKnown ? lasting(at - synapse.since_ts) : "");
}

function ofFabric({ hello, state }) {
  const synapse = state?.synapse;
  if (!synapse || hello.mode === "replay") return null;
  if (synapse.warning) return warn(`The fabric warns: ${plain(synapse.warning)}`);
  if (synapse.role === "leaving") return warn("The Synapse that leads is leaving: a standby takes over.");
  const silent = (synapse.peers ?? []).filter((peer) => peer.role === "closed" || peer.role === "silent");
  if (silent.length) return warn(`Without a standby that answers: ${silent.map((peer) => `${plain(peer.url)} is ${peer.role}`).join(", ")}.`);
  return null;
}

/** Say so where another one leads than the first of the URL; it goes on leading when that is back. */
function standby(url, synapse) {
  const places = `${url ?? ""}`.replace(/^cosmo:\/\//, "").split(",");
  const leads = `${synapse?.counters?.url ?? ""}`.replace(/^cosmo:\/\//, "");
  return places.indexOf(leads) > 0 ? `, a standby leads (${plain(leads)})` : "";
}

function ofHoles({ state, missed, missedAt, prismMissed, prismMissedAt, at }) {
  const { behind } = state ?? {};
  if (behind) return warn("Prism is behind: what you see is late.", `by ${length(behind.seconds)}`);
  const isRecent = (ts) => ts !== null && at - ts < TOLD_S;
  if (isRecent(missedAt)) return warn(`This tab missed ${plural(missed, "Signal")}, the last at ${seconds(missedAt)}: it was too slow for them. Traces are whole.`);
  if (isRecent(prismMissedAt)) return warn(`Prism missed ${plural(prismMissed, "Signal")}, the last at ${seconds(prismMissedAt)}: some traces have holes.`);
  return null;
}

function ofPause({ pausedAt, waiting }) {
  return pausedAt === null ? null : calm(`Paused at ${seconds(pausedAt)}: what is shown stands still.`, plural(waiting, "Signal waits", "Signals wait"));
}

function allWell({ hello, state, liveSince }) {
  // What came before a return of the Synapse was not live.
  if (hello.mode !== "replay") return well(`Live since ${seconds(Math.max(liveSince, state?.synapse?.since_ts ?? 0))}: the fabric is well${standby(hello.url, state?.synapse)}.`);
  const { file, from_ts, to_ts } = hello.replay ?? {};
  return calm(`A recording, nothing of it is live: ${plain(file ?? "")}${Number.isFinite(from_ts) ? `, ${seconds(from_ts)} to ${seconds(to_ts)}` : ""}.`);
}
