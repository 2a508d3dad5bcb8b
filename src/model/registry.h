// The architectures that this build runs, by the name in the file's general.architecture.
#pragma once

#include <string>

#include "base/result.h"
#include "gguf/gguf_file.h"
#include "model/decoder_spec.h"

namespace twostroke {

// Errors: kUnsupported for an unknown architecture (the message lists the known ones), or the
// reader's own.
Result<DecoderSpec> read_decoder_spec(const GgufFile& file);

// "llama, qwen2, ...", for messages and help.
std::string architecture_names();

}  // namespace twostroke
