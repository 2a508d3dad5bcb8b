#!/usr/bin/env python3
"""Compares our dequantisation with the gguf package's, bit for bit, on a few megabytes of random blocks of every type.

    compare_dequantize.py PROGRAM

PROGRAM TYPE reads blocks from stdin and writes float32 to stdout.
"""
import subprocess
import sys

import gguf
import numpy as np

from make_dequantize_golden import TYPES, random_blocks


def main():
    random = np.random.default_rng(1)
    failed = False
    for qtype in TYPES:
        elements, _ = gguf.GGML_QUANT_SIZES[qtype]
        blocks = random_blocks(random, qtype, 300_000 // elements)
        if qtype == gguf.GGMLQuantizationType.F16:  # all there are
            blocks = np.arange(1 << 16, dtype="<u2").view(np.uint8).reshape(-1, 2)
        run = subprocess.run([sys.argv[1], str(int(qtype))], input=blocks.tobytes(), capture_output=True, check=True)
        ours = np.frombuffer(run.stdout, "<f4")
        theirs = gguf.quants.dequantize(blocks.reshape(-1), qtype).reshape(-1)
        if ours.shape != theirs.shape:
            print(f"{qtype.name}: {ours.size} values, expected {theirs.size}")
            failed = True
            continue
        # A NaN is a NaN: its payload is the hardware's business.
        same = (ours.view("<u4") == theirs.view("<u4")) | (np.isnan(ours) & np.isnan(theirs))
        print(f"{qtype.name}: {same.sum()} of {same.size} values equal")
        if not same.all():
            first = int(np.argmin(same))
            print(f"  first difference at {first}: {ours[first]!r}, expected {theirs[first]!r}")
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
