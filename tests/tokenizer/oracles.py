"""Independent tokenizers, built from the vocabulary of a GGUF file: the Python packages tokenizers (BPE) and
sentencepiece. The pre-tokenizers below are written down from the models' published tokenizer.json files."""

import struct
import unicodedata

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
SPACE = "\u2581"


class GgufMetadata:
    """The keys and values at the head of a GGUF file. (The gguf package takes a minute for the large vocabularies.)"""

    SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
    STRING, ARRAY = 8, 9

    def __init__(self, path):
        with open(path, "rb") as file:
            self.file = file
            magic, version, _, num_keys = self._unpack("IIQQ")
            assert magic == 0x46554747 and version >= 2, path
            self.values = {self._string(): self._value(*self._unpack("I")) for _ in range(num_keys)}

    def _unpack(self, layout):
        layout = "<" + layout
        return struct.unpack(layout, self.file.read(struct.calcsize(layout)))

    def _string(self):
        return self.file.read(*self._unpack("Q")).decode("utf-8")

    def _value(self, kind):
        if kind == self.STRING:
            return self._string()
        if kind != self.ARRAY:
            return self._unpack(self.SCALARS[kind])[0]
        kind, count = self._unpack("IQ")
        if kind in (self.STRING, self.ARRAY):
            return [self._value(kind) for _ in range(count)]
        return list(self._unpack(f"{count}{self.SCALARS[kind]}"))


class Vocabulary:
    def __init__(self, path):
        values = GgufMetadata(path).values
        prefix = "tokenizer.ggml."
        self.model = values[prefix + "model"]
        self.pre = "gemma4" if self.model == "gemma4" else values.get(prefix + "pre", "default")
        self.tokens = values[prefix + "tokens"]
        self.types = values[prefix + "token_type"]
        self.merges = values[prefix + "merges"] if self.model != "llama" else []
        self.scores = values[prefix + "scores"] if self.model == "llama" else []
        self.unk_id = values.get(prefix + "unknown_token_id", 0)
        self.add_space_prefix = values.get(prefix + "add_space_prefix", self.model == "llama")

    def of_type(self, *types):
        return [text for text, kind in zip(self.tokens, self.types) if kind in types]


def _split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def _byte_level(use_regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def _digits_then_gpt2():
    return [pre_tokenizers.Digits(individual_digits=True), _byte_level(use_regex=True)]


def _cl100k(digits):
    return [_split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|" + digits +
                   r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"), _byte_level()]


def _cased(digits, contraction, slash):
    upper, lower = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
    first = r"[^\r\n\p{L}\p{N}]?"
    return _split(f"{first}{upper}*{lower}+{contraction}|{first}{upper}+{lower}*{contraction}|{digits}"
                  r"| ?[^\s\p{L}\p{N}]+[\r\n" + slash + r"]*|\s*[\r\n]+|\s+(?!\S)|\s+")


CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
ASCII_PUNCTUATION = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"""


def _letters_with_case():
    """DeepSeek's list of letters: those that have case, but not of these later or rarer blocks."""
    missing = ("560-588 10C7-10FF 1C80-1C88 2D00-2D2D A790-A7FA AB30-AB68 10570-105BC 16E40-16E7F 1D400-1D7CB "
               "1DF00-1DF1E")
    skipped = {c for first, last in (pair.split("-") for pair in missing.split())
               for c in range(int(first, 16), int(last, 16) + 1)}
    letters = [c for c in range(0x110000)
               if c not in skipped and unicodedata.category(chr(c)) in ("Lu", "Ll", "Lt")]
    return "".join(chr(c) for c in letters)


PRE_TOKENIZERS = {
    "gpt-2": lambda: [_byte_level(use_regex=True)],
    "mpt": lambda: [_byte_level(use_regex=True)],
    "smollm": _digits_then_gpt2,
    "starcoder": _digits_then_gpt2,
    "refact": _digits_then_gpt2,
    "command-r": _digits_then_gpt2,
    "llama-bpe": lambda: _cl100k(r"\p{N}{1,3}"),
    "qwen2": lambda: _cl100k(r"\p{N}"),
    "qwen35": lambda: [
        _split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
               r"|\s*[\r\n]+|\s+(?!\S)|\s+"), _byte_level()],
    # Its tokenizer.json says Punctuation(contiguous), whose Unicode tables are those of 2015; this is the same set today.
    "falcon": lambda: [_split(r"[!-/:-@\[-`{-~\p{P}]+"), _byte_level(use_regex=True), _split("[0-9][0-9][0-9]")],
    "deepseek-coder": lambda: [_split(r"[\r\n]"), _split(r"\s?\p{L}+"), _split(r"\s?\p{P}+"),
                               _split("[一-龥ࠀ-一가-\ud7ff]+"), pre_tokenizers.Digits(individual_digits=True),
                               _byte_level()],
    "deepseek-llm": lambda: [_split(r"[\r\n]"), _split(r"\s?[" + _letters_with_case() + "]+"),
                             _split(r"\s?[!-/:-~！-／：-～‘-‟\u3000-。]+"), _split(r"\s+$"),
                             _split("[一-龥ࠀ-一가-\ud7ff]+"), pre_tokenizers.Digits(individual_digits=False),
                             _byte_level()],
    "deepseek-v3": lambda: [
        _split(r"\p{N}{1,3}"), _split("[一-龥\u3040-ゟ゠-ヿ]+"),
        _split(ASCII_PUNCTUATION + r"[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
               r"|\s*[\r\n]+|\s+(?!\S)|\s+"), _byte_level()],
    "gpt-4o": lambda: [_cased(r"\p{N}{1,3}", CONTRACTION, "/"), _byte_level()],
    "tekken": lambda: [_cased(r"\p{N}", "", "/"), _byte_level()],
    "tiny_aya": lambda: [_split(r"\d{1,3}(?=(?:\d{3})*\b)"), _cased(r"\p{N}{1,3}", CONTRACTION, "/"), _byte_level()],
    "superbpe": lambda: [_split(r"\p{N}+"), _split(r"(?=(\d{3})+(?!\d))"), _byte_level()],
    "bloom": lambda: [_split(r" ?[^(\s|.,!?…。，、।۔،)]+"), _byte_level()],
    "viking": lambda: [_split(r" ?[^(\s|.,!?…。，、।۔،)]+"), pre_tokenizers.Digits(individual_digits=True),
                       _byte_level()],
    "bailingmoe": lambda: [
        _split(r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]"
               r"|\s+(?!\S)|\s+"), _byte_level()],
    "seed-coder": lambda: [
        _split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+"
               r"|\s+(?!\S)|\s+"), _byte_level()],
    "exaone-moe": lambda: [
        _split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"
               r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"), _byte_level()],
    "kimi-k2": lambda: [
        _split(r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
               r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?"
               r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
               r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"),
        _byte_level()],
}
IGNORE_MERGES = {"llama-bpe", "tekken"}


def _byte_letter(byte):
    """The letter that stands for a byte in byte-level vocabularies."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    if byte in printable:
        return chr(byte)
    return chr(0x100 + sum(other not in printable for other in range(byte)))


class BytePairOracle:
    """The tokenizers package, as the model's tokenizer.json would set it up."""

    def __init__(self, vocabulary, pre=None, parse_special=False):
        pre = pre or vocabulary.pre
        merges = [(left, right) for left, _, right in (merge[1:].partition(" ") for merge in vocabulary.merges)]
        merges = [(merge[0] + left, right) for merge, (left, right) in zip(vocabulary.merges, merges)]
        ids = {text: i for i, text in reversed(list(enumerate(vocabulary.tokens)))}
        raw = pre == "gemma4"
        self.tokenizer = Tokenizer(models.BPE(vocab=ids, merges=merges, ignore_merges=pre in IGNORE_MERGES,
                                              byte_fallback=raw, fuse_unk=raw))
        if raw:
            self.tokenizer.normalizer = normalizers.Replace(" ", SPACE)
            # Longest runs first; llama.cpp and we cut at line ends, which no merge crosses.
            self.tokenizer.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(),
                                                        decoders.Fuse()])
        else:
            self.tokenizer.pre_tokenizer = pre_tokenizers.Sequence(PRE_TOKENIZERS[pre]())
            self.tokenizer.decoder = decoders.ByteLevel()
        kinds = (USER_DEFINED, CONTROL, UNKNOWN) if parse_special else (USER_DEFINED,)
        added = vocabulary.of_type(*kinds)
        self.tokenizer.add_tokens([AddedToken(text, normalized=False) for text in added])
        # A byte without a token: llama.cpp and we drop it after merging, this package before.
        self.unknown_bytes = set() if raw else {b for b in range(256) if _byte_letter(b) not in ids}
        # The package's byte-level decoder takes an added letter such as "\u00f6" for a byte: those are decoded here.
        self.letters = {ids[text]: text for text in added if not raw and not text.isascii()}

    def can_judge(self, text):
        return self.unknown_bytes.isdisjoint(text.encode())

    def encode(self, texts):
        return [encoding.ids for encoding in self.tokenizer.encode_batch(texts, add_special_tokens=False)]

    def decode(self, batch):
        return [self._decode_one(ids) for ids in batch]

    def _decode_one(self, ids):
        text, run = [], []
        for token in [*ids, None]:
            if token is not None and token not in self.letters:
                run.append(token)
                continue
            text.append(self.tokenizer.decode(run, skip_special_tokens=False))
            text.append(self.letters.get(token, ""))
            run = []
        return "".join(text)


class SentencePieceOracle:
    """The sentencepiece package, its model file rebuilt from tokens, types and scores."""

    def __init__(self, vocabulary):
        model = sentencepiece_model_pb2.ModelProto()
        for text, score, kind in zip(vocabulary.tokens, vocabulary.scores, vocabulary.types):
            # Converters write a user-defined run of spaces as spaces.
            piece = text.replace(" ", SPACE) if kind == USER_DEFINED else text
            model.pieces.add(piece=piece, score=score, type=kind)
        trainer = model.trainer_spec
        trainer.model_type = sentencepiece_model_pb2.TrainerSpec.BPE
        trainer.byte_fallback = BYTE in vocabulary.types
        trainer.vocab_size = len(vocabulary.tokens)
        trainer.unk_id = vocabulary.unk_id
        trainer.unk_piece = vocabulary.tokens[vocabulary.unk_id]
        model.pieces[vocabulary.unk_id].type = UNKNOWN  # some files call it a control token
        model.normalizer_spec.name = "identity"
        model.normalizer_spec.add_dummy_prefix = vocabulary.add_space_prefix
        model.normalizer_spec.remove_extra_whitespaces = False
        model.normalizer_spec.escape_whitespaces = True
        self.processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())

        # Where runs of spaces are user-defined tokens, sentencepiece takes a U+2581 in the text for a space already
        # when it looks for those; llama.cpp and we look in the text as it came.
        self.marks_differ = any(" " in text for text in vocabulary.of_type(USER_DEFINED))

    def can_judge(self, text):
        return not (self.marks_differ and SPACE in text)

    def encode(self, texts):
        return self.processor.encode(texts)

    def decode(self, batch):
        return self.processor.decode(batch)


def replace_broken_bytes(data):
    """What we encode in place of malformed UTF-8: U+FFFD for every byte that is no part of a character."""
    text, at = [], 0
    while at < len(data):
        for length in (1, 2, 3, 4):
            try:
                text.append(data[at:at + length].decode("utf-8"))
                at += length
                break
            except UnicodeDecodeError:
                continue
        else:
            text.append("\ufffd")
            at += 1
    return "".join(text)


