// JSON schemas of clients, checked and set up for the grammar compiler. Not for other callers.
#pragma once

#include <string>

#include "base/result.h"

namespace twostroke {

// The schema as llguidance takes it: with our white space (a space, or a line break and its
// indentation, between tokens, so that an output cannot be blank for ever) and none of the options
// that a client could smuggle in. kInvalidArgument when `text` is no JSON or neither an object nor
// a boolean, kTooLarge when it is nested deeper than `max_depth`. Errors name `field`.
Result<std::string> prepare_json_schema(const std::string& text, int max_depth,
                                        const std::string& field);

}  // namespace twostroke
