#include "server/reply_assembly.h"

#include <algorithm>
#include <random>

namespace twostroke {

using Kind = ReplyDelta::Kind;

std::string random_id(size_t num_chars) {
  constexpr std::string_view kAlphabet =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  // The device itself: ids of stored responses keep strangers out.
  thread_local std::random_device device;
  std::uniform_int_distribution<size_t> pick(0, kAlphabet.size() - 1);
  std::string id;
  for (size_t i = 0; i < num_chars; ++i) id += kAlphabet[pick(device)];
  return id;
}

const ReplyPart& ReplyAssembly::add(const ReplyDelta& delta) {
  if (delta.kind == Kind::kToolCall) {
    std::string id = format_ == ToolCallFormat::kMistral ? random_id(9) : "call_" + random_id(24);
    parts_.push_back({Kind::kToolCall, "", delta.text, std::move(id)});
    return parts_.back();
  }
  const Kind kind = delta.kind == Kind::kToolArguments ? Kind::kToolCall : delta.kind;
  if (parts_.empty() || parts_.back().kind != kind) parts_.push_back({kind, "", "", ""});
  parts_.back().text += delta.text;
  return parts_.back();
}

bool ReplyAssembly::has_calls() const {
  return std::ranges::any_of(parts_,
                             [](const ReplyPart& it) { return it.kind == Kind::kToolCall; });
}

std::string ReplyAssembly::joined(Kind kind) const {
  std::string text;
  for (const ReplyPart& part : parts_) {
    if (part.kind == kind) text += part.text;
  }
  return text;
}

}  // namespace twostroke
