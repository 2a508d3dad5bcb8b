"""The smallest vocabularies that are whole: a byte-level BPE one with a few merges, and a SentencePiece one with byte
fallback. Both have exactly `size` tokens and end with control tokens nobody uses, so that sizes can be awkward."""
import gguf

from reference_model import byte_level_alphabet

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def add_byte_level_bpe(writer, size, pre):
    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    words = ["Ġ t", "h e", "Ġt he", "i n", "e r", "Ġ a", "o n", "r e", "a t", "Ġ w", "Ġw or", "o r", "Ġa n", "Ġan d", "l d"]
    words = sorted(words, key=lambda merge: len(merge))  # parts come before wholes
    tokens = control + byte_level_alphabet() + [merge.replace(" ", "") for merge in words]
    types = [CONTROL] * len(control) + [NORMAL] * (len(tokens) - len(control))
    while len(tokens) < size:
        tokens.append(f"<|unused_{len(tokens)}|>")
        types.append(CONTROL)
    assert len(tokens) == size and len(set(tokens)) == size
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(words)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def add_sentencepiece(writer, size):
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
    types = [CONTROL, CONTROL, CONTROL, UNKNOWN, CONTROL, CONTROL]
    tokens += [f"<0x{byte:02X}>" for byte in range(256)]
    types += [BYTE] * 256
    pieces = ["▁", "e", "t", "a", "o", "n", "i", "h", "s", "r", "he", "in", "▁t", "▁the", "▁a", "er", "on", "an", "nd", "▁and"]
    tokens += pieces
    types += [NORMAL] * len(pieces)
    scores = [0.0] * (len(tokens) - len(pieces)) + [-float(len(pieces) - rank) for rank in range(len(pieces))]
    while len(tokens) < size:
        tokens.append(f"<unused{len(tokens)}>")
        types.append(CONTROL)
        scores.append(0.0)
    assert len(tokens) == size and len(set(tokens)) == size
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_pad_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_unk_token_id(3)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)


def add_tokenizer(writer: gguf.GGUFWriter, kind, size):
    if kind == "spm":
        add_sentencepiece(writer, size)
    else:
        add_byte_level_bpe(writer, size, kind)
