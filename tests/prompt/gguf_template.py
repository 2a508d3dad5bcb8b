"""Reads one string out of a GGUF file's metadata with the standard library alone."""

import struct

KEY = "tokenizer.chat_template"
STRING, ARRAY = 8, 9
FIXED_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


def read_number(file, layout):
    return struct.unpack(layout, file.read(struct.calcsize(layout)))[0]


def read_string(file):
    return file.read(read_number(file, "<Q"))


def skip_value(file, kind):
    if kind == STRING:
        read_string(file)
    elif kind == ARRAY:
        element, count = read_number(file, "<I"), read_number(file, "<Q")
        if element in FIXED_BYTES:
            file.seek(FIXED_BYTES[element] * count, 1)
        else:
            for _ in range(count):
                skip_value(file, element)
    else:
        file.seek(FIXED_BYTES[kind], 1)


def read_chat_template(path):
    """The template's source, or None when the file has none."""
    with open(path, "rb") as file:
        if file.read(4) != b"GGUF":
            raise ValueError(f"{path} is no GGUF file")
        read_number(file, "<I")  # version
        read_number(file, "<Q")  # tensors
        for _ in range(read_number(file, "<Q")):
            key, kind = read_string(file).decode(), read_number(file, "<I")
            if key == KEY and kind == STRING:
                return read_string(file).decode()
            skip_value(file, kind)
    return None
