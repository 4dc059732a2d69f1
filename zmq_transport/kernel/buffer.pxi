# A growing stretch of bytes, for one call or one object. Needs octets.pxi.

from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc

cdef extern from "Python.h":
    Py_ssize_t PY_SSIZE_T_MAX

cdef enum:
    FIRST_ROOM_BYTES = 1024


cdef struct Buffer:
    uint8_t* at
    Py_ssize_t size
    Py_ssize_t room
    uint8_t first[FIRST_ROOM_BYTES]


cdef inline void open_buffer(Buffer* buffer) noexcept:
    """Begin with the room inside the buffer itself; it must not move from now on."""
    buffer.at = buffer.first
    buffer.size = 0
    buffer.room = FIRST_ROOM_BYTES


cdef inline void close_buffer(Buffer* buffer) noexcept:
    """Free what it took beyond its first room."""
    if buffer.at != buffer.first:
        PyMem_Free(buffer.at)
        buffer.at = buffer.first


cdef int grow(Buffer* buffer, Py_ssize_t more) except -1:
    """Make room for `more` bytes, at least 0, behind its size."""
    cdef uint8_t* at
    cdef Py_ssize_t room
    if more > PY_SSIZE_T_MAX // 4 or buffer.size > PY_SSIZE_T_MAX // 4:
        raise MemoryError
    room = 2 * (buffer.size + more)
    if buffer.at == buffer.first:
        at = <uint8_t*> PyMem_Malloc(room)
        if at != NULL:
            memcpy(at, buffer.first, buffer.size)
    else:
        at = <uint8_t*> PyMem_Realloc(buffer.at, room)
    if at == NULL:
        raise MemoryError
    buffer.at = at
    buffer.room = room
    return 0


cdef inline int need(Buffer* buffer, Py_ssize_t more) except -1:
    """See to it that `more` bytes may be written at `buffer.at + buffer.size`."""
    if more > buffer.room - buffer.size:
        grow(buffer, more)
    return 0


cdef inline int put_bytes(Buffer* buffer, const uint8_t* at, Py_ssize_t size) except -1:
    """Append `size` readable bytes."""
    need(buffer, size)
    memcpy(buffer.at + buffer.size, at, size)
    buffer.size += size
    return 0
