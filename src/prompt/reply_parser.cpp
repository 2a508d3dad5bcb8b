#include "prompt/reply_parser.h"

#include <algorithm>
#include <utility>

namespace twostroke {
namespace {

using Kind = ReplyDelta::Kind;
using ReadStatus = CallReader::Status;

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

constexpr std::string_view kGemma4 = "<|tool_call>";

}  // namespace

ReplyParser::ReplyParser(ReplyParserOptions options) : options_(std::move(options)) {
  using enum Place;
  switch (options_.format.tools) {
    case ToolCallFormat::kHermes:
      markers_ = {{"<tool_call>", kAnywhere, true}, {"</tool_call>", kAfterCall, false}};
      break;
    case ToolCallFormat::kLlama3Json:
      markers_ = {{"<|python_tag|>", kAnywhere, true},
                  {"{", kAtStart, true},
                  {";", kAfterCall, false},
                  {",", kAfterCall, false}};
      break;
    case ToolCallFormat::kMistral:
      markers_ = {{"[TOOL_CALLS]", kAnywhere, true}};
      break;
    case ToolCallFormat::kGemma:
      markers_ = {{kGemma4, kAnywhere, true}, {"<start_function_call>", kAnywhere, true}};
      break;
    case ToolCallFormat::kFunctionaryV31:
      markers_ = {{"<function=", kAnywhere, true}, {"</function>", kAfterCall, false}};
      break;
    case ToolCallFormat::kFunctionaryV32:
      markers_ = {{">>>", kAnywhere, true}};
      break;
    case ToolCallFormat::kDeepseek:
      markers_ = {{"<｜tool▁calls▁begin｜>", kAnywhere, true},
                  {"<｜tool▁call▁begin｜>", kAnywhere, true},
                  {"```", kAfterCall, false},
                  {"<｜tool▁call▁end｜>", kAfterCall, false},
                  {"<｜tool▁calls▁end｜>", kAfterCall, false}};
      break;
    case ToolCallFormat::kNone:
      break;
  }
  if (!options_.format.reasoning.empty()) {
    mode_ = options_.starts_in_reasoning ? Mode::kReasoning : Mode::kBeforeReasoning;
    skips_space_ = true;
  } else if (options_.format.tools == ToolCallFormat::kFunctionaryV32) {
    open_call(markers_.front());  // the prompt ends with the marker
    call_text_.clear();
    marker_bytes_ = 0;
  }
}

ReplyParser::~ReplyParser() = default;

void ReplyParser::push(std::string_view text, std::vector<ReplyDelta>& out) {
  out_ = &out;
  todo_ += text;
  run();
  todo_.clear();
  todo_at_ = 0;
}

void ReplyParser::run() {
  while (todo_at_ < todo_.size()) take(todo_[todo_at_++]);
}

void ReplyParser::finish(std::vector<ReplyDelta>& out) {
  out_ = &out;
  while (mode_ == Mode::kCall) {
    if (reader_->finish(*this) == ReadStatus::kDone) {
      end_call(ReadStatus::kDone, '\0');
    } else {
      give_up_call();
    }
    run();
  }
  const Kind kind = mode_ == Mode::kReasoning ? Kind::kReasoning : Kind::kContent;
  const bool after_call = num_calls_ > 0 && !has_text_;
  if (!pending_.empty()) {
    emit(kind, std::exchange(space_, {}));
    emit(kind, std::exchange(pending_, {}));
  } else if (!after_call && mode_ != Mode::kReasoning) {
    emit(kind, std::exchange(space_, {}));
  }
  space_.clear();
}

void ReplyParser::take(char c) {
  switch (mode_) {
    case Mode::kBeforeReasoning:
      return take_before_reasoning(c);
    case Mode::kReasoning:
      return take_reasoning(c);
    case Mode::kContent:
      return take_content(c);
    case Mode::kCall:
      return take_call(c);
  }
}

// The opening tag counts at the very start alone: later it is something the model talks about.
void ReplyParser::take_before_reasoning(char c) {
  const std::string_view open = options_.format.reasoning.open;
  if (pending_.empty() && is_space(c)) {
    space_ += c;
    return;
  }
  pending_ += c;
  if (!open.starts_with(pending_)) {
    mode_ = Mode::kContent;
    skips_space_ = false;
    std::string again = std::exchange(space_, {}) + std::exchange(pending_, {});
    todo_.replace(0, todo_at_, again);
    todo_at_ = 0;
  } else if (pending_ == open) {
    pending_.clear();
    space_.clear();
    mode_ = Mode::kReasoning;
  }
}

void ReplyParser::take_reasoning(char c) {
  const std::string_view close = options_.format.reasoning.close;
  pending_ += c;
  while (!pending_.empty() && !close.starts_with(pending_)) {
    emit_held(Kind::kReasoning, pending_.front());
    pending_.erase(0, 1);
  }
  if (pending_ != close) return;
  pending_.clear();
  space_.clear();
  mode_ = Mode::kContent;
  skips_space_ = true;
}

bool ReplyParser::is_active(const Marker& marker) const {
  if (num_failed_calls_ >= kMaxFailedCalls || num_calls_ >= kMaxCallsPerReply) return false;
  switch (marker.place) {
    case Place::kAnywhere:
      return true;
    case Place::kAtStart:
      return !has_text_;
    case Place::kAfterCall:
      return num_calls_ > 0 && !has_text_;
  }
  return false;
}

void ReplyParser::take_content(char c) {
  if (options_.single_call && num_calls_ > 0) return;
  pending_ += c;
  while (!pending_.empty()) {
    bool may_come = false;
    for (const Marker& marker : markers_) {
      if (!is_active(marker) || !marker.text.starts_with(pending_)) continue;
      if (marker.text != pending_) {
        may_come = true;
        continue;
      }
      if (marker.opens_calls) return open_call(marker);
      pending_.clear();
      return;
    }
    if (may_come) return;
    emit_held(Kind::kContent, pending_.front());
    pending_.erase(0, 1);
  }
}

std::unique_ptr<CallReader> ReplyParser::reader_for(const Marker& marker) const {
  const IsKnownTool any = [](std::string_view) { return true; };
  const IsKnownTool known = [this](std::string_view name) {
    return std::ranges::find(options_.tool_names, name) != options_.tool_names.end();
  };
  switch (options_.format.tools) {
    case ToolCallFormat::kHermes:
      return make_json_call_reader(any);
    case ToolCallFormat::kLlama3Json:
      // A bare object may be an answer that happens to be JSON.
      if (marker.place == Place::kAtStart) return make_json_call_reader(known);
      return make_either_reader('{', make_json_call_reader(any), make_python_call_reader());
    case ToolCallFormat::kMistral:
      return make_either_reader(
          '[', make_json_array_reader(any),
          make_named_call_reader(
              {.delimiter = "[ARGS]", .needs_delimiter = false, .id_word = "[CALL_ID]"}, any));
    case ToolCallFormat::kGemma:
      return marker.text == kGemma4 ? make_gemma_call_reader("<|\"|>", "<tool_call|>")
                                    : make_gemma_call_reader("<escape>", "<end_function_call>");
    case ToolCallFormat::kFunctionaryV31:
      return make_named_call_reader({.delimiter = ">"}, any);
    case ToolCallFormat::kFunctionaryV32:
      return make_named_call_reader({.delimiter = "\n", .content_name = "all"}, known);
    case ToolCallFormat::kDeepseek:
      return make_named_call_reader(
          {.skip = "<｜tool▁sep｜>", .delimiter = "\n", .fence = "```json"}, any);
    case ToolCallFormat::kNone:
      break;
  }
  return nullptr;
}

void ReplyParser::open_call(const Marker& marker) {
  reader_ = reader_for(marker);
  mode_ = Mode::kCall;
  call_text_ = std::exchange(pending_, {});
  marker_bytes_ = call_text_.size();
  // Llama's marker is the call's own first character.
  if (marker.text == "{") reader_->push('{', *this);
}

void ReplyParser::take_call(char c) {
  const ReadStatus status = reader_->push(c, *this);
  call_text_ += c;
  if (status == ReadStatus::kMore) return;
  if (status == ReadStatus::kNotACall) return give_up_call();
  end_call(status, c);
}

void ReplyParser::end_call(ReadStatus status, char c) {
  mode_ = Mode::kContent;
  if (status == ReadStatus::kContent) {
    reader_.reset();
    return;
  }
  // What came before a call and is only white space belongs to the format.
  space_.clear();
  has_text_ = false;
  skips_space_ = false;
  std::string rest = reader_->take_rest();
  if (status == ReadStatus::kDoneByNext) rest += c;
  reader_.reset();
  todo_.replace(0, todo_at_, rest);
  todo_at_ = 0;
}

// The marker is content, and what followed it is looked at again: it may hold a real one.
void ReplyParser::give_up_call() {
  ++num_failed_calls_;
  reader_.reset();
  mode_ = Mode::kContent;
  const std::string text = std::exchange(call_text_, {});
  for (size_t i = 0; i < marker_bytes_; ++i) emit_held(Kind::kContent, text[i]);
  todo_.replace(0, todo_at_, text, marker_bytes_);
  todo_at_ = 0;
}

// White space waits for the text that follows it: before a call or a closing tag it is left away.
void ReplyParser::emit_held(Kind kind, char c) {
  if (is_space(c)) {
    if (!skips_space_) space_ += c;
    return;
  }
  skips_space_ = false;
  emit(kind, std::exchange(space_, {}));
  emit(kind, {&c, 1});
  if (kind == Kind::kContent) has_text_ = true;
}

void ReplyParser::emit(Kind kind, std::string_view text) {
  if (text.empty()) return;
  const int call = kind == Kind::kToolArguments ? num_calls_ - 1 : -1;
  if (!out_->empty() && out_->back().kind == kind && out_->back().call == call) {
    out_->back().text += text;
  } else {
    out_->push_back({kind, call, std::string(text)});
  }
}

void ReplyParser::start_call(std::string_view name) {
  space_.clear();
  drops_call_ = num_calls_ >= (options_.single_call ? 1 : kMaxCallsPerReply);
  if (drops_call_) return;
  out_->push_back({Kind::kToolCall, num_calls_++, std::string(name)});
}

void ReplyParser::add_arguments(std::string_view text) {
  if (!drops_call_) emit(Kind::kToolArguments, text);
}

}  // namespace twostroke
