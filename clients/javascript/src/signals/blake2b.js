// BLAKE2b of short messages: docs/spec/02-session.md, "Ids". Pure.
//
// RFC 7693, no key and no salt, personalisation padded with zeros to 16 bytes. Node's
// crypto has BLAKE2b with neither an output size nor a personalisation. BigInt is slow and enough:
// a client hashes its secret, its key and the names of the users that it meets, once each.

const IV = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
]
// Twelve rounds; a digit is the index of a message word. The last two rounds repeat the first two.
const SIGMA = [
  '0123456789abcdef',
  'ea489fd61c02b753',
  'b8c052fdae367194',
  '7931dcbe265a40f8',
  '905724afe1bc683d',
  '2c6a0b834d75fe19',
  'c51fed4a0763928b',
  'db7ec13950f4862a',
  '6fe9b308c2d714a5',
  'a2847615fb9e3cd0',
  '0123456789abcdef',
  'ea489fd61c02b753',
].map((row) => Array.from(row, (digit) => parseInt(digit, 16)))
const COLUMNS_AND_DIAGONALS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
]
const BLOCK_BYTES = 128
const MASK = (1n << 64n) - 1n
const rotate = (word, bits) => ((word >> bits) | (word << (64n - bits))) & MASK

function mix(v, [a, b, c, d], x, y) {
  v[a] = (v[a] + v[b] + x) & MASK
  v[d] = rotate(v[d] ^ v[a], 32n)
  v[c] = (v[c] + v[d]) & MASK
  v[b] = rotate(v[b] ^ v[c], 24n)
  v[a] = (v[a] + v[b] + y) & MASK
  v[d] = rotate(v[d] ^ v[a], 16n)
  v[c] = (v[c] + v[d]) & MASK
  v[b] = rotate(v[b] ^ v[c], 63n)
}

/**
 * Hash a message of at most one block.
 * @param {Uint8Array} message at most 128 bytes
 * @param {string} person ASCII, at most 16 characters
 * @param {number} size bytes of output, 1 to 64
 * @returns {Buffer}
 * @throws {RangeError} The message or `person` is longer.
 */
export function blake2b(message, person, size) {
  if (message.length > BLOCK_BYTES || person.length > 16)
    throw new RangeError('blake2b takes at most 128 bytes and a person of 16 characters')
  return blake2bOf(message, person, size)
}

/** Hash a message of any length; see `blake2b`. */
export function blake2bOf(message, person, size) {
  const parameters = Buffer.alloc(64)
  parameters.set([size, 0, 1, 1]) // bytes of output, of the key; fanout and depth of a plain hash
  parameters.write(person, 48, 16, 'latin1')
  let state = IV.map((iv, i) => iv ^ parameters.readBigUInt64LE(i * 8))
  for (let at = 0; at === 0 || at < message.length; at += BLOCK_BYTES)
    state = absorbed(state, message.subarray(at, at + BLOCK_BYTES), at, message.length)
  const hash = Buffer.alloc(64)
  state.forEach((word, i) => hash.writeBigUInt64LE(word, i * 8))
  return hash.subarray(0, size)
}

function absorbed(state, piece, before, length) {
  const block = Buffer.alloc(BLOCK_BYTES)
  block.set(piece)
  const words = Array.from({ length: 16 }, (_, i) => block.readBigUInt64LE(i * 8))
  const v = [...state, ...IV]
  v[12] ^= BigInt(before + piece.length)
  if (before + piece.length === length) v[14] ^= MASK // this block is the last
  for (const row of SIGMA)
    COLUMNS_AND_DIAGONALS.forEach((at, i) => mix(v, at, words[row[2 * i]], words[row[2 * i + 1]]))
  return state.map((word, i) => word ^ v[i] ^ v[i + 8])
}

/** Hash a message of at most one block to 16 bytes; see `blake2b`. */
export const blake2b16 = (message, person) => blake2b(message, person, 16)

/**
 * Return the instance id that belongs to a secret: its hash.
 * @param {Uint8Array} secret 16 bytes
 * @returns {Buffer}
 */
export const instanceOf = (secret) => blake2b16(secret, 'instance')
