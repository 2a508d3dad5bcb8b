// What one architecture file provides, and the metadata reading that they share. Adding an
// architecture: one file here with a reader, one row in registry.cpp.
#pragma once

#include <string>

#include "base/result.h"
#include "gguf/gguf_file.h"
#include "model/decoder_spec.h"

namespace twostroke {

// Fills a spec from the file's metadata; errors name the key, what was expected and what was found.
using SpecReader = Result<DecoderSpec> (*)(const GgufFile& file);

// The readers, one file each.
Result<DecoderSpec> read_llama(const GgufFile& file);
Result<DecoderSpec> read_qwen2(const GgufFile& file);
Result<DecoderSpec> read_qwen3(const GgufFile& file);
Result<DecoderSpec> read_gemma3(const GgufFile& file);

// Everything that the transformer decoders have in common: sizes, norm epsilon, RoPE and its
// scaling, checked for consistency and against stated limits. All layers global, no biases, no
// extra norms.
Result<DecoderSpec> read_common_spec(const GgufFile& file, const std::string& architecture);

}  // namespace twostroke
