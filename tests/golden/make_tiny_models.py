#!/usr/bin/env python3
"""Writes tiny random-weight GGUF models and what their logits must be, for every architecture and tensor type.

    make_tiny_models.py FOLDER [NAME...]

For each model FOLDER/NAME.gguf and FOLDER/NAME.golden (the format is in reference_model.write_golden) and
NAME.golden.hidden (the same, of the hidden states); all models, or
the named ones. Seeds are fixed, so the files are the same wherever they are made. Needs the packages numpy and gguf.
"""
import os
import sys
import zlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

from reference_model import ReferenceModel, write_golden
from tiny_tokenizers import add_tokenizer

VOCAB_SIZE = 301  # no multiple of anything

# What a model has if its row does not say otherwise.
DEFAULTS = {
    "arch": "llama",
    "layers": 3,
    "hidden": 64,
    "ffn": 96,
    "heads": 4,
    "kv_heads": 2,
    "head_dim": 16,
    "type": Type.F32,
    "types": {},  # by the name's part after blk.N., over "type"
    "tied": False,
    "rope_base": 10000.0,
    "rope": {},
    "rope_freqs": False,
    "window": 0,
    "prompt": 24,
    "tokenizer": "smollm",
}

K_SHAPE = {"layers": 2, "hidden": 256, "ffn": 512, "heads": 4, "kv_heads": 2, "head_dim": 64}
GEMMA = {"arch": "gemma3", "layers": 7, "heads": 4, "kv_heads": 1, "head_dim": 32, "tied": True, "window": 8,
         "rope_base": 1e6, "prompt": 40, "tokenizer": "spm"}  # fmt: skip
QWEN3 = {"arch": "qwen3", "head_dim": 32, "tied": True, "rope_base": 1e6, "tokenizer": "qwen2"}
QWEN2 = {"arch": "qwen2", "rope_base": 1e6, "tokenizer": "qwen2"}
YARN = {"type": "yarn", "factor": 4.0, "original": 16}

MODELS = {
    "llama-f32": {"prompt": 300},  # past 256 keys, where long attention is cut
    "llama-f16": {"type": Type.F16},
    "llama-bf16": {"type": Type.BF16},
    "llama-q4_0": {"type": Type.Q4_0},
    "llama-q4_1": {"type": Type.Q4_1},
    "llama-q5_0": {"type": Type.Q5_0},
    "llama-q5_1": {"type": Type.Q5_1},
    "llama-q8_0": {"type": Type.Q8_0},
    "llama-iq4_nl": {"type": Type.IQ4_NL},
    "llama-mxfp4": {"type": Type.MXFP4},
    "llama-q2_k": {"type": Type.Q2_K, **K_SHAPE},
    "llama-q3_k": {"type": Type.Q3_K, **K_SHAPE},
    "llama-q4_k": {"type": Type.Q4_K, **K_SHAPE},
    "llama-q5_k": {"type": Type.Q5_K, **K_SHAPE},
    "llama-q6_k": {"type": Type.Q6_K, **K_SHAPE},
    "llama-iq4_xs": {"type": Type.IQ4_XS, **K_SHAPE},
    "llama-tied": {"type": Type.Q4_1, "types": {"token_embd": Type.Q8_0}, "tied": True},  # as SmolLM2
    "llama-linear": {"rope": {"type": "linear", "factor": 4.0}, "prompt": 48},
    "llama-llama3": {"rope_freqs": True, "rope_base": 500000.0, "prompt": 48},
    "llama-yarn": {"rope": YARN, "prompt": 48},
    "llama-one-head": {"heads": 1, "kv_heads": 1, "head_dim": 64},
    "qwen2-f32": QWEN2,
    "qwen2-tied-q8_0": {**QWEN2, "type": Type.Q8_0, "tied": True},
    "qwen2-yarn": {**QWEN2, "rope": YARN, "prompt": 48},
    "qwen3-f32": QWEN3,
    "qwen3-untied-q5_0": {**QWEN3, "type": Type.Q5_0, "tied": False},
    "gemma3-f32": {**GEMMA, "prompt": 300},
    "gemma3-linear": {**GEMMA, "rope": {"type": "linear", "factor": 8.0}},
    "gemma3-mixed": {  # as Q4_K_M files are
        **GEMMA, **K_SHAPE, "kv_heads": 1, "layers": 6, "type": Type.Q5_0,
        "types": {"token_embd": Type.Q8_0, "attn_v": Type.Q8_0, "attn_output": Type.Q4_K, "ffn_down": Type.Q6_K},
    },  # fmt: skip
}

# Types that gguf cannot quantise to: where the f16 scales of a block are, and the ratio of dmin to d that centres the
# values.
RANDOM_BLOCKS = {
    Type.Q2_K: {"d": 80, "dmin": (82, 1.5)},
    Type.Q3_K: {"d": 108},
    Type.Q4_K: {"d": 0, "dmin": (2, 7.5)},
    Type.Q5_K: {"d": 0, "dmin": (2, 15.5)},
    Type.Q6_K: {"d": 208},
    Type.IQ4_NL: {"d": 0},
    Type.IQ4_XS: {"d": 0},
}


def random_blocks(random, shape, std, qtype):
    """Bytes of a valid tensor: random codes and sub-scales, block scales such that values spread as `std` says."""
    elements, size = gguf.GGML_QUANT_SIZES[qtype]
    layout = RANDOM_BLOCKS[qtype]
    blocks = random.integers(0, 256, (int(np.prod(shape)) // elements, size), dtype=np.uint8)

    def put(offset, scales):
        blocks[:, offset : offset + 2] = scales.astype("<f2")[:, None].view(np.uint8)

    def put_scales(scales):
        put(layout["d"], scales)
        if "dmin" in layout:
            offset, ratio = layout["dmin"]
            put(offset, scales * ratio)

    put_scales(np.ones(len(blocks)))
    unit = gguf.quants.dequantize(blocks, qtype).std()
    put_scales(std / unit * random.uniform(0.5, 1.5, len(blocks)))
    return blocks.reshape(*shape[:-1], shape[-1] // elements * size)


class TinyModel:
    def __init__(self, name, folder):
        self.path = os.path.join(folder, name + ".gguf")
        self.golden_path = os.path.join(folder, name + ".golden")
        self.config = {**DEFAULTS, **MODELS[name]}
        self.random = np.random.default_rng(zlib.crc32(name.encode()))
        self.writer = gguf.GGUFWriter(self.path, self.config["arch"])
        self.writer.add_name("tiny " + name)

    def matrix(self, name, rows, columns, std=None):
        kind = name.split(".")[-2] if name.startswith("blk.") else name.split(".")[0]
        qtype = self.config["types"].get(kind, self.config["type"])
        std = std or 1 / np.sqrt(columns)
        if qtype in RANDOM_BLOCKS:
            data = random_blocks(self.random, (rows, columns), std, qtype)
        else:
            data = gguf.quants.quantize(self.random.normal(0, std, (rows, columns)).astype(np.float32), qtype)
        self.writer.add_tensor(name, np.ascontiguousarray(data), raw_dtype=qtype)

    def vector(self, name, values):
        self.writer.add_tensor(name, values.astype(np.float32))

    def norm(self, name, size):
        self.vector(name, 1 + 0.2 * self.random.normal(0, 1, size))

    def write_metadata(self):
        config, writer = self.config, self.writer
        writer.add_context_length(512)
        writer.add_embedding_length(config["hidden"])
        writer.add_block_count(config["layers"])
        writer.add_feed_forward_length(config["ffn"])
        writer.add_head_count(config["heads"])
        writer.add_head_count_kv(config["kv_heads"])
        if config["head_dim"] * config["heads"] != config["hidden"] or config["arch"] == "qwen3":
            writer.add_key_length(config["head_dim"])
            writer.add_value_length(config["head_dim"])
        if config["arch"] == "llama":
            writer.add_vocab_size(VOCAB_SIZE)
            writer.add_rope_dimension_count(config["head_dim"])
        writer.add_layer_norm_rms_eps(1e-5 if config["arch"] == "llama" else 1e-6)
        writer.add_rope_freq_base(config["rope_base"])
        if config["window"]:
            writer.add_sliding_window(config["window"])
        rope = config["rope"]
        if rope:
            writer.add_rope_scaling_type(gguf.RopeScalingType(rope["type"]))
            writer.add_rope_scaling_factor(rope["factor"])
            if "original" in rope:
                writer.add_rope_scaling_orig_ctx_len(rope["original"])
        add_tokenizer(writer, config["tokenizer"], VOCAB_SIZE)

    def write_layer(self, layer):
        config, prefix = self.config, f"blk.{layer}."
        hidden, ffn, head_dim = config["hidden"], config["ffn"], config["head_dim"]
        q_size, kv_size = config["heads"] * head_dim, config["kv_heads"] * head_dim
        self.norm(prefix + "attn_norm.weight", hidden)
        for name, rows in ("attn_q", q_size), ("attn_k", kv_size), ("attn_v", kv_size):
            # Larger than usual, so that attention is far from flat and mistakes in position show.
            self.matrix(f"{prefix}{name}.weight", rows, hidden, std=1.5 / np.sqrt(hidden))
            if config["arch"] == "qwen2":
                self.vector(f"{prefix}{name}.bias", 0.3 * self.random.normal(0, 1, rows))
        if config["arch"] in ("qwen3", "gemma3"):
            self.norm(prefix + "attn_q_norm.weight", head_dim)
            self.norm(prefix + "attn_k_norm.weight", head_dim)
        self.matrix(prefix + "attn_output.weight", hidden, q_size)
        self.norm(prefix + "ffn_norm.weight", hidden)
        if config["arch"] == "gemma3":
            self.norm(prefix + "post_attention_norm.weight", hidden)
            self.norm(prefix + "post_ffw_norm.weight", hidden)
        self.matrix(prefix + "ffn_gate.weight", ffn, hidden)
        self.matrix(prefix + "ffn_up.weight", ffn, hidden)
        self.matrix(prefix + "ffn_down.weight", hidden, ffn)

    def rope_freqs(self):
        """Llama 3.1's divisors as the converter writes them: fast pairs 1, slow ones 8, smooth between."""
        config = self.config
        factor, low, high, original = 8.0, 1.0, 4.0, 64.0
        frequency = config["rope_base"] ** (-np.arange(0, config["head_dim"], 2) / config["head_dim"])
        turns = original * frequency / (2 * np.pi)  # within the original context
        smooth = np.clip((turns - low) / (high - low), 0, 1)
        return 1 / ((1 - smooth) / factor + smooth)

    def write(self):
        config = self.config
        self.write_metadata()
        # Unit rows for a head that shares them; gemma3 multiplies embeddings by sqrt(hidden) itself.
        hidden = config["hidden"]
        self.matrix("token_embd.weight", VOCAB_SIZE, hidden, std=2 / np.sqrt(hidden) if config["tied"] else 1.0)
        if config["rope_freqs"]:
            self.vector("rope_freqs.weight", self.rope_freqs())
        for layer in range(config["layers"]):
            self.write_layer(layer)
        self.norm("output_norm.weight", hidden)
        if not config["tied"]:
            self.matrix("output.weight", VOCAB_SIZE, hidden, std=2 / np.sqrt(hidden))
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()

    def write_golden(self):
        tokens = self.random.integers(0, VOCAB_SIZE, self.config["prompt"])
        reference = ReferenceModel(self.path)
        write_golden(self.golden_path, tokens, reference.forward(tokens))
        write_golden(self.golden_path + ".hidden", tokens, reference.hidden_states(tokens))


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    folder = sys.argv[1]
    names = sys.argv[2:] or list(MODELS)
    os.makedirs(folder, exist_ok=True)
    for name in names:
        if name not in MODELS:
            sys.exit(f"no model {name}; there are: {' '.join(MODELS)}")
        model = TinyModel(name, folder)
        model.write()
        model.write_golden()
    print(f"wrote {len(names)} models to {folder}")


if __name__ == "__main__":
    main()
