# Values as msgpack: those that signal_bytes.py calls plain, and no others. 07-signals, "Values".

from cpython.dict cimport PyDict_GetItem, PyDict_Next, PyDict_SetItem, PyDict_Size
from cpython.exc cimport PyErr_Clear, PyErr_ExceptionMatches
from cpython.float cimport PyFloat_AS_DOUBLE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE, PyList_New, PyList_SET_ITEM
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object, Py_ssize_t*)
    long long PyLong_AsLongLongAndOverflow(object, int*) except? -1
    unsigned long long PyLong_AsUnsignedLongLongMask(object) except? 0xFFFFFFFFFFFFFFFF

cdef enum:
    MAX_DEPTH = 200
    MAX_ELEMENTS = 1 << 20
    MAX_SIZE = 0xFFFFFFFF
    KNOWN_KEYS = 256
    MAX_KNOWN_KEY_BYTES = 32
    DECLINED = 1


class Declined(ValueError):
    """The bytes are not as usual; the twin reads them, or says what is wrong."""


# -- to bytes ---------------------------------------------------------------------------------------
# 0: written. DECLINED: it is not plain, and an end of the buffer is to be forgotten. -1: an error.
# None of it runs code of Python, since all types are exact: nothing can change under its hands.


cdef int put_size(Buffer* buffer, uint8_t fix, uint64_t fix_end, uint8_t code, uint64_t size) except -1:
    """Write the size of a text, an array or a map: fixed, with 16 or with 32 bits."""
    cdef uint8_t* at
    need(buffer, 5)
    at = buffer.at + buffer.size
    if size < fix_end:
        at[0] = fix | <uint8_t> size
        buffer.size += 1
    elif size <= 0xFFFF:
        at[0] = code
        write_u16(at + 1, <uint16_t> size)
        buffer.size += 3
    else:
        at[0] = code + 1
        write_u32(at + 1, <uint32_t> size)
        buffer.size += 5
    return 0


cdef int put_blob(Buffer* buffer, uint8_t code, const uint8_t* at, Py_ssize_t size) except -1:
    """Write a text of 32 bytes or more, or bytes: the size has 8, 16 or 32 bits."""
    if size > 0xFF:
        put_size(buffer, 0, 0, code + 1, <uint64_t> size)
    else:
        need(buffer, 2)
        buffer.at[buffer.size] = code
        buffer.at[buffer.size + 1] = <uint8_t> size
        buffer.size += 2
    return put_bytes(buffer, at, size)


cdef int put_text(Buffer* buffer, object text) except -1:
    cdef Py_ssize_t size = 0
    cdef const char* at = PyUnicode_AsUTF8AndSize(text, &size)
    if at == NULL:
        if not PyErr_ExceptionMatches(UnicodeEncodeError):
            return -1  # out of memory
        PyErr_Clear()
        return DECLINED
    if size > MAX_SIZE:
        return DECLINED
    if size >= 32:
        return put_blob(buffer, 0xD9, <const uint8_t*> at, size)
    need(buffer, 1)
    buffer.at[buffer.size] = 0xA0 | <uint8_t> size
    buffer.size += 1
    return put_bytes(buffer, <const uint8_t*> at, size)


cdef int put_int(Buffer* buffer, object value) except -1:
    cdef int overflow = 0
    cdef int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow)
    cdef uint64_t large
    cdef uint8_t* at
    need(buffer, 9)
    at = buffer.at + buffer.size
    if overflow > 0:
        large = PyLong_AsUnsignedLongLongMask(value)
        if value != large:
            return DECLINED
        at[0] = 0xCF
        write_u64(at + 1, large)
        buffer.size += 9
    elif overflow < 0:
        return DECLINED
    elif -32 <= number <= 127:
        at[0] = <uint8_t> (number & 0xFF)
        buffer.size += 1
    elif number > 0xFFFFFFFF or number < -0x80000000:
        at[0] = 0xCF if number > 0 else 0xD3
        write_u64(at + 1, <uint64_t> number)
        buffer.size += 9
    elif number > 0xFFFF or number < -0x8000:
        at[0] = 0xCE if number > 0 else 0xD2
        write_u32(at + 1, <uint32_t> (number & 0xFFFFFFFF))
        buffer.size += 5
    elif number > 0xFF or number < -0x80:
        at[0] = 0xCD if number > 0 else 0xD1
        write_u16(at + 1, <uint16_t> (number & 0xFFFF))
        buffer.size += 3
    else:
        at[0] = 0xCC if number > 0 else 0xD0
        at[1] = <uint8_t> (number & 0xFF)
        buffer.size += 2
    return 0


cdef inline int put_octet(Buffer* buffer, uint8_t octet) except -1:
    need(buffer, 1)
    buffer.at[buffer.size] = octet
    buffer.size += 1
    return 0


cdef inline int put_float(Buffer* buffer, double value) except -1:
    cdef uint64_t bits
    memcpy(&bits, &value, sizeof(bits))
    need(buffer, 9)
    buffer.at[buffer.size] = 0xCB
    write_u64(buffer.at + buffer.size + 1, bits)
    buffer.size += 9
    return 0


cdef int put_map(Buffer* buffer, object fields, int depth) except -1:
    """Write a dict; a value in it may have `depth` - 1 levels, and `depth` is over 0."""
    cdef Py_ssize_t count = PyDict_Size(fields), at = 0
    cdef PyObject* key
    cdef PyObject* item
    if count > MAX_ELEMENTS:
        return DECLINED
    put_size(buffer, 0x80, 16, 0xDE, <uint64_t> count)
    while PyDict_Next(fields, &at, &key, &item):
        if type(<object> key) is not str or put_text(buffer, <object> key):
            return DECLINED
        if put_value(buffer, <object> item, depth - 1):
            return DECLINED
    return 0


cdef int put_value(Buffer* buffer, object value, int depth) except -1:
    """Write a value that may have `depth` levels of arrays and maps."""
    cdef Py_ssize_t count, index
    kind = type(value)
    if kind is str:
        return put_text(buffer, value)
    if kind is int:
        return put_int(buffer, value)
    if kind is dict:
        return put_map(buffer, value, depth) if depth > 0 else DECLINED
    if value is None:
        return put_octet(buffer, 0xC0)
    if kind is bool:
        return put_octet(buffer, 0xC3 if value is True else 0xC2)
    if kind is float:
        return put_float(buffer, PyFloat_AS_DOUBLE(value))
    if kind is bytes:
        count = PyBytes_GET_SIZE(value)
        return DECLINED if count > MAX_SIZE else put_blob(buffer, 0xC4, octets(value), count)
    if kind is not list and kind is not tuple:
        return DECLINED
    count = PyList_GET_SIZE(value) if kind is list else PyTuple_GET_SIZE(value)
    if depth <= 0 or count > MAX_ELEMENTS:
        return DECLINED
    put_size(buffer, 0x90, 16, 0xDC, <uint64_t> count)
    for index in range(count):
        item = <object> (
            PyList_GET_ITEM(value, index) if kind is list else PyTuple_GET_ITEM(value, index)
        )
        if put_value(buffer, item, depth - 1):
            return DECLINED
    return 0


# -- from bytes -------------------------------------------------------------------------------------
# Sizes are compared with the bytes that are left before anything is made. A garbage collection may
# run code of Python at any object that is made here, so nothing is kept between two of them but
# what is counted.


cdef struct Reader:
    const uint8_t* at
    const uint8_t* end


cdef inline Py_ssize_t left(const Reader* reader) noexcept:
    return reader.end - reader.at


cdef uint64_t take_number(Reader* reader, int octet_count) except? 0xFFFFFFFFFFFFFFFF:
    """Take a number of 1, 2, 4 or 8 bytes."""
    cdef uint64_t number = 0
    if left(reader) < octet_count:
        raise Declined
    for index in range(octet_count):
        number = (number << 8) | reader.at[index]
    reader.at += octet_count
    return number


cdef inline const uint8_t* take(Reader* reader, uint64_t size) except NULL:
    """Take `size` bytes; return where they are."""
    cdef const uint8_t* at = reader.at
    if size > <uint64_t> left(reader):
        raise Declined
    reader.at += size
    return at


cdef inline object take_text(Reader* reader, uint64_t size):
    cdef const uint8_t* at = take(reader, size)
    return PyUnicode_DecodeUTF8(<const char*> at, <Py_ssize_t> size, NULL)


# Keys come again and again: each is made once, and has its hash. One key for each place, the last.
cdef list known_keys = [None] * KNOWN_KEYS


cdef object take_key(Reader* reader):
    cdef uint64_t size
    cdef const uint8_t* at
    cdef const char* known
    cdef Py_ssize_t known_size = 0
    cdef uint32_t place
    cdef uint8_t code = take(reader, 1)[0]
    if 0xA0 <= code <= 0xBF:
        size = code & 31
    elif code == 0xD9:
        size = take_number(reader, 1)
    elif code == 0xDA:
        size = take_number(reader, 2)
    elif code == 0xDB:
        size = take_number(reader, 4)
    else:
        raise Declined
    if size == 0 or size > MAX_KNOWN_KEY_BYTES:
        return take_text(reader, size)
    at = take(reader, size)
    place = (at[0] * 31 + at[size - 1] * 7 + at[size >> 1] + <uint32_t> size) % KNOWN_KEYS
    key = known_keys[place]
    if key is not None:
        known = PyUnicode_AsUTF8AndSize(key, &known_size)
        if known == NULL:
            PyErr_Clear()
        elif <uint64_t> known_size == size and memcmp(known, at, size) == 0:
            return key
    key = PyUnicode_DecodeUTF8(<const char*> at, <Py_ssize_t> size, NULL)
    known_keys[place] = key
    return key


cdef dict take_map(Reader* reader, uint64_t count, int depth):
    cdef dict fields
    if depth <= 0 or count > MAX_ELEMENTS or 2 * count > <uint64_t> left(reader):
        raise Declined
    fields = {}
    for _ in range(count):
        key = take_key(reader)
        fields[key] = take_value(reader, depth - 1)
    return fields


cdef list take_array(Reader* reader, uint64_t count, int depth):
    cdef list items
    if depth <= 0 or count > MAX_ELEMENTS or count > <uint64_t> left(reader):
        raise Declined
    items = []
    for _ in range(count):
        items.append(take_value(reader, depth - 1))
    return items


cdef object take_value(Reader* reader, int depth):
    """Take a value with at most `depth` levels of arrays and maps."""
    cdef uint8_t code = take(reader, 1)[0]
    if code < 0x80:
        return code
    if code < 0x90:
        return take_map(reader, code & 15, depth)
    if code < 0xA0:
        return take_array(reader, code & 15, depth)
    if code < 0xC0:
        return take_text(reader, code & 31)
    if code >= 0xE0:
        return <int> code - 256
    return take_long(reader, code, depth)


cdef object take_long(Reader* reader, uint8_t code, int depth):
    """Take what is behind a code from C0 to DF."""
    cdef uint64_t bits
    cdef double number
    if code == 0xC0:
        return None
    if code == 0xC2:
        return False
    if code == 0xC3:
        return True
    if 0xC4 <= code <= 0xC6:
        bits = take_number(reader, 1 << (code - 0xC4))
        return bytes_of(take(reader, bits), <Py_ssize_t> bits)
    if code == 0xCB:
        bits = take_number(reader, 8)
        memcpy(&number, &bits, sizeof(number))
        return number
    if 0xCC <= code <= 0xCF:
        return take_number(reader, 1 << (code - 0xCC))
    if code == 0xD0:
        return <int8_t> take_number(reader, 1)
    if code == 0xD1:
        return <int16_t> take_number(reader, 2)
    if code == 0xD2:
        return <int32_t> take_number(reader, 4)
    if code == 0xD3:
        return <int64_t> take_number(reader, 8)
    if 0xD9 <= code <= 0xDB:
        return take_text(reader, take_number(reader, 1 << (code - 0xD9)))
    if code == 0xDC or code == 0xDD:
        return take_array(reader, take_number(reader, 2 << (code - 0xDC)), depth)
    if code == 0xDE or code == 0xDF:
        return take_map(reader, take_number(reader, 2 << (code - 0xDE)), depth)
    raise Declined  # an extension, a float of 32 bits, or no code at all
