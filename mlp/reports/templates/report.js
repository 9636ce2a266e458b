"use strict";
const board = document.getElementById("board");
const rows = board ? [...board.tBodies[0].rows] : [];
const charts = document.getElementById("charts");
const selected = new Set(); // of settings, as the charts number them
let sources = null; // of the charts, once they are drawn

// A cell as what it is compared by: a number where it is one, or stands for one.
function content(cell) {
  const text = cell.dataset.value ?? cell.textContent.trim().toLowerCase();
  return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

function sort(column, direction) {
  const compared = (a, b) =>
    typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
  rows.sort((a, b) => direction * compared(content(a.cells[column]), content(b.cells[column])));
  board.tBodies[0].append(...rows);
  for (const [i, heading] of [...board.tHead.rows[0].cells].entries()) {
    if (i === column) heading.ariaSort = direction > 0 ? "ascending" : "descending";
    else heading.removeAttribute("aria-sort");
  }
}

const COMPARISONS = {
  "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b,
  ">=": (a, b) => a >= b, "=": (a, b) => a === b, "!=": (a, b) => a !== b,
};

// A word of the filter as a test of a row: "lr<0.01" compares a cell, "tanh" looks for text.
function test(word) {
  const [, name, sign, text] = word.match(/^([^<>=!]+)(<=|>=|!=|=|<|>)(.*)$/) ?? [];
  if (!sign) return (row) => row.textContent.toLowerCase().includes(word);
  const names = [...board.tHead.rows[0].cells].map((cell) => cell.textContent.toLowerCase());
  const column = names.includes(name) ? names.indexOf(name) : names.findIndex((n) => n.includes(name));
  if (column < 0) throw new Error(`there is no column ${name}`);
  const percent = text.endsWith("%") ? 100 : 1;
  return (row) => {
    const value = content(row.cells[column]);
    const other = typeof value === "number" ? Number(text.replace("%", "")) / percent : text;
    return text !== "" && COMPARISONS[sign](value, other);
  };
}

function filter(field) {
  let tests = [];
  field.setCustomValidity("");
  try {
    tests = field.value.toLowerCase().split(/\s+/).filter(Boolean).map(test);
  } catch (error) {
    field.setCustomValidity(error.message);
  }
  for (const row of rows) row.hidden = !tests.every((passes) => passes(row));
  const left = rows.filter((row) => !row.hidden);
  document.getElementById("count").textContent =
    field.validationMessage || (tests.length ? `${left.length} of ${rows.length}` : `${rows.length} rows`);
  if (!sources) return;
  const shown = new Set(left.map((row) => Number(row.dataset.setting)));
  const all = !tests.length;
  sources.shownSettings.indices = all ? null : [...shown].filter(Number.isInteger);
  sources.shownRuns.indices = all ? null : runsOf(shown);
}

function runsOf(settings) {
  return [...sources.runs.data.setting.keys()].filter((i) => settings.has(sources.runs.data.setting[i]));
}

// Show the selection in the table and in the charts.
function select(settings) {
  selected.clear();
  for (const setting of settings) selected.add(setting);
  for (const row of rows) row.classList.toggle("selected", selected.has(Number(row.dataset.setting)));
  document.getElementById("clear").hidden = !selected.size;
  if (!sources) return;
  set(sources.settings?.selected, [...selected]);
  set(sources.runs.selected, runsOf(selected));
}

function set(selection, indices) {
  if (selection && String(selection.indices) !== String(indices)) selection.indices = indices;
}

// What is selected in a chart, as settings; the guard ends the exchange of equal selections.
function follow(source, settingsOf) {
  source.selected.properties.indices.change.connect(() => {
    const chosen = [...new Set(source.selected.indices.map(settingsOf))];
    if (String(chosen.sort()) !== String([...selected].sort())) select(chosen);
  });
}

async function draw() {
  Bokeh.set_log_level("warn");
  const { docs, items } = JSON.parse(charts.textContent);
  await Bokeh.embed.embed_items(docs, items);
  const model = (name) => Bokeh.documents[0].get_model_by_name(name);
  if (!model("runs")) return;
  sources = {
    settings: model("settings"), shownSettings: model("shown settings"),
    runs: model("runs"), shownRuns: model("shown runs"),
  };
  if (sources.settings) follow(sources.settings, (i) => i);
  follow(sources.runs, (i) => sources.runs.data.setting[i]);
}

for (const figure of document.getElementsByTagName("figure"))
  figure.addEventListener("click", () => figure.classList.toggle("large"));
if (board) {
  for (const [column, heading] of [...board.tHead.rows[0].cells].entries())
    heading.addEventListener("click", () => sort(column, heading.ariaSort === "ascending" ? -1 : 1));
  board.tBodies[0].addEventListener("click", (event) => {
    const setting = Number(event.target.closest("tr").dataset.setting);
    if (!Number.isInteger(setting)) return;
    select(selected.has(setting) ? [...selected].filter((s) => s !== setting) : [...selected, setting]);
  });
  const field = document.getElementById("filter");
  field.addEventListener("input", () => filter(field));
  document.getElementById("clear").addEventListener("click", () => select([]));
  filter(field);
}
if (charts) draw().then(() => document.documentElement.classList.add("drawn"));
