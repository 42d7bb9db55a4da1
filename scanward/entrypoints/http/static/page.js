// The page's own behaviour: send files with progress, keep the tables current, fetch objects by link.
"use strict";

const FILES_AT_ONCE = 200;
const BYTES_AT_ONCE = 256 * 1024 * 1024;
const NOT_TAKEN = new Set(["rejected", "skipped"]);
const element = (id) => document.getElementById(id);
const say = (text) => { element("outcome").textContent = text; };

function* batches(files) {
  let batch = [], weight = 0;
  for (const file of files) {
    if (batch.length && (batch.length >= FILES_AT_ONCE || weight + file.size > BYTES_AT_ONCE)) {
      yield batch;
      batch = []; weight = 0;
    }
    batch.push(file);
    weight += file.size;
  }
  if (batch.length) yield batch;
}

function send(batch, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const file of batch) form.append("files", file, file.webkitRelativePath || file.name);
    const request = new XMLHttpRequest();
    request.open("POST", "/uploads");
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => (request.response ? resolve(request.response) : reject(new Error()));
    request.onerror = () => reject(new Error());
    request.send(form);
  });
}

function addRefused(rows) {
  for (const row of rows) {
    const line = element("refused-rows").insertRow();
    for (const text of [row.file, row.status, row.reason]) line.insertCell().textContent = text;
  }
  const count = element("refused-rows").rows.length;
  element("refused").hidden = count === 0;
  element("refused-count").textContent = String(count);
}

async function upload(files) {
  const total = files.reduce((sum, file) => sum + file.size, 0) || 1;
  const counts = {};
  let done = 0, stopped = "";
  element("refused-rows").replaceChildren();
  addRefused([]);
  element("sending").hidden = false;
  say("");
  for (const batch of batches(files)) {
    try {
      const answer = await send(batch, (loaded) => { element("progress").value = (done + loaded) / total; });
      for (const [status, count] of Object.entries(answer.counts || {})) counts[status] = (counts[status] || 0) + count;
      addRefused((answer.files || []).filter((row) => NOT_TAKEN.has(row.status)));
      if (!answer.files || (answer.statusCode && answer.statusCode >= 500)) { stopped = answer.message; break; }
    } catch {
      stopped = "the connection broke off; send the rest again, what is here already is recognised";
      break;
    }
    done += batch.reduce((sum, file) => sum + file.size, 0);
  }
  element("sending").hidden = true;
  const told = Object.entries(counts).map(([status, count]) => `${count} ${status}`).join(", ");
  say([told || "Nothing was sent", stopped].filter(Boolean).join(". Stopped: ") + ".");
  await refresh();
}

let timer = 0;
async function refresh() {
  clearTimeout(timer);
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer && answer.ok) {
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(part.id);
      // What a person has the focus in is left alone until they leave it.
      if (next && next.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) {
        part.replaceChildren(...next.childNodes);
      }
    }
  }
  if (document.querySelector(".status.running")) timer = setTimeout(refresh, 1500);
}

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader(), found = [];
  for (;;) {
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return found;
    for (const child of entries) found.push(...(await filesOf(child)));
  }
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
  return (await Promise.all(entries.map(filesOf))).flat();
}

function watchForm(form) {
  for (const input of [element("files"), element("folder")]) {
    input.addEventListener("change", async () => {
      const chosen = [...input.files];
      if (chosen.length) await upload(chosen);
      input.value = "";
    });
  }
  element("folder-label").hidden = false;
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", async (event) => {
    event.preventDefault();
    form.classList.remove("over");
    const files = await dropped(event.dataTransfer);
    if (files.length) await upload(files);
  });
  refresh();
}

async function download(button) {
  const body = JSON.stringify({ key: button.dataset.key, zone: button.dataset.zone, expires: "5m" });
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const answer = await fetch("/links", { method: "POST", headers, body }).catch(() => null);
  const told = answer ? await answer.json() : { message: "the service does not answer" };
  if (answer && answer.ok) location.href = told.url;
  else say(`No link could be made: ${told.message}.`);
}

async function redrive(button) {
  const headers = { Accept: "application/json" };
  const answer = await fetch(`/executions/${button.dataset.redrive}/redrive`, { method: "POST", headers }).catch(() => null);
  if (answer && answer.ok) location.reload();
  else say("It could not be started anew.");
}

if (element("upload")) watchForm(element("upload"));
else if (document.querySelector("[data-live]")) refresh();
for (const button of document.querySelectorAll("button[data-redrive]")) button.addEventListener("click", () => redrive(button));
for (const button of document.querySelectorAll("button[data-key]")) button.addEventListener("click", () => download(button));
