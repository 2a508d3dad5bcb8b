#!/usr/bin/env python3
"""Writes the seeds of the gguf fuzz target: one small right file of each kind, and files that lie. Finds of the fuzzer
are added to the folder by hand. usage: make_gguf_corpus.py FOLDER"""
import os
import struct
import sys

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
HUGE = (1 << 64) - 1


def string(text):
    return struct.pack("<Q", len(text)) + text


def entry(key, kind, payload):
    return string(key) + struct.pack("<I", kind) + payload


def array(kind, count, payload):
    return struct.pack("<IQ", kind, count) + payload


def tensor(name, dims, kind, offset):
    return string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


def file(entries=(), tensors=(), data=b"", version=3, counts=None, alignment=32):
    num_tensors, num_entries = counts or (len(tensors), len(entries))
    body = b"GGUF" + struct.pack("<IQQ", version, num_tensors, num_entries) + b"".join(entries) + b"".join(tensors)
    return body + bytes(-len(body) % alignment) + data


SCALARS = [
    entry(b"u8", U8, b"\1"), entry(b"i8", I8, b"\xff"), entry(b"u16", U16, b"\1\2"), entry(b"i16", I16, b"\1\xff"),
    entry(b"u32", U32, b"\1\2\3\4"), entry(b"i32", I32, b"\xff" * 4), entry(b"f32", F32, struct.pack("<f", 1.5)),
    entry(b"yes", BOOL, b"\1"), entry(b"odd", BOOL, b"\7"), entry(b"u64", U64, b"\xff" * 8), entry(b"i64", I64, b"\xff" * 8),
    entry(b"f64", F64, struct.pack("<d", 1e300)), entry(b"text", STRING, string(b"caf\xc3\xa9 \xff\x1b[0m")),
]  # fmt: skip
NESTED = array(ARRAY, 1, array(ARRAY, 1, array(ARRAY, 1, array(U8, 2, b"ab"))))

SEEDS = {
    "empty": b"",
    "magic-only": b"GGUF",
    "nothing-in-it": file(),
    "version-2": file([entry(b"k", U32, b"\1\0\0\0")], version=2),
    "big-endian": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "scalars": file(SCALARS),
    "arrays": file([
        entry(b"strings", ARRAY, array(STRING, 3, string(b"a") + string(b"") + string(b"ccc"))),
        entry(b"floats", ARRAY, array(F32, 2, bytes(8))), entry(b"ints", ARRAY, array(I64, 2, bytes(16))),
        entry(b"bools", ARRAY, array(BOOL, 2, b"\0\1")), entry(b"none", ARRAY, array(STRING, 0, b"")),
        entry(b"nested", ARRAY, NESTED),
    ]),
    "tensors": file(
        [entry(b"general.alignment", U32, struct.pack("<I", 8))],
        [tensor(b"a", [32, 2], 8, 0), tensor(b"b", [4], 0, 72), tensor(b"c", [256], 12, 88)],
        bytes(88 + 144), alignment=8,
    ),
    "huge-counts": file(counts=(HUGE, HUGE)),
    "huge-string": file([string(b"k") + struct.pack("<IQ", STRING, HUGE)]),
    "array-count-overflows": file([entry(b"k", ARRAY, array(F64, (1 << 61) + 1, bytes(64)))]),
    "nested-too-deep": file([entry(b"k", ARRAY, array(ARRAY, 1, array(ARRAY, 1, NESTED)))]),
    "shape-overflows": file([], [tensor(b"t", [1 << 32, 1 << 32, 1 << 32, 1 << 32], 0, 0)], bytes(64)),
    "blocks-overflow": file([], [tensor(b"t", [1 << 62], 12, 0)], bytes(64)),
    "offset-wraps": file([], [tensor(b"t", [8], 0, HUGE - 31)], bytes(64)),
    "overlap": file([], [tensor(b"t", [16], 0, 0), tensor(b"u", [16], 0, 32)], bytes(96)),
    "alignment-zero": file([entry(b"general.alignment", U32, bytes(4))], [tensor(b"t", [1], 0, 0)], bytes(4)),
    "alignment-huge": file([entry(b"general.alignment", U32, struct.pack("<I", 1 << 20))], [tensor(b"t", [1], 0, 0)]),
    "key-twice": file([entry(b"k", U8, b"\1"), entry(b"k", U8, b"\1")]),
    "split": file([entry(b"split.count", U16, b"\2\0"), entry(b"split.no", U16, b"\0\0")]),
}  # fmt: skip


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, content in SEEDS.items():
        with open(os.path.join(sys.argv[1], name), "wb") as out:
            out.write(content)


if __name__ == "__main__":
    main()
