// Reads typed fields of a JSON object. Absent and null are the same: nullopt. A wrong type or a
// value out of range is kInvalidArgument with the field's name, what was expected and what was
// found.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace twostroke {

constexpr int64_t kMaxInt = std::numeric_limits<int32_t>::max();

// "a string", "an array", ... for messages.
std::string_view json_type_name(const nlohmann::ordered_json& value);

// The field when it is there and not null.
const nlohmann::ordered_json* find_field(const nlohmann::ordered_json& object, const char* name);

Error invalid_field(std::string field, std::string message);  // kInvalidArgument
Error wrong_type(std::string_view field, std::string_view expected,
                 const nlohmann::ordered_json& found);

Result<std::optional<bool>> read_bool(const nlohmann::ordered_json& object, const char* name);
// Accepts 5.0 for 5: JSON does not tell them apart.
Result<std::optional<int64_t>> read_int(const nlohmann::ordered_json& object, const char* name,
                                        int64_t min, int64_t max);
Result<std::optional<double>> read_number(const nlohmann::ordered_json& object, const char* name,
                                          double min, double max);
Result<std::optional<std::string>> read_string(const nlohmann::ordered_json& object,
                                               const char* name, size_t max_bytes);
// An array of at most `max_size` ids below `vocab_size`. `field` is for messages.
Result<std::vector<TokenId>> read_token_ids(const nlohmann::ordered_json& value,
                                            const std::string& field, int vocab_size,
                                            size_t max_size = SIZE_MAX);

// The same, and what is absent leaves `into` as it is.
Status read_into(const nlohmann::ordered_json& object, const char* name, bool& into);
Status read_into(const nlohmann::ordered_json& object, const char* name, int64_t min, int64_t max,
                 int& into);
Status read_into(const nlohmann::ordered_json& object, const char* name, double min, double max,
                 float& into);

}  // namespace twostroke
