// Reads a VocabData out of a GGUF file's `tokenizer.*` metadata, with llama.cpp's defaults where
// keys are missing.
#pragma once

#include <string_view>

#include "base/result.h"
#include "tokenizer/pre_tokenizer_table.h"
#include "tokenizer/vocab_data.h"

namespace twostroke {

class GgufFile;

// The result's views point into `file`.
Result<VocabData> load_vocab_data(const GgufFile& file);

// The profile of that name, or an error that lists the known ones.
Result<const PreTokenizerProfile*> get_pre_tokenizer(std::string_view name);

}  // namespace twostroke
