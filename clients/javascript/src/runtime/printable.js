// Which texts may stand in an error or on a terminal as they are. Pure.
const UNPRINTABLE = /(?! )[\p{C}\p{Z}]/gu

/** Tell whether every character can be printed, as `str.isprintable` of Python does: of the spaces only the plain one. */
export const isPrintable = (text) => text.search(UNPRINTABLE) < 0

/** Return a text with the others as `\u{202e}`. */
export const printable = (text) =>
  text.replace(UNPRINTABLE, (each) => `\\u{${each.codePointAt(0).toString(16)}}`)
