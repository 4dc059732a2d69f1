// Reads a file that nobody else may change, as ssh does: a secret that is this user's alone, or what names one.
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { quoted } from '../runtime/shell.js'

const MAX_BYTES = 64 * 1024
const OTHERS = 0o077
const OTHERS_WRITE = 0o022
const STICKY = 0o1000

/**
 * Return the text of a file.
 * @param {string} path
 * @param {(fault: string, cause?: Error) => never} fail Throws the error about a file that cannot be used.
 * @param {boolean} isSecret Whether nobody else may read it either.
 * @returns {string}
 */
export function readPrivate(path, fail, isSecret) {
  let file
  try {
    // It must not be replaced between the look at it and the reading; nor wait for the other end of a pipe.
    file = openSync(
      path,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    )
  } catch (error) {
    fail(whyNotOpened(error, path), error)
  }
  try {
    const stats = fstatSync(file)
    if (!stats.isFile()) fail('it is no regular file')
    if (stats.size > MAX_BYTES)
      fail(`it has ${stats.size} bytes, and no such file has over ${MAX_BYTES}`)
    if (process.platform !== 'win32') checkOwn(stats, path, fail, isSecret)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function whyNotOpened({ code, message }, path) {
  if (code === 'ENOENT') return 'there is no such file: check the path'
  if (code === 'EACCES')
    return `this user may not read it: run chmod 600 ${quoted(path)} as its owner`
  if (code === 'ELOOP' || code === 'EMLINK')
    return 'it is a symbolic link: name the file that it points to'
  return code ?? message
}

/** Refuse what another user could read, if that matters, or change. */
function checkOwn({ mode, uid }, path, fail, isSecret) {
  const own = process.getuid()
  if (uid !== own && (isSecret || uid !== 0))
    fail(`it is of another user (uid ${uid}): copy it, or run sudo chown ${own} ${quoted(path)}`)
  if (isSecret && (mode & OTHERS) !== 0)
    fail(`others may read or write it (mode ${octal(mode)}): run chmod 600 ${quoted(path)}`)
  if ((mode & OTHERS_WRITE) !== 0)
    fail(`others may write it (mode ${octal(mode)}): run chmod go-w ${quoted(path)}`)
  checkFolder(dirname(path), own, fail)
}

function checkFolder(folder, own, fail) {
  const { mode, uid } = statSync(folder)
  if (uid !== own && uid !== 0)
    fail(
      `its folder is of another user (uid ${uid}), who could replace it: use a folder of your own`,
    )
  // In a folder such as /tmp nobody replaces the files of others.
  if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0)
    fail(`others may write its folder (mode ${octal(mode)}): run chmod go-w ${quoted(folder)}`)
}

const octal = (mode) => `0${(mode & 0o777).toString(8)}`
