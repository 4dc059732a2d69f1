// Texts for a command line that can be pasted. Pure.

/** Return a text as one word of a shell. */
export const quoted = (text) =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`
