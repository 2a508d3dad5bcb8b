#!/usr/bin/env python3
"""Is the reference itself right? It reads the real model named by TWOSTROKE_MODEL (SmolLM2-135M-Instruct) and must say
that the capital of France is Paris. Exits with 77 (skipped) when there is no such file."""
import os
import sys

import numpy as np

from reference_model import ReferenceModel

# <|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n
# <|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n
PROMPT = [
    1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018, 411, 407, 19712, 8182, 2, 198,
    1, 4093, 198, 1780, 314, 260, 3575, 282, 4649, 47, 2, 198, 1, 520, 9531, 198,
]  # fmt: skip

# The capital of France is Paris.<|im_end|>
ANSWER = [504, 3575, 282, 4649, 314, 7042, 30, 2]


def main():
    path = os.environ.get("TWOSTROKE_MODEL", "")
    if not os.path.exists(path):
        print("skipped: TWOSTROKE_MODEL names no file (make test sets it)")
        sys.exit(77)
    model = ReferenceModel(path, np.float32)
    # One pass over prompt and answer: greedy decoding gives the answer if each of its tokens is the most likely one.
    logits = model.forward(PROMPT + ANSWER)
    chosen = [int(token) for token in logits[len(PROMPT) - 1 : -1].argmax(axis=-1)]
    print(f"after each prefix of the answer it would say: {model.text(chosen)}")
    sys.exit(0 if chosen == ANSWER else 1)


if __name__ == "__main__":
    main()
