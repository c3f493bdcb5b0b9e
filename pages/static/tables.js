/* Tables that sort and search where they stand. Nothing is asked of the server and nothing of this is needed to read
   them: a table is drawn whole, in its own order, by pages/_ui_tables.py.

   A heading's button sorts (smallest first, then largest first, then as it came); cells with nothing in them stay last.
   The field above a long table leaves the rows in which every word occurs. What somebody chose holds when the same
   table is drawn anew on the same page. */

const chosen = new Map(); // page and table -> {column, order, words}
const came = new WeakMap(); // row -> its place as it was drawn
const like = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function nameOf(box) {
  const same = [...document.querySelectorAll(`.m-table[data-table="${box.dataset.table}"]`)];
  return `${location.pathname}${location.search} ${box.dataset.table} ${same.indexOf(box)}`;
}

function choose(box, change) {
  const name = nameOf(box);
  chosen.set(name, { column: -1, order: "none", words: "", ...chosen.get(name), ...change });
  show(box);
}

/* What a cell is sorted by: a number, words, or null where it says nothing. */
function keyOf(row, column) {
  const cell = row.cells[column];
  const said = (cell.dataset.by ?? cell.textContent).trim();
  if (said === "" || said === "–") return null;
  const number = cell.dataset.by === undefined ? NaN : Number(said);
  return Number.isNaN(number) ? said : number;
}

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
  return like.compare(one, other);
}

function sorted(rows, { column, order }) {
  const asItCame = rows.sort((one, other) => came.get(one) - came.get(other));
  if (order === "none") return asItCame;
  const keyed = asItCame.map((row) => [keyOf(row, column), row]);
  const known = keyed.filter(([key]) => key !== null);
  const sign = order === "ascending" ? 1 : -1;
  known.sort(([one], [other]) => sign * compare(one, other));
  return [...known, ...keyed.filter(([key]) => key === null)].map(([, row]) => row);
}

/* While one types neither the columns' widths nor the page's end move. */
function hold(box, on = true) {
  const table = box.querySelector("table");
  const heads = [...table.querySelectorAll("th")];
  const widths = heads.map((head) => head.offsetWidth);
  box.style.minHeight = on ? `${box.offsetHeight}px` : "";
  table.style.tableLayout = on ? "fixed" : "";
  heads.forEach((head, place) => (head.style.width = on ? `${widths[place]}px` : ""));
}

function search(box, rows, said) {
  const words = plain(said).split(/\s+/).filter(Boolean);
  if (words.length && !box.style.minHeight) hold(box);
  for (const row of rows) {
    const text = plain(row.textContent);
    row.hidden = !words.every((word) => text.includes(word));
  }
  const left = rows.filter((row) => !row.hidden).length;
  const count = box.querySelector(".m-rows-left");
  if (count) count.textContent = words.length ? `${left || "None"} of ${rows.length}` : "";
  if (!words.length) hold(box, false);
}

function show(box) {
  const now = chosen.get(nameOf(box));
  const body = box.querySelector("tbody");
  if (!now || !body) return;
  const rows = [...body.rows];
  if (!rows.every((row) => came.has(row))) rows.forEach((row, place) => came.set(row, place));
  body.append(...sorted(rows, now));
  box.querySelectorAll("th").forEach((head, place) => {
    if (head.querySelector(".m-sort")) head.setAttribute("aria-sort", place === now.column ? now.order : "none");
  });
  const field = box.querySelector(".m-search input");
  if (field && field.value !== now.words) field.value = now.words;
  search(box, rows, field ? now.words : "");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".m-table .m-sort");
  if (!button) return;
  const head = button.closest("th");
  const order = NEXT[head.getAttribute("aria-sort") ?? "none"];
  choose(button.closest(".m-table"), { column: head.cellIndex, order });
});

document.addEventListener("input", (event) => {
  const field = event.target.closest?.(".m-table .m-search input");
  if (field) choose(field.closest(".m-table"), { words: field.value });
});

new MutationObserver((changes) => {
  if (!chosen.size) return;
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      if (node.nodeType !== Node.ELEMENT_NODE) continue;
      if (node.matches(".m-table")) show(node);
      else node.querySelectorAll(".m-table").forEach(show);
    }
  }
}).observe(document.body, { childList: true, subtree: true });

document.documentElement.dataset.tables = "ready";
