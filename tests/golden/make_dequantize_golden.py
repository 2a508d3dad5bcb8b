#!/usr/bin/env python3
"""Writes dequantize.golden, which src/quant's unit test reads: blocks of every type with awkward scales, and the floats
that the gguf package makes of them.

    make_dequantize_golden.py FILE

Little-endian: 8 bytes "TSQUANT1", int32 number of sections; per section int32 ggml type, int32 num_bytes, int32
num_elements, the bytes, float32[num_elements].
"""
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

# Where a block's f16 scales are.
SCALES = {
    Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0],
    Type.Q2_K: [80, 82], Type.Q3_K: [108], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208],
    Type.IQ4_NL: [0], Type.IQ4_XS: [0], Type.MXFP4: [],
}  # fmt: skip
TYPES = [Type.F32, Type.F16, Type.BF16, *SCALES]

# f16 bits: ordinary, negative, +0, -0, least and greatest subnormal, greatest, negative subnormal.
EDGE_SCALES = np.array([0x2E66, 0xB2A1, 0x0000, 0x8000, 0x0001, 0x03FF, 0x7BFF, 0x8123], dtype="<u2")
EDGE_F32 = [0x00000000, 0x80000000, 0x00000001, 0x807FFFFF, 0x7F800000, 0xFF800000, 0x7F7FFFFF, 0x3F800001]
EDGE_BF16 = [0x0000, 0x8000, 0x0001, 0x807F, 0x7F80, 0xFF80, 0x7F7F, 0x3F81]


def random_blocks(random, qtype, count):
    """[count, block bytes]: any codes, finite scales; the first blocks go through the edge scales."""
    _, size = gguf.GGML_QUANT_SIZES[qtype]
    blocks = random.integers(0, 256, (count, size), dtype=np.uint8)
    if qtype == Type.F32:
        blocks[: len(EDGE_F32)] = np.array(EDGE_F32, dtype="<u4").view(np.uint8).reshape(-1, 4)[:count]
    elif qtype in (Type.F16, Type.BF16):
        edges = EDGE_SCALES if qtype == Type.F16 else np.array(EDGE_BF16, dtype="<u2")
        blocks[: len(edges)] = edges.view(np.uint8).reshape(-1, 2)[:count]
    elif qtype == Type.MXFP4:
        blocks[:, 0] = np.resize(np.array([0, 1, 2, 127, 128, 254, 255, 100], dtype=np.uint8), count)
    for index, offset in enumerate(SCALES.get(qtype, [])):
        scales = random.integers(0, 1 << 16, count).astype("<u2")
        scales = np.where((scales & 0x7C00) == 0x7C00, scales & 0xBFFF, scales).astype("<u2")  # neither inf nor NaN
        edges = np.roll(EDGE_SCALES, 3 * index)[:count]
        scales[: len(edges)] = edges
        blocks[:, offset : offset + 2] = scales[:, None].view(np.uint8)
    return blocks


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    random = np.random.default_rng(20)
    with open(sys.argv[1], "wb") as out:
        out.write(b"TSQUANT1")
        np.array([len(TYPES)], dtype="<i4").tofile(out)
        for qtype in TYPES:
            elements, _ = gguf.GGML_QUANT_SIZES[qtype]
            blocks = random_blocks(random, qtype, 64 if elements == 1 else 8 if elements == 32 else 5)
            if qtype in (Type.F32, Type.F16, Type.BF16):  # NaN bits are the hardware's business: see the unit test
                values = gguf.quants.dequantize(blocks.reshape(-1), qtype)
                blocks = blocks[~np.isnan(values)]
            values = gguf.quants.dequantize(blocks.reshape(-1), qtype)
            np.array([int(qtype), blocks.size, values.size], dtype="<i4").tofile(out)
            blocks.tofile(out)
            values.astype("<f4").tofile(out)


if __name__ == "__main__":
    main()
