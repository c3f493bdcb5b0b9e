// Answers of model.onnx for a table, without Python: `npm install onnxruntime-web`, then
// `node run.mjs patients.csv > answers.csv`. The same rules as cells.py, from the same schema.json.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import * as ort from "onnxruntime-web";

const here = new URL(".", import.meta.url);
const schema = JSON.parse(readFileSync(new URL("schema.json", here), "utf8"));

export function value(column, raw) {
  let text = raw.trim();
  if (column.codes.includes(text)) return "";
  for (const [pattern, instead] of column.rewrite) text = text.replace(new RegExp(pattern, "gi"), instead);
  const lower = text.toLowerCase();
  if (column.type === "text") return column.missing.includes(lower) ? "" : Object.hasOwn(column.words, lower) ? column.words[lower] : text;
  if (column.type === "date") {
    const found = /^(\d+)-(\d+)-(\d+)$/.exec(text) ?? [];
    const day = new Date(Date.UTC(+found[1], found[2] - 1, +found[3]));
    return day.getUTCDate() === +found[3] ? day.getTime() / 864e5 : NaN;
  }
  const number = new RegExp(schema.number, "i").test(text) ? Number(text) : NaN;
  return column.codes.includes(number) ? NaN : number;
}

const isWord = (column, raw) => column.type !== "text" && Number.isNaN(Number(raw))
  && !column.missing.includes(raw.trim().toLowerCase()) && Number.isNaN(value(column, raw));

// The columns of a row where a word stands that is no number (or date), for the note beside its answer.
export const unread = (row) => schema.columns.filter((column) => isWord(column, row[column.name] ?? ""))
  .map((column) => `${column.name}: ${schema.unread}`);

export async function answers(rows) {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create(readFileSync(new URL(schema.model, here)));
  const feed = {};
  for (const column of schema.columns) {
    const cells = rows.map((row) => value(column, row[column.name] ?? ""));
    const shape = [rows.length, 1];
    feed[column.input] = column.type === "text" ? new ort.Tensor("string", cells, shape)
      : new ort.Tensor("float64", Float64Array.from(cells), shape);
  }
  const { probabilities, reasons } = await session.run(feed, ["probabilities", "reasons"]);
  const wide = probabilities.dims[1], known = schema.columns.length;
  return rows.map((_, at) => ({
    told: Array.from(probabilities.data.slice(at * wide, (at + 1) * wide)),
    why: schema.columns.flatMap((column, place) => {
      const code = reasons.data[at * known + place];
      return code ? [`${schema.reasons[code]}: ${column.name}`] : [];
    }).join("; "),
  }));
}

export function csv(text) {
  const lines = [[]], times = (mark) => text.split("\n", 1)[0].split(mark).length;
  const mark = [",", ";", "\t"].reduce((most, each) => (times(each) > times(most) ? each : most));
  const cells = new RegExp(`("(?:[^"]|"")*"|[^${mark}\\n]*)(${mark}|\\n|$)`, "g");
  for (const [, cell, end] of text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n").matchAll(cells)) {
    lines[lines.length - 1].push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end !== mark) lines.push([]);
  }
  const [names, ...rows] = lines.filter((line) => line.join("") !== "");
  const gone = rows.length ? schema.columns.filter((each) => each.needed && !names.includes(each.name)) : [];
  if (gone.length) stop(lacking(gone));
  if (!rows.length) stop("The table has no rows.");
  return rows.map((row) => Object.fromEntries(names.map((name, place) => [name, row[place] ?? ""])));
}

function lacking(gone) {
  const listed = (columns) => columns.map((each) => each.name).join(", ");
  const spare = listed(gone.filter((each) => !each.read));
  return `The table has no column ${listed(gone)}. Name its columns as schema.json does.`
    + (spare && ` ${schema.spare.replace("{names}", () => spare)}`);
}

function stop(why) {
  console.error(why);
  process.exit(2);
}

function contentOf(path) {
  try {
    return readFileSync(path);
  } catch (problem) {
    stop(`${basename(path)} cannot be read (${problem.code}).`);
  }
}

function read(path) {
  const content = contentOf(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    return new TextDecoder("windows-1252").decode(content);
  }
}

const field = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
if (process.argv[1]?.endsWith("run.mjs")) {
  if (process.argv.length !== 3) stop("Name one table: node run.mjs patients.csv > answers.csv");
  const rows = csv(read(process.argv[2]));
  const found = await answers(rows);
  const classes = schema.classes.length ? schema.classes : ["the number"];
  console.log([...classes.map((name) => field(`probability of ${name}`)), "abstained", "note"].join(","));
  for (const [at, { told, why }] of found.entries()) {
    const note = [schema.note, ...unread(rows[at])].filter(Boolean).join("; ");
    console.log([...told.map((each) => (Number.isNaN(each) ? "" : String(each))), field(why), field(note)].join(","));
  }
}
