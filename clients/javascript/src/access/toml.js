// Reads the few forms of TOML that this product writes: on each line a text, a list of texts, or a title. Pure.

/** A text, with a comment behind it; a list of texts; a name; the title of a table. */
const TEXT = String.raw`"(?:[^"\\\x00-\x1f]|\\["\\bfnrtu])*"|'[^'\x00-\x1f]*'`
const LIST = String.raw`\[\s*((?:${TEXT})(?:\s*,\s*(?:${TEXT}))*\s*,?)?\s*\]`
const NAME = String.raw`[A-Za-z0-9_-]+`
const PART = String.raw`(?:${NAME}|${TEXT})`
const VALUE = new RegExp(String.raw`^(?:(${TEXT})|${LIST})\s*(?:#.*)?$`)
const LINE = new RegExp(String.raw`^\s*(${NAME})\s*=\s*(.*)$`)
const TITLE = new RegExp(String.raw`^\s*\[\s*(${PART}(?:\s*\.\s*${PART})*)\s*\]\s*(?:#.*)?$`)
const TEXTS = new RegExp(TEXT, 'g')
const PARTS = new RegExp(PART, 'g')
const BLANK = /^\s*(#.*)?$/

/**
 * Return what a text says.
 * @param {string} text
 * @returns {{ fields: Record<string, string | string[]>, tables: { title: string[], fields: object, line: number }[],
 *   wrong: number }} `fields`: those before any title; `wrong`: the number of the first line that is not read, as
 *   it has another form or its name comes twice; 0 for none.
 */
export function readToml(text) {
  const found = { fields: { __proto__: null }, tables: [], wrong: 0 }
  let into = found.fields
  const lines = text.split(/\r?\n/)
  for (let at = 0; at < lines.length; at++) {
    if (BLANK.test(lines[at])) continue
    const title = titleOf(lines[at])
    const isRead = title === null ? readLine(lines[at], into) : !isKnown(title, found.tables)
    if (!isRead) return { ...found, wrong: at + 1 }
    if (title === null) continue
    into = { __proto__: null }
    found.tables.push({ title, fields: into, line: at + 1 })
  }
  return found
}

/** Return the parts of a title; null for another line. */
function titleOf(line) {
  const [, title] = TITLE.exec(line) ?? []
  try {
    return title?.match(PARTS).map((part) => (/^["']/.test(part) ? plain(part) : part)) ?? null
  } catch {
    return null
  }
}

const isKnown = (title, tables) =>
  tables.some((each) => JSON.stringify(each.title) === JSON.stringify(title))

/** Put what a line says into fields; return whether it says something new. */
function readLine(line, fields) {
  const [, name, written = ''] = LINE.exec(line) ?? []
  const value = name === undefined || Object.hasOwn(fields, name) ? null : valueOf(written)
  if (value === null) return false
  fields[name] = value
  return true
}

function valueOf(written) {
  const found = VALUE.exec(written)
  if (found === null) return null
  const [, text, list = ''] = found
  try {
    return text === undefined ? (list.match(TEXTS) ?? []).map(plain) : plain(text)
  } catch {
    return null // an escape of TOML that is none of JSON
  }
}

/** A text in double quotes has the escapes of JSON. */
const plain = (text) => (text[0] === "'" ? text.slice(1, -1) : JSON.parse(text))
