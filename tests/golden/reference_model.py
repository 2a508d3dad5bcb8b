#!/usr/bin/env python3
"""An independent numpy forward pass of the supported architectures, straight from a GGUF file: the oracle that the
engine's logits are compared with. Written for clarity, not speed; no KV cache, one causal pass over all tokens.

    reference_model.py logits MODEL --tokens-file IDS | --tokens 1,2,3  --out FILE [--dtype float32]
    reference_model.py generate MODEL --tokens 1,2,3 [--max-tokens 16]
    reference_model.py perplexity MODEL --tokens-file IDS [--context 512] [--chunks N]

IDS holds token ids as decimal numbers, separated by white space or commas. FILE is a golden file (see write_golden).
Needs the packages numpy and gguf.
"""
import argparse
import re
import sys

import gguf
import numpy as np

GOLDEN_MAGIC = b"TSGOLD01"


def write_golden(path, tokens, logits):
    """Little-endian: 8 bytes of magic, int32 num_tokens, int32 vocab_size, int32 token_ids[num_tokens],
    float32 logits[num_tokens][vocab_size]."""
    with open(path, "wb") as out:
        out.write(GOLDEN_MAGIC)
        np.array(logits.shape, dtype="<i4").tofile(out)
        np.array(tokens, dtype="<i4").tofile(out)
        logits.astype("<f4").tofile(out)


def read_golden(path):
    with open(path, "rb") as file:
        if file.read(8) != GOLDEN_MAGIC:
            raise ValueError(f"{path} is not a golden file")
        num_tokens, vocab_size = np.fromfile(file, "<i4", 2)
        tokens = np.fromfile(file, "<i4", num_tokens)
        return tokens, np.fromfile(file, "<f4", num_tokens * vocab_size).reshape(num_tokens, vocab_size)


def rope_frequencies(rope_dim, base, factor, yarn, divisors):
    """Radians per position for each rotated pair, and the factor on cos and sin."""
    half = rope_dim // 2
    pair = np.arange(half)
    frequency = base ** (-2.0 * pair / rope_dim)
    if divisors is not None:
        frequency = frequency / divisors
    if yarn is None:
        return frequency / factor, 1.0

    # YaRN (arXiv 2309.00071): pairs that turn often within the original context keep their frequency, slow ones are
    # interpolated, a linear ramp between; NTK-by-parts with beta_fast and beta_slow turns as the borders.
    def pair_with_turns(turns):
        return rope_dim * np.log(yarn["original_context"] / (turns * 2 * np.pi)) / (2 * np.log(base))

    low = max(0.0, np.floor(pair_with_turns(yarn["beta_fast"])))
    high = min(rope_dim - 1.0, np.ceil(pair_with_turns(yarn["beta_slow"])))
    keep = 1.0 - np.clip((pair - low) / max(0.001, high - low), 0.0, 1.0)
    keep = keep * yarn["ext_factor"]
    mixed = frequency / factor * (1 - keep) + frequency * keep
    return mixed, yarn["attn_factor"] * (1.0 + 0.1 * np.log(factor))


class ReferenceModel:
    """Weights are dequantised exactly and all arithmetic is in `dtype`."""

    ARCHITECTURES = {  # rope: rotate adjacent pairs ("norm") or halves ("neox")
        "llama": {"rope": "norm"},
        "qwen2": {"rope": "neox"},
        "qwen3": {"rope": "neox"},
        "gemma3": {"rope": "neox"},
    }

    def __init__(self, path, dtype=np.float64):
        self.dtype = dtype
        self.reader = gguf.GGUFReader(path)
        self.architecture = self.meta("general.architecture")
        if self.architecture not in self.ARCHITECTURES:
            raise ValueError(f"architecture {self.architecture} is not known here")
        self.tensors = {tensor.name: tensor for tensor in self.reader.tensors}
        self.cache = {}
        self.hidden_size = self.arch("embedding_length")
        self.num_layers = self.arch("block_count")
        self.num_heads = self.arch("attention.head_count")
        self.num_kv_heads = self.arch("attention.head_count_kv", self.num_heads)
        self.head_dim = self.arch("attention.key_length", self.hidden_size // self.num_heads)
        self.rms_eps = self.arch("attention.layer_norm_rms_epsilon")
        self.sliding_window = 0
        self.is_gemma = self.architecture == "gemma3"
        if self.is_gemma:
            self.sliding_window = self.arch("attention.sliding_window")
        self._read_rope()

    def meta(self, key, default=None):
        field = self.reader.get_field(key)
        if field is None:
            if default is None:
                raise ValueError(f"the file has no {key}")
            return default
        return field.contents()

    def arch(self, key, default=None):
        return self.meta(f"{self.architecture}.{key}", default)

    def _read_rope(self):
        rope_dim = self.arch("rope.dimension_count", self.head_dim)
        base = self.arch("rope.freq_base", 10000.0)
        scaling = self.arch("rope.scaling.type", "linear")
        factor = self.arch("rope.scaling.factor", 1.0) if scaling != "none" else 1.0
        yarn = None
        if scaling == "yarn":
            yarn = {
                "original_context": self.arch("rope.scaling.original_context_length", self.arch("context_length")),
                "beta_fast": self.arch("rope.scaling.yarn_beta_fast", 32.0),
                "beta_slow": self.arch("rope.scaling.yarn_beta_slow", 1.0),
                "ext_factor": self.arch("rope.scaling.yarn_ext_factor", 1.0),
                "attn_factor": self.arch("rope.scaling.attn_factor", 1.0),
            }
        elif scaling not in ("none", "linear"):
            raise ValueError(f"rope scaling {scaling} is not known here")
        divisors = self.weight("rope_freqs.weight").astype(np.float64) if "rope_freqs.weight" in self.tensors else None
        self.rope_dim = rope_dim
        self.rope = rope_frequencies(rope_dim, base, factor, yarn, divisors)
        self.rope_local = rope_frequencies(rope_dim, 10000.0, 1.0, None, None) if self.is_gemma else None

    def weight(self, name):
        """[rows, columns] or [columns], dequantised."""
        if name not in self.cache:
            tensor = self.tensors[name]
            values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
            self.cache[name] = values.astype(self.dtype, copy=False)
        return self.cache[name]

    def linear(self, name, x):
        y = x @ self.weight(name + ".weight").T
        return y + self.weight(name + ".bias") if name + ".bias" in self.tensors else y

    def rms_norm(self, name, x):
        scale = 1.0 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.dtype(self.rms_eps))
        return x * scale * self.weight(name + ".weight")

    def is_local(self, layer):
        return self.is_gemma and layer % 6 < 5

    def rotate(self, x, positions, local):
        """x: [tokens, heads, head_dim]"""
        frequency, magnitude = self.rope_local if local else self.rope
        angle = positions[:, None].astype(np.float64) * frequency  # [tokens, rope_dim / 2]
        cos = (np.cos(angle) * magnitude).astype(self.dtype)[:, None, :]
        sin = (np.sin(angle) * magnitude).astype(self.dtype)[:, None, :]
        rotated, rest = x[..., : self.rope_dim], x[..., self.rope_dim :]
        if self.ARCHITECTURES[self.architecture]["rope"] == "norm":
            a, b = rotated[..., 0::2], rotated[..., 1::2]
            turned = np.stack([a * cos - b * sin, a * sin + b * cos], axis=-1).reshape(rotated.shape)
        else:
            a, b = np.split(rotated, 2, axis=-1)
            turned = np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)
        return np.concatenate([turned, rest], axis=-1)

    def attention(self, layer, x):
        prefix = f"blk.{layer}."
        num_tokens = x.shape[0]
        positions = np.arange(num_tokens)
        local = self.is_local(layer)
        q = self.linear(prefix + "attn_q", x).reshape(num_tokens, self.num_heads, self.head_dim)
        k = self.linear(prefix + "attn_k", x).reshape(num_tokens, self.num_kv_heads, self.head_dim)
        v = self.linear(prefix + "attn_v", x).reshape(num_tokens, self.num_kv_heads, self.head_dim)
        if prefix + "attn_q_norm.weight" in self.tensors:
            q = self.rms_norm(prefix + "attn_q_norm", q)
            k = self.rms_norm(prefix + "attn_k_norm", k)
        q = self.rotate(q, positions, local)
        k = self.rotate(k, positions, local)
        # Every kv head serves a group of neighbouring query heads.
        group = self.num_heads // self.num_kv_heads
        q = q.reshape(num_tokens, self.num_kv_heads, group, self.head_dim)
        scores = np.einsum("tkgd,skd->kgts", q, k, optimize=True) / self.dtype(np.sqrt(self.head_dim))
        distance = positions[:, None] - positions[None, :]
        visible = distance >= 0
        if local:
            visible &= distance < self.sliding_window
        scores = np.where(visible, scores, -np.inf)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = np.einsum("kgts,skd->tkgd", scores, v, optimize=True)
        return self.linear(prefix + "attn_output", mixed.reshape(num_tokens, -1))

    def feed_forward(self, layer, x):
        prefix = f"blk.{layer}."
        gate = self.linear(prefix + "ffn_gate", x)
        if self.is_gemma:
            inner = np.sqrt(2 / np.pi).astype(self.dtype) * (gate + self.dtype(0.044715) * gate**3)
            gate = self.dtype(0.5) * gate * (1 + np.tanh(inner))
        else:
            gate = gate / (1 + np.exp(-gate))
        return self.linear(prefix + "ffn_down", gate * self.linear(prefix + "ffn_up", x))

    def hidden_states(self, tokens, last_only=False):
        """[tokens, hidden] after the final norm (or of the last token alone: [1, hidden]) for a sequence that starts at
        position 0."""
        x = self.weight("token_embd.weight")[np.asarray(tokens)].astype(self.dtype)
        if self.is_gemma:
            x = x * self.dtype(np.sqrt(np.float32(self.hidden_size)))
        for layer in range(self.num_layers):
            prefix = f"blk.{layer}."
            y = self.attention(layer, self.rms_norm(prefix + "attn_norm", x))
            if self.is_gemma:
                y = self.rms_norm(prefix + "post_attention_norm", y)
            x = x + y
            y = self.feed_forward(layer, self.rms_norm(prefix + "ffn_norm", x))
            if self.is_gemma:
                y = self.rms_norm(prefix + "post_ffw_norm", y)
            x = x + y
        return self.rms_norm("output_norm", x[-1:] if last_only else x)

    def forward(self, tokens, last_only=False):
        """Logits [tokens, vocab] (or of the last token alone: [1, vocab])."""
        x = self.hidden_states(tokens, last_only)
        return self.linear("output" if "output.weight" in self.tensors else "token_embd", x)

    def generate(self, tokens, max_tokens):
        """Greedy continuation, up to and with the end token."""
        tokens = list(tokens)
        end = self.meta("tokenizer.ggml.eos_token_id", -1)
        for _ in range(max_tokens):
            tokens.append(int(self.forward(tokens, last_only=True)[-1].argmax()))
            if tokens[-1] == end:
                break
        return tokens

    def text(self, tokens):
        """The bytes of tokens of a byte-level BPE vocabulary (gpt2), as text."""
        pieces = self.meta("tokenizer.ggml.tokens")
        byte_of = {char: byte for byte, char in enumerate(byte_level_alphabet())}
        data = bytes(byte_of[char] for token in tokens for char in pieces[token] if char in byte_of)
        return data.decode("utf-8", errors="replace")


def byte_level_alphabet():
    """GPT-2's printable stand-in for each byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    spare = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]


def log_softmax(logits):
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def perplexity(model, tokens, context, max_chunks=None, report=None):
    """llama.cpp's: whole chunks of `context` tokens, each on its own; the first half of a chunk is context only; a
    model that wants a beginning-of-sequence token gets it in place of each chunk's first."""
    num_chunks = len(tokens) // context
    if max_chunks is not None:
        num_chunks = min(num_chunks, max_chunks)
    if num_chunks < 1:
        raise ValueError(f"{len(tokens)} tokens do not fill one chunk of {context}")
    add_bos = bool(model.meta("tokenizer.ggml.add_bos_token", model.is_gemma))
    first = context // 2
    total, count = 0.0, 0
    for chunk in range(num_chunks):
        ids = np.array(tokens[chunk * context : (chunk + 1) * context])
        if add_bos:
            ids[0] = model.meta("tokenizer.ggml.bos_token_id")
        probabilities = log_softmax(model.forward(ids)[first : context - 1])
        chosen = np.array(tokens[chunk * context + first + 1 : (chunk + 1) * context])
        total -= probabilities[np.arange(len(chosen)), chosen].sum()
        count += len(chosen)
        if report:
            report(chunk + 1, num_chunks, float(np.exp(total / count)))
    return float(np.exp(total / count)), count


def read_ids(arguments):
    if arguments.tokens_file:
        with open(arguments.tokens_file, encoding="ascii") as file:
            text = file.read()
    else:
        text = arguments.tokens
    return [int(number) for number in re.split(r"[\s,]+", text.strip())]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["logits", "generate", "perplexity"])
    parser.add_argument("model")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--tokens")
    source.add_argument("--tokens-file")
    parser.add_argument("--out")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    parser.add_argument("--max-tokens", type=int, default=16)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--chunks", type=int)
    arguments = parser.parse_args()
    tokens = read_ids(arguments)
    model = ReferenceModel(arguments.model, np.dtype(arguments.dtype).type)
    if arguments.command == "logits":
        if not arguments.out:
            parser.error("logits needs --out")
        write_golden(arguments.out, tokens, model.forward(tokens))
    elif arguments.command == "generate":
        new_tokens = model.generate(tokens, arguments.max_tokens)[len(tokens) :]
        print(*new_tokens)
        if model.meta("tokenizer.ggml.model", "") == "gpt2":
            print(model.text(new_tokens))
    else:
        progress = lambda done, of, so_far: print(f"chunk {done} of {of}: {so_far:.4f}", file=sys.stderr)
        value, count = perplexity(model, tokens, arguments.context, arguments.chunks, progress)
        print(f"perplexity {value:.6f} over {count} tokens")


if __name__ == "__main__":
    main()
