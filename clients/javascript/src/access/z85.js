// Keys as libzmq takes them: Z85, https://rfc.zeromq.org/spec/32. Pure.
const DIGITS =
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'
const POWERS = [85 ** 4, 85 ** 3, 85 ** 2, 85, 1]

/** Return bytes, a multiple of four of them, as Z85. @param {Buffer} bytes */
export function z85(bytes) {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4) {
    const word = bytes.readUInt32BE(at)
    for (const power of POWERS) text += DIGITS[Math.floor(word / power) % 85]
  }
  return text
}
