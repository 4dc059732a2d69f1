# Ids of Signals out of a lease, as ids.py makes them: the same source, so no id comes twice.

cdef enum:
    LEASED = 1024
    RANDOM_CHARS = 12
    ID_DIGITS = 26
    ID_TEXT = 30

cdef const uint8_t* ALPHABET = b"0123456789abcdefghijklmnopqrstuv"
cdef uint64_t next_count = 0
cdef int leased = 0
cdef uint8_t random_digits[RANDOM_CHARS]


def _end_lease():
    """Drop what is left of the lease: in a forked child it is another's."""
    global leased
    leased = 0


after_fork(_end_lease)


cdef inline uint8_t* write_pair(uint8_t* at, uint64_t value) noexcept:
    """Write the lowest 10 bits as two characters."""
    at[0] = ALPHABET[(value >> 5) & 31]
    at[1] = ALPHABET[value & 31]
    return at + 2


cdef int new_id(uint8_t* at) except -1:
    """Write the 26 characters of the next id. Behind the lease no code of Python runs here."""
    global next_count, leased
    cdef uint64_t count, mixed
    cdef uint8_t digit
    if leased == 0:
        random, first = lease(LEASED)
        for index in range(RANDOM_CHARS):
            digit = ord(random[index])
            random_digits[index] = digit
        next_count = first
        leased = LEASED
    count = next_count
    next_count += 1
    leased -= 1
    mixed = (count * 0x2545F) & 0x3FFFF
    at = write_pair(write_pair(at, mixed >> 10), mixed)
    memcpy(at, random_digits, RANDOM_CHARS)
    at += RANDOM_CHARS
    for shift in range(40, -1, -10):
        at = write_pair(at, count >> shift)
    return 0


cdef inline uint32_t digit_of(uint8_t character) noexcept:
    """Return the value of a character of the alphabet."""
    return character - (c"0" if character <= c"9" else c"a" - 10)


cdef bytes digits_as_bytes(const uint8_t* digits):
    """Return the 16 bytes of 26 characters of the alphabet: the two highest of 130 bits are 0."""
    cdef uint8_t number[16]
    cdef uint32_t bits = 0
    cdef int filled = -2, at = 0, index
    for index in range(ID_DIGITS):
        bits = (bits << 5) | digit_of(digits[index])
        filled += 5
        if filled >= 8:
            filled -= 8
            number[at] = <uint8_t> (bits >> filled)
            at += 1
    return bytes_of(number, 16)


cdef void write_id_after(const uint8_t* first, uint32_t count, uint8_t* at) noexcept:
    """Write the text of the id that was made `count` ids after one; of both, 30 characters."""
    cdef uint64_t mixed = 0, number = 0
    cdef int index
    for index in range(4, 8):
        mixed = (mixed << 5) | digit_of(first[index])
    for index in range(20, ID_TEXT):
        number = (number << 5) | digit_of(first[index])
    mixed = (mixed + <uint64_t> count * 0x2545F) & 0x3FFFF
    number += count
    memcpy(at, first, ID_TEXT)
    write_pair(write_pair(at + 4, mixed >> 10), mixed)
    at += 20
    for shift in range(40, -1, -10):
        at = write_pair(at, number >> shift)
