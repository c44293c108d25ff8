// Rows of a CSV file as titles, and what an import of them would do. No I/O.
import { t } from "../strings.js";

const texts = ["title", "genre", "summary"];
const why = t.csv.reasons;
const size = (text) => new TextEncoder().encode(text).length;
// eslint-disable-next-line no-control-regex
const inId = /[\u0000-\u001f\u007f]/;
// eslint-disable-next-line no-control-regex
const inText = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/; // line breaks and tabs are welcome
const named = "REF|VALUE|DIV/0|NULL|NUM|SPILL|CALC|FIELD|BLOCKED|CONNECT|UNKNOWN|EXTERNAL|PYTHON|BUSY|ERROR";
const spreadsheetError = new RegExp(`^(#(NAME\\?|(${named})!|N/A|GETTING_DATA)|Err:\\d{3})$`);

/**
 * `parse` is Papa.parse. {header, rows: [{line, cells, bad}]}: the line where each row begins, and
 * whether a quote is in the wrong place.
 */
export function readRows(text, parse) {
  const rows = [];
  let at = 0;
  let line = 1;
  parse(text, {
    delimiter: ",",
    skipEmptyLines: false,
    step({ data, errors, meta }) {
      const piece = text.slice(at, meta.cursor);
      if (data.length > 1 || data[0] !== "") {
        rows.push({ line, cells: data, bad: errors.some((error) => error.type === "Quotes") });
      }
      line += piece.match(/\r\n|\n|\r/g)?.length ?? 0;
      at = meta.cursor;
    },
  });
  return { header: (rows.shift()?.cells ?? []).map((name) => name.trim()), rows };
}

/** Why a header cannot be taken; "" where it can. */
export function faultOf(header) {
  if (!header.includes("id")) return t.csv.noId;
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  return twice === undefined ? "" : t.csv.twice(twice);
}

const tagsOf = (cell) => {
  try {
    const list = JSON.parse(cell);
    if (Array.isArray(list)) return list;
  } catch {
    /* a list with separators */
  }
  return cell
    .split("|")
    .map((tag) => tag.trim())
    .filter(Boolean);
};

/** {titles: [{line, id, url, set}], refused: [{line, id, reason}]}; `set` are the members of each row. */
export function titlesOf({ header, rows }) {
  const titles = [];
  const refused = [];
  const lines = new Map(); // of each id
  for (const { line, cells, bad } of rows) {
    const id = cells[header.indexOf("id")] ?? "";
    const refuse = (reason) => refused.push({ line, id, reason });
    if (bad) {
      refuse(why.quote);
      continue;
    }
    if (cells.length !== header.length) {
      refuse(why.fields(cells.length, header.length));
      continue;
    }
    if (
      id === "" ||
      id === "." ||
      id === ".." ||
      size(id) > 128 ||
      inId.test(id) ||
      spreadsheetError.test(id)
    ) {
      refuse(why.id);
      continue;
    }
    if (lines.has(id)) {
      refuse(why.twice(lines.get(id)));
      continue;
    }
    const set = {};
    let url = "";
    let fault = "";
    header.forEach((name, i) => {
      const cell = cells[i];
      if (name === "id" || name === "" || name === "views") return;
      if (inText.test(cell)) fault ||= why.control(name);
      if (name === "url") url = cell.trim();
      else if (texts.includes(name) && size(cell) > 1024) fault ||= why.long(name);
      else set[name] = name === "tags" && cell !== "" ? tagsOf(cell) : cell;
    });
    if (fault) {
      refuse(fault);
      continue;
    }
    lines.set(id, line);
    titles.push({ line, id, url, set });
  }
  return { titles, refused };
}

/** A cell as an export writes a member's value: what is equal in the file is equal. */
const cellOf = (value) =>
  value === undefined
    ? ""
    : typeof value === "string"
      ? value
      : Array.isArray(value) && value.every((one) => typeof one === "string")
        ? value.join("|")
        : JSON.stringify(value);

/** The record after the row: what it has beyond the columns stays; an empty cell is no member. */
export function merged(record, set) {
  const result = { title: "", genre: "", summary: "", ...record };
  delete result.id;
  for (const [name, value] of Object.entries(set)) {
    if (cellOf(result[name]) === cellOf(value)) continue; // equal, whatever its type
    if (value === "" && !texts.includes(name)) delete result[name];
    else result[name] = value;
  }
  return result;
}

/** What an import does with each title: `records` and `urls` are Maps by id of what stands. */
export function plan(titles, records, urls) {
  const made = { new: [], changed: [], equal: [] };
  for (const title of titles) {
    const record = records.get(title.id);
    const after = merged(record, title.set);
    const differs =
      !record ||
      Object.keys(after).some((name) => cellOf(after[name]) !== cellOf(record[name])) ||
      Object.keys(record).some((name) => name !== "id" && !(name in after));
    const putUrl = title.url !== "" && title.url !== urls.get(title.id);
    const kind = record ? (differs || putUrl ? "changed" : "equal") : "new";
    made[kind].push({ ...title, record: differs ? after : null, putUrl, isNew: !record, hasUrl: urls.has(title.id) });
  }
  return made;
}

const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replace(/"/g, '""')}"` : cell);

/** A line of CSV. */
export const csvLine = (cells) => `${cells.map((cell) => quoted(cellOf(cell))).join(",")}\n`;
