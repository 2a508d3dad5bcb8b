// Which file is meant when a model is named, or not named.
#pragma once

#include <string>

#include "base/result.h"

namespace twostroke {

// `path` itself, else $TWOSTROKE_MODEL, else the default model where the set-up puts it. kNotFound
// says what to do.
Result<std::string> resolve_model_path(const std::string& path);

// The file's name without folder and .gguf: the id that clients see.
std::string model_id_of(const std::string& path);

}  // namespace twostroke
