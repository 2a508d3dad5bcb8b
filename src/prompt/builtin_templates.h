// Where a chat template comes from besides the model file: the named ones below (--chat-template
// NAME) and files. Written for twostroke; they take string content and no tools.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace twostroke {

// "chatml", "gemma", …: what --chat-template takes besides a file, in the order of --help.
std::vector<std::string_view> builtin_template_names();

// The source of a built-in template, or empty.
std::string_view builtin_template(std::string_view name);

// --chat-template NAME|FILE: the built-in template of that name, else the file's text. kNotFound
// (field "chat-template") when it is neither, naming the built-in ones; kTooLarge past
// kMaxTemplateBytes.
Result<std::string> load_chat_template(const std::string& name_or_file);

// What the chat endpoint answers for a model without a template.
Error no_chat_template_error();

}  // namespace twostroke
