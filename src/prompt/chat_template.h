// ChatTemplate: a model's own Jinja template, which turns a conversation into the text the model
// was trained on. It is not a tokenizer and knows no HTTP. The engine behind it is minijinja
// (ffi/), set up as Hugging Face sets up Jinja2, on a budget of work, memory and depth: a hostile
// template is an error, never a hang. Immutable after create(): any number of threads may render at
// once.
#pragma once

#include <ctime>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "prompt/message_shape.h"

namespace twostroke {

inline constexpr size_t kMaxTemplateBytes = size_t{1} << 20;
inline constexpr size_t kMaxContextBytes = size_t{32} << 20;  // of JSON for one rendering

// What strftime_now() in a template sees; called from every thread that renders.
using LocalTime = std::function<std::tm()>;
std::tm system_local_time();

class ChatTemplate {
 public:
  // Compiles the template and finds out which message shapes it takes. kInvalidArgument, with the
  // line and the reason, when it does not compile.
  static Result<ChatTemplate> create(std::string_view source, std::string_view bos_token,
                                     std::string_view eos_token, LocalTime now = system_local_time);

  // `request` is a chat request's object: messages and, where wanted, tools, documents,
  // add_generation_prompt (default true), continue_final_message, chat_template_kwargs (further
  // variables). Messages are brought into the shape the template takes. ordered_json keeps the
  // client's key order, as Python does: prefer it; json sorts keys. kInvalidArgument when the
  // template refuses the conversation, with its line and words.
  Result<std::string> render(const nlohmann::ordered_json& request) const;
  Result<std::string> render(const nlohmann::json& request) const;

  // The same without touching the messages: what the template itself makes of them.
  Result<std::string> render_verbatim(const nlohmann::ordered_json& request) const;

  // The same for a marked request (marked_request.h): up to the end of the whole conversation, also
  // where the final message is to be continued. `is_traced`: as ts_template_render says.
  Result<std::string> render_marked(const nlohmann::ordered_json& request, bool is_traced) const;

  // The quoted words in the template's code, which it may compare a text with.
  const std::vector<std::u32string>& words() const;

  // Whether the template reads content that is a list of parts; where not, render() joins the text
  // parts.
  bool accepts_content_parts() const { return shape_.content != ContentShape::kStringOnly; }
  const MessageShape& shape() const { return shape_; }

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

 private:
  struct Compiled;
  explicit ChatTemplate(std::unique_ptr<Compiled> compiled);

  std::unique_ptr<Compiled> compiled_;
  MessageShape shape_;
};

}  // namespace twostroke
