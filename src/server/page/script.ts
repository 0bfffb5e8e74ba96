/**
 * The script of the page at `/`. It exchanges the login code in the address for a token, which it
 * keeps in sessionStorage: no other origin and no other tab has it. What it shows is set as text,
 * never as markup, and stays, with its age, when nothing newer can be had.
 */
export const HOME_SCRIPT = `"use strict";
const byId = (id) => document.getElementById(id);
const KEY = "stint-token";
const REFRESH_MS = 5000;
let seenAt = 0;
let trouble = "";
let soon = 0;

function row(cells) {
  const line = document.createElement("tr");
  for (const cell of cells) {
    const place = document.createElement("td");
    place.textContent = String(cell);
    line.append(place);
  }
  return line;
}

function ago(ms) {
  if (ms === null || ms === undefined) return "never";
  const seconds = Math.max(0, Math.floor((Date.now() - ms) / 1000));
  if (seconds < 120) return seconds + " s ago";
  if (seconds < 7200) return Math.floor(seconds / 60) + " min ago";
  return Math.floor(seconds / 3600) + " h ago";
}

async function ask(path, options) {
  const headers = { Authorization: "Bearer " + sessionStorage.getItem(KEY) };
  const response = await fetch(path, { headers, cache: "no-store", ...options });
  if (response.status === 401) {
    logOut("The session is over.");
    throw new Error("the session is over");
  }
  if (!response.ok) throw new Error((await response.json()).detail);
  return response;
}

function logOut(why) {
  sessionStorage.removeItem(KEY);
  byId("main").hidden = true;
  byId("login").hidden = false;
  byId("state").textContent = why;
}

async function logIn() {
  const code = new URLSearchParams(location.hash.slice(1)).get("login");
  if (code === null) return;
  history.replaceState(null, "", location.pathname);
  const response = await fetch("/v1/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  sessionStorage.setItem(KEY, answer.secret);
}

function showState() {
  const age = seenAt === 0 ? "Nothing was heard yet." : "As of " + ago(seenAt) + ".";
  byId("state").textContent = trouble === "" ? age : age + " " + trouble;
  byId("state").className = trouble === "" ? "" : "bad";
}

async function show() {
  const fleet = await (await ask("/v1/fleet")).json();
  const workers = await (await ask("/v1/workers?limit=200")).json();
  byId("title").textContent = fleet.name + " (" + fleet.status + ")";
  byId("fleet").replaceChildren(
    row(["Id", fleet.fleet]),
    row(["Newest entry", fleet.seq]),
    row(["Live workers", fleet.live_count]),
    row(["Admitted ever", fleet.total_count]),
  );
  byId("workers").replaceChildren(
    ...workers.items.map((worker) =>
      row([worker.id, worker.name, worker.status + (worker.stale ? ", stale" : ""), worker.depth,
        ago(worker.admitted_at_ms)]),
    ),
  );
  byId("workers-state").textContent =
    workers.items.length === 0 ? "No worker lives." : workers.next === null ? "" : "The first 200.";
  await showRoll();
}

async function showRoll() {
  try {
    const roll = await (await ask("/v1/roll")).json();
    const { expected, unexpected, workers } = roll.sections;
    const names = [...expected, ...unexpected, ...workers];
    const lines = names.flatMap((name) =>
      name.instances.length === 0
        ? [row([name.name, "none", name.status, "never", name.why])]
        : name.instances.map((one) =>
            row([name.name, one.instance, one.status, ago(one.last_heard_at_ms), one.why])),
    );
    byId("roll").replaceChildren(...lines);
    byId("roll-state").textContent = roll.bus.up ? "" : "No bus: " + roll.bus.why;
  } catch (error) {
    byId("roll-state").textContent = "The roll cannot be had: " + error.message;
  }
}

async function refresh() {
  if (sessionStorage.getItem(KEY) === null) return;
  try {
    await show();
    seenAt = Date.now();
    trouble = "";
    byId("main").hidden = false;
    byId("login").hidden = true;
  } catch (error) {
    trouble = "It cannot be refreshed: " + error.message;
  }
  if (sessionStorage.getItem(KEY) !== null) showState();
}

function refreshSoon() {
  if (soon !== 0) return;
  soon = setTimeout(() => {
    soon = 0;
    void refresh();
  }, 250);
}

async function follow() {
  while (sessionStorage.getItem(KEY) !== null) {
    try {
      const response = await ask("/v1/events");
      const reader = response.body.getReader();
      for (;;) {
        const { done } = await reader.read();
        if (done) break;
        refreshSoon();
      }
    } catch (error) {
      trouble = "Not connected: " + error.message;
    }
    await new Promise((resolve) => setTimeout(resolve, 1000 + Math.random() * 2000));
  }
}

let isFollowing = false;

async function enter() {
  try {
    await logIn();
  } catch (error) {
    logOut("The login did not work: " + error.message);
    return;
  }
  if (sessionStorage.getItem(KEY) === null) {
    logOut("Not logged in.");
    return;
  }
  await refresh();
  if (isFollowing) return;
  isFollowing = true;
  await follow();
  isFollowing = false;
}

function main() {
  // A login's address that is opened where this page is already changes the fragment alone.
  addEventListener("hashchange", () => void enter());
  byId("leave").addEventListener("click", () => {
    ask("/v1/session", { method: "DELETE" }).catch(() => undefined);
    logOut("Logged out.");
  });
  setInterval(refresh, REFRESH_MS);
  setInterval(() => { if (sessionStorage.getItem(KEY) !== null) showState(); }, 1000);
  void enter();
}

main();
`;
