"""Writes corpus/tokenizer: a few texts (first byte: which tokenizer) and two tiny vocabularies as GGUF files."""

import pathlib
import struct

FOLDER = pathlib.Path(__file__).parent / "corpus" / "tokenizer"
STRING, ARRAY, FLOAT, INT = 8, 9, 6, 5


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def key(name, kind, payload):
    return string(name) + struct.pack("<I", kind) + payload


def array(kind, items):
    return struct.pack("<IQ", kind, len(items)) + b"".join(items)


def vocabulary(model, tokens, **more):
    keys = [key("tokenizer.ggml.model", STRING, string(model)),
            key("tokenizer.ggml.tokens", ARRAY, array(STRING, [string(t) for t in tokens]))]
    keys += [key("tokenizer.ggml." + name, kind, payload) for name, (kind, payload) in more.items()]
    return struct.pack("<IIQQ", 0x46554747, 3, 0, len(keys)) + b"".join(keys)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    texts = ["Hello aaaa baa", "a\n\n \t b  12345", "<a<|im_end|>a>", "I'm\u00e9\u4f60\U0001f999"]
    for number in (0, 1, 3, 19, 22, 29, 33, 34):
        for i, text in enumerate(texts):
            (FOLDER / f"text-{number}-{i}").write_bytes(bytes([number]) + text.encode() + b"\xe2\x82\xff"[: number % 4])
    types = lambda *kinds: (ARRAY, array(INT, [struct.pack("<i", kind) for kind in kinds]))
    bpe = vocabulary("gpt2", ["a", "b", "ab", "<s>"], pre=(STRING, string("qwen2")),
                     merges=(ARRAY, array(STRING, [string("a b")])), token_type=types(1, 1, 1, 3))
    pieces = vocabulary("llama", ["<unk>", "<s>", "</s>", "<0x0A>", "o", "lo"], token_type=types(2, 3, 3, 6, 1, 1),
                        scores=(ARRAY, array(FLOAT, [struct.pack("<f", -i) for i in range(6)])))
    (FOLDER / "gguf-bpe").write_bytes(b"\xff" + bpe)
    (FOLDER / "gguf-sentence-piece").write_bytes(b"\xff" + pieces)


if __name__ == "__main__":
    main()
