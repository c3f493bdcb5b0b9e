// Answers of model.onnx for pictures, without Python: `npm install onnxruntime-web`, then
// `node run.mjs a.pgm b.ppm > answers.csv`. PGM (grey) or PPM (colours) of 8 bits, any size; see schema.json, "pixels".
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import * as ort from "onnxruntime-web";

const here = new URL(".", import.meta.url);
const schema = JSON.parse(readFileSync(new URL("schema.json", here), "utf8"));

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

export function pixels(path) {
  const content = contentOf(path);
  const head = /^(P[56])\s+(?:#.*\n)*(\d+)\s+(\d+)\s+255\s/.exec(content.subarray(0, 400).toString("latin1"));
  if (head === null) stop(`${basename(path)} is no .pgm or .ppm of 8 bits. Make one of it: see schema.json, pixels.`);
  const [, kind, width, height] = head;
  const channels = kind === "P5" ? 1 : 3;
  const size = width * height * channels;
  return new ort.Tensor("uint8", Uint8Array.from(content.subarray(content.length - size)), [1, +height, +width, channels]);
}

export async function answers(paths) {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create(readFileSync(new URL(schema.model, here)));
  const found = [];
  for (const path of paths) {
    const said = await session.run({ pixels: pixels(path) }, ["probabilities", "reasons"]);
    const told = Array.from(said.probabilities.data, (each) => (Number.isNaN(each) ? "" : each));
    found.push([...told, field(schema.reasons[said.reasons.data[0]] ?? "")]);
  }
  return found;
}

const field = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
if (process.argv[1]?.endsWith("run.mjs")) {
  if (process.argv.length < 3) stop("Name pictures: node run.mjs a.pgm b.ppm > answers.csv");
  const paths = process.argv.slice(2), found = await answers(paths);
  const classes = schema.classes.length ? schema.classes : ["the number"];
  const note = field(schema.note);
  console.log(["picture", ...classes.map((name) => field(`probability of ${name}`)), "abstained", "note"].join(","));
  paths.forEach((path, at) => console.log([field(basename(path).replace(/^(?=[=+@\t\r-])/, "'")), ...found[at], note].join(",")));
}
