#include "prompt/chat_template.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "prompt/continue_final_message.h"
#include "prompt/marked_request.h"
#include "twostroke_ffi.h"

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxDepth = 100;  // of JSON nesting: the parser behind the border allows 128
constexpr std::array<std::string_view, 4> kOwnVariables = {"messages", "tools", "documents",
                                                           "add_generation_prompt"};

Error invalid(std::string message, std::string field) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), std::move(field)};
}

std::string take_text(TsText text) {
  std::string copy(text.data, text.length);
  ts_text_free(text);
  return copy;
}

// "line 12: what the template or its engine said"
std::string take_reason(TsText error) {
  const size_t line = error.line;
  std::string reason = take_text(error);
  return line == 0 ? reason : fmt::format("line {}: {}", line, reason);
}

// datetime.now() in Python is naive: it has no zone, and %z and %Z are empty.
std::string without_zone(std::string_view format) {
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    const bool is_escape = format[i] == '%' && i + 1 < format.size();
    if (!is_escape) {
      out += format[i];
      continue;
    }
    ++i;
    if (format[i] == 'z' || format[i] == 'Z') continue;
    out += '%';
    out += format[i];
  }
  return out;
}

size_t format_now(void* user, const char* format, size_t format_length, char* out,
                  size_t capacity) {
  const std::tm now = (*static_cast<const LocalTime*>(user))();
  return std::strftime(out, capacity, without_zone({format, format_length}).c_str(), &now);
}

template <typename AnyJson>
bool is_nested_deeper(const AnyJson& value, int levels) {
  if (!value.is_structured()) return false;
  if (levels == 0) return true;
  for (const AnyJson& item : value) {
    if (is_nested_deeper(item, levels - 1)) return true;
  }
  return false;
}

// First of all, because copying and writing JSON recurse.
template <typename AnyJson>
Status check_depth(const AnyJson& request) {
  if (!is_nested_deeper(request, kMaxDepth)) return {};
  return Error{ErrorCode::kTooLarge,
               fmt::format("the request is nested deeper than {} levels", kMaxDepth), ""};
}

// The library throws on text that is not UTF-8; this is its border.
Result<std::string> dump(const Json& value, const std::string& field) {
  try {
    return value.dump();
  } catch (const Json::exception&) {
    return invalid("a string in it is not valid UTF-8", field);
  }
}

class ContextWriter {
 public:
  Status add(const std::string& name, const Json& value, const std::string& field) {
    const std::string text = TRY(dump(value, field));
    out_ += out_.empty() ? '{' : ',';
    out_ += TRY(dump(Json(name), field));
    out_ += ':';
    out_ += text;
    if (out_.size() > kMaxContextBytes) {
      return Error{ErrorCode::kTooLarge,
                   fmt::format("the conversation has more than {} bytes of JSON", kMaxContextBytes),
                   "messages"};
    }
    return {};
  }
  std::string finish() && { return std::move(out_) + '}'; }

 private:
  std::string out_;
};

const Json* find(const Json& request, const char* name) {
  const auto it = request.find(name);
  return it == request.end() || it->is_null() ? nullptr : &*it;
}

bool flag(const Json& request, const char* name, bool otherwise) {
  const Json* value = find(request, name);
  return value != nullptr && value->is_boolean() ? value->get<bool>() : otherwise;
}

Status add_kwargs(const Json& kwargs, ContextWriter& context) {
  if (!kwargs.is_object()) return invalid("must be an object", "chat_template_kwargs");
  for (const auto& [name, value] : kwargs.items()) {
    const std::string field = "chat_template_kwargs." + name;
    for (const std::string_view own : kOwnVariables) {
      if (name == own)
        return invalid(fmt::format("{} is a field of the request itself", name), field);
    }
    TRY(context.add(name, value, field));
  }
  return {};
}

}  // namespace

std::tm system_local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return local;
}

struct ChatTemplate::Compiled {
  LocalTime now;
  std::string bos_token, eos_token;
  TsTemplate* handle = nullptr;
  std::vector<std::u32string> words;

  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() { ts_template_free(handle); }

  Result<std::string> render(const Json& messages, const Json& request,
                             bool is_traced = false) const;
};

Result<std::string> ChatTemplate::Compiled::render(const Json& messages, const Json& request,
                                                   bool is_traced) const {
  // As apply_chat_template does: special tokens, then the caller's variables over them; tools and
  // documents are None where there are none, not undefined.
  ContextWriter context;
  TRY(context.add("bos_token", bos_token, "bos_token"));
  TRY(context.add("eos_token", eos_token, "eos_token"));
  if (const Json* kwargs = find(request, "chat_template_kwargs")) TRY(add_kwargs(*kwargs, context));
  TRY(context.add("messages", messages, "messages"));
  for (const char* name : {"tools", "documents"}) {
    const Json* value = find(request, name);
    TRY(context.add(name, value == nullptr ? Json() : *value, name));
  }
  TRY(context.add("add_generation_prompt", flag(request, "add_generation_prompt", true), ""));
  const std::string json = std::move(context).finish();
  TsText result{};
  const int code = ts_template_render(handle, json.data(), json.size(), is_traced ? 1 : 0, &result);
  if (code < 0) {
    return Error{ErrorCode::kTooLarge, "the chat template is stopped, " + take_reason(result),
                 "messages"};
  }
  if (code == 0) {
    return invalid("the chat template refuses this conversation, " + take_reason(result),
                   "messages");
  }
  return take_text(result);
}

Result<ChatTemplate> ChatTemplate::create(std::string_view source, std::string_view bos_token,
                                          std::string_view eos_token, LocalTime now) {
  if (source.size() > kMaxTemplateBytes) {
    return Error{ErrorCode::kTooLarge,
                 fmt::format("the chat template has {} bytes, at most {} are taken", source.size(),
                             kMaxTemplateBytes),
                 "chat_template"};
  }
  auto compiled = std::make_unique<Compiled>();
  compiled->now = std::move(now);
  compiled->bos_token = bos_token;
  compiled->eos_token = eos_token;
  compiled->words = words_in_template(source);
  TsText error{};
  compiled->handle =
      ts_template_new(source.data(), source.size(), format_now, &compiled->now, &error);
  if (compiled->handle == nullptr) {
    return invalid("the chat template does not compile, " + take_reason(error), "chat_template");
  }
  ChatTemplate made(std::move(compiled));
  made.shape_ =
      probe_message_shape([&made](const Json& request) { return made.render_verbatim(request); });
  return made;
}

Result<std::string> ChatTemplate::render(const Json& request) const {
  TRY(check_depth(request));
  const Json* messages = request.is_object() ? find(request, "messages") : nullptr;
  if (messages == nullptr || !messages->is_array()) return invalid("must be an array", "messages");
  const Json shaped = TRY(shape_messages(*messages, shape_));
  std::string text = TRY(compiled_->render(shaped, request));
  if (!flag(request, "continue_final_message", false)) return text;
  return end_at_final_message(std::move(text), shaped);
}

Result<std::string> ChatTemplate::render_marked(const Json& request, bool is_traced) const {
  const Json shaped = TRY(shape_messages(request.at("messages"), shape_));
  return compiled_->render(shaped, request, is_traced);
}

const std::vector<std::u32string>& ChatTemplate::words() const {
  return compiled_->words;
}

Result<std::string> ChatTemplate::render(const nlohmann::json& request) const {
  TRY(check_depth(request));
  return render(Json(request));
}

Result<std::string> ChatTemplate::render_verbatim(const Json& request) const {
  TRY(check_depth(request));
  const Json* messages = request.is_object() ? find(request, "messages") : nullptr;
  if (messages == nullptr) return invalid("is missing", "messages");
  return compiled_->render(*messages, request);
}

ChatTemplate::ChatTemplate(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

}  // namespace twostroke
