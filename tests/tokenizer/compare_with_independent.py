"""Encodes and decodes thousands of varied strings with our tokenizer and with independent ones; wants no difference.

usage: compare_with_independent.py ENCODE_STDIN_TEST [VOCABULARY-NAME...]
Vocabularies: those of scripts/fetch_test_data.py below $TWOSTROKE_TEST_DATA (default: the cache folder), the default
model's and Gemma 3's where they are in the cache. What is absent is named.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import gguf
import oracles
from varied_text import VariedText

SEED = 20240229
NUM_TEXTS = 10_000  # that the oracle can judge, for each vocabulary
NUM_OTHER_TEXTS = 1_000  # malformed, and with special tokens
NUM_BORROWED_TEXTS = 3_000  # for a pre-tokenizer over a borrowed vocabulary
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "twostroke"
DATA = pathlib.Path(os.environ.get("TWOSTROKE_TEST_DATA") or CACHE / "test-data")

BPE_NAMES = ["command-r", "deepseek-coder", "deepseek-llm", "falcon", "gemma-4", "gpt-2", "llama-bpe", "mpt", "qwen2",
             "qwen35", "refact", "starcoder"]
SENTENCE_PIECE_NAMES = ["llama-spm", "baichuan"]
# No vocabulary of theirs is at hand: their pre-tokenizers run over the tokens and merges of another.
BORROWERS = {"deepseek-v3": "deepseek-llm", "gpt-4o": "llama-bpe", "tekken": "llama-bpe", "tiny_aya": "llama-bpe",
             "superbpe": "gpt-2", "bloom": "gpt-2", "viking": "gpt-2", "bailingmoe": "gpt-2", "seed-coder": "gpt-2",
             "exaone-moe": "gpt-2", "kimi-k2": "llama-bpe"}
NOT_COMPARED = {
    "bert-bge": "WordPiece is not supported",
    "nomic-bert-moe": "SentencePiece unigram is not supported",
    "phi-3": "its special tokens swallow white space, which sentencepiece cannot express (llama.cpp's vectors do)",
    "aquila": "the pre-tokenizer 'default' is llama.cpp's own; no other implementation has it",
    "gpt-neox": "the same",
}


class OurTokenizer:
    def __init__(self, binary, model):
        self.command = [binary, str(model)]

    def run(self, texts, parse_special):
        lines = "".join(json.dumps({"hex": text.hex(), "parse_special": parse_special}) + "\n" for text in texts)
        result = subprocess.run(self.command, input=lines, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            sys.exit(f"FAILED: {' '.join(self.command)}: exit {result.returncode}: {result.stderr}")
        answers = [json.loads(line) for line in result.stdout.splitlines()]
        assert len(answers) == len(texts), f"{len(answers)} answers to {len(texts)} requests"
        return answers


def check(label, texts, answers, oracle, expected_texts=None):
    """`texts`: the bytes we got; `expected_texts`: the strings the oracle gets. Returns how many differ."""
    expected_texts = expected_texts or [text.decode() for text in texts]
    expected_ids = oracle.encode(expected_texts)
    expected_decoded = oracle.decode(expected_ids)
    failures = 0
    for text, ours, ids, decoded in zip(texts, answers, expected_ids, expected_decoded):
        problem = ours.get("error")
        if problem is None and ours["ids"] != ids:
            problem = f"ours {ours['ids']}, expected {ids}"
        elif problem is None:
            for what in ("decoded", "streamed"):
                got = bytes.fromhex(ours[what]).decode()
                if got != decoded:
                    problem = f"{what}: ours {got!r}, expected {decoded!r}"
        if problem is not None:
            failures += 1
            if failures <= 3:
                print(f"  {label}: {text!r}: {problem}")
    print(f"{label}: {len(texts)} texts, {failures} differ", flush=True)
    return failures


def judged_texts(make, oracle, count):
    texts = []
    while len(texts) < count:
        text = make()
        if oracle.can_judge(text):
            texts.append(text.encode())
    return texts


def compare_bpe(binary, name, model, pre=None):
    vocabulary = oracles.Vocabulary(model)
    ours, varied = OurTokenizer(binary, model), VariedText(SEED)
    oracle = oracles.BytePairOracle(vocabulary, pre)
    plain = judged_texts(varied.text, oracle, NUM_BORROWED_TEXTS if pre else NUM_TEXTS)
    failures = check(name, plain, ours.run(plain, False), oracle)
    broken = [text for text in (varied.malformed() for _ in range(NUM_OTHER_TEXTS))
              if oracle.can_judge(oracles.replace_broken_bytes(text))]
    failures += check(f"{name}, malformed", broken, ours.run(broken, False), oracle,
                      [oracles.replace_broken_bytes(text) for text in broken])
    specials = vocabulary.of_type(oracles.CONTROL, oracles.USER_DEFINED)[:40]
    if specials and pre is None:
        oracle = oracles.BytePairOracle(vocabulary, pre, parse_special=True)
        special = judged_texts(lambda: varied.with_specials(specials), oracle, NUM_OTHER_TEXTS)
        failures += check(f"{name}, special tokens", special, ours.run(special, True), oracle)
    return failures


def compare_sentence_piece(binary, name, model):
    oracle = oracles.SentencePieceOracle(oracles.Vocabulary(model))
    ours, varied = OurTokenizer(binary, model), VariedText(SEED)
    plain = judged_texts(varied.text, oracle, NUM_TEXTS)
    failures = check(name, plain, ours.run(plain, False), oracle)
    # sentencepiece would replace broken bytes; we keep them, so decoding gives back what Python decodes. But a broken
    # byte that announces a longer character takes what follows with it, and a space in there comes back as U+2581.
    broken = [varied.malformed() for _ in range(NUM_OTHER_TEXTS)]
    wrong = 0
    for text, answer in zip(broken, ours.run(broken, False)):
        expected = text.decode("utf-8", errors="replace").replace(oracles.SPACE, " ")
        got = [bytes.fromhex(answer[what]).decode().replace(oracles.SPACE, " ") for what in ("decoded", "streamed")]
        wrong += got != [expected, expected]
    print(f"{name}, malformed, round trip only: {len(broken)} texts, {wrong} differ", flush=True)
    return failures + wrong


def with_pre_tokenizer(model, pre, folder):
    """A copy of a vocabulary file whose `tokenizer.ggml.pre` is another."""
    path = folder / f"{pre}.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    vocabulary = oracles.Vocabulary(model)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges(vocabulary.merges)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def vocabulary_path(name):
    return DATA / "vocabularies" / f"ggml-vocab-{name}.gguf"


def main():
    binary, wanted = sys.argv[1], set(sys.argv[2:])
    failures, compared = 0, 0

    def run(name, model, compare, *arguments):
        nonlocal failures, compared
        if wanted and name not in wanted:
            return
        if not model.exists():
            print(f"{name}: not compared, {model.name} is absent")
            return
        failures += compare(binary, name, model, *arguments)
        compared += 1

    models = CACHE / "models"
    run("smollm", models / "SmolLM2-135M-Instruct.Q4_1.gguf", compare_bpe)
    run("gemma-3", models / "gemma-3-270m-q4_k_m.gguf", compare_sentence_piece)
    for name in BPE_NAMES:
        run(name, vocabulary_path(name), compare_bpe)
    for name in SENTENCE_PIECE_NAMES:
        run(name, vocabulary_path(name), compare_sentence_piece)
    with tempfile.TemporaryDirectory() as folder:
        for pre, lender in BORROWERS.items():
            if wanted and pre not in wanted or not vocabulary_path(lender).exists():
                continue
            run(pre, with_pre_tokenizer(vocabulary_path(lender), pre, pathlib.Path(folder)), compare_bpe, pre)
    for name, reason in NOT_COMPARED.items():
        print(f"{name}: not compared: {reason}")
    if failures:
        sys.exit(f"FAILED: {failures} texts differ")
    if not compared:
        print("skipped: no vocabulary is there (scripts/fetch_test_data.py fetches them)")
        sys.exit(77)
    print(f"{compared} vocabularies agree")


if __name__ == "__main__":
    main()
