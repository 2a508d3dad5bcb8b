#include "prompt/builtin_templates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <fstream>
#include <iterator>

#include "prompt/chat_template.h"

namespace twostroke {
namespace {

struct Builtin {
  std::string_view name;
  std::string_view source;
};

constexpr std::string_view kChatml = R"({% for message in messages %}
{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' -}}
{% endfor %}
{% if add_generation_prompt %}
{{ '<|im_start|>assistant\n' -}}
{% endif %}
)";

constexpr std::string_view kLlama2 = R"({% set state = namespace(system='') %}
{% for message in messages %}
{% if message.role == 'system' %}
{% set state.system = '<<SYS>>\n' + message.content + '\n<</SYS>>\n\n' %}
{% elif message.role == 'user' %}
{{ bos_token + '[INST] ' + state.system + message.content + ' [/INST]' -}}
{% set state.system = '' %}
{% else %}
{{ ' ' + message.content + ' ' + eos_token -}}
{% endif %}
{% endfor %}
)";

constexpr std::string_view kLlama3 = R"({{ bos_token -}}
{% for message in messages %}
{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' + message.content|trim + '<|eot_id|>' -}}
{% endfor %}
{% if add_generation_prompt %}
{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
{% endif %}
)";

constexpr std::string_view kGemma = R"({{ bos_token -}}
{% set state = namespace(system='') %}
{% for message in messages %}
{% if message.role == 'system' %}
{% set state.system = message.content|trim + '\n\n' %}
{% else %}
{% set role = 'model' if message.role == 'assistant' else message.role %}
{{ '<start_of_turn>' + role + '\n' + state.system + message.content|trim + '<end_of_turn>\n' -}}
{% set state.system = '' %}
{% endif %}
{% endfor %}
{% if add_generation_prompt %}
{{ '<start_of_turn>model\n' -}}
{% endif %}
)";

constexpr std::string_view kPhi3 = R"({% for message in messages %}
{{ '<|' + message.role + '|>\n' + message.content + '<|end|>\n' -}}
{% endfor %}
{% if add_generation_prompt %}
{{ '<|assistant|>\n' -}}
{% endif %}
)";

constexpr std::string_view kZephyr = R"({% for message in messages %}
{{ '<|' + message.role + '|>\n' + message.content + eos_token + '\n' -}}
{% endfor %}
{% if add_generation_prompt %}
{{ '<|assistant|>\n' -}}
{% endif %}
)";

constexpr std::string_view kPlain = R"({% for message in messages %}
{{ message.role|capitalize + ': ' + message.content + '\n\n' -}}
{% endfor %}
{% if add_generation_prompt %}
{{ 'Assistant:' -}}
{% endif %}
)";

constexpr std::array kBuiltins = {
    Builtin{"chatml", kChatml}, Builtin{"gemma", kGemma}, Builtin{"llama2", kLlama2},
    Builtin{"llama3", kLlama3}, Builtin{"phi3", kPhi3},   Builtin{"plain", kPlain},
    Builtin{"zephyr", kZephyr},
};

}  // namespace

std::vector<std::string_view> builtin_template_names() {
  std::vector<std::string_view> names;
  for (const Builtin& builtin : kBuiltins) names.push_back(builtin.name);
  return names;
}

std::string_view builtin_template(std::string_view name) {
  for (const Builtin& builtin : kBuiltins) {
    if (builtin.name == name) return builtin.source;
  }
  return {};
}

Result<std::string> load_chat_template(const std::string& name_or_file) {
  if (const std::string_view source = builtin_template(name_or_file); !source.empty()) {
    return std::string(source);
  }
  std::ifstream file(name_or_file, std::ios::binary);
  std::string source(kMaxTemplateBytes + 1, '\0');
  if (file) file.read(source.data(), static_cast<std::streamsize>(source.size()));
  if (!file.is_open() || file.bad() || (file.fail() && !file.eof())) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("\"{}\" is neither a file that can be read nor one of {}",
                             name_or_file, fmt::join(builtin_template_names(), ", ")),
                 "chat-template"};
  }
  source.resize(static_cast<size_t>(file.gcount()));
  if (source.size() > kMaxTemplateBytes) {
    return Error{ErrorCode::kTooLarge,
                 fmt::format("{} has more than {} bytes", name_or_file, kMaxTemplateBytes),
                 "chat-template"};
  }
  return source;
}

Error no_chat_template_error() {
  return Error{ErrorCode::kUnsupported,
               "this model has no chat template; use /v1/completions or --chat-template",
               "messages"};
}

}  // namespace twostroke
