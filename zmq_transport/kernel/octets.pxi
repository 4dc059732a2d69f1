# Numbers and bytes in memory. What a caller must check is said at each function; none checks itself.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset


cdef inline const uint8_t* octets(bytes value) noexcept:
    """Return where the bytes of `value` are; they live as long as it does."""
    return <const uint8_t*> PyBytes_AS_STRING(value)


cdef inline bytes bytes_of(const uint8_t* at, Py_ssize_t size):
    """Return a copy of `size` readable bytes."""
    return PyBytes_FromStringAndSize(<const char*> at, size)


cdef inline uint32_t read_u32(const uint8_t* at) noexcept:
    """Return the big-endian number of 4 readable bytes."""
    return (<uint32_t> at[0] << 24) | (<uint32_t> at[1] << 16) | (<uint32_t> at[2] << 8) | at[3]


cdef inline uint64_t read_u64(const uint8_t* at) noexcept:
    """Return the big-endian number of 8 readable bytes."""
    return (<uint64_t> read_u32(at) << 32) | read_u32(at + 4)


cdef inline void write_u16(uint8_t* at, uint16_t value) noexcept:
    """Write 2 bytes, big-endian."""
    at[0] = <uint8_t> (value >> 8)
    at[1] = <uint8_t> value


cdef inline void write_u32(uint8_t* at, uint32_t value) noexcept:
    """Write 4 bytes, big-endian."""
    write_u16(at, <uint16_t> (value >> 16))
    write_u16(at + 2, <uint16_t> value)


cdef inline void write_u64(uint8_t* at, uint64_t value) noexcept:
    """Write 8 bytes, big-endian."""
    write_u32(at, <uint32_t> (value >> 32))
    write_u32(at + 4, <uint32_t> value)
