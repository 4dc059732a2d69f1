// Where a fabric is, and how it is reached, unless something says so. Pure.

export const DEFAULT_PORT = 7070
export const DEFAULT_URL = `cosmo://127.0.0.1:${DEFAULT_PORT}`
export const DEFAULT_NAMESPACE = 'default'
/** The carrier of a program that names none. */
export const DEFAULT_CARRIER = 'zmtp'
