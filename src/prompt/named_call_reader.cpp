// The readers of calls that name the tool outside the JSON, and of the choice between two readers.
#include <algorithm>
#include <cctype>
#include <utility>

#include "prompt/call_reader.h"
#include "prompt/json_value_scanner.h"

namespace twostroke {
namespace {

using Status = CallReader::Status;

constexpr size_t kMaxHeaderBytes = 512;

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool is_tool_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.' ||
           c == ':' || c == '/';
  });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

class NamedCallReader final : public CallReader {
 public:
  NamedCallReader(const NamedCallWords& words, IsKnownTool accept)
      : words_(words), accept_(std::move(accept)) {}

  Status push(char c, CallSink& sink) override {
    if (in_arguments_) {
      sink.add_arguments({&c, 1});
      return scanner_.push(c) == JsonValueScanner::Status::kDone ? Status::kDone : Status::kMore;
    }
    if (c == '{') return open_arguments(sink);
    header_ += c;
    if (header_.size() > kMaxHeaderBytes) return Status::kNotACall;
    if (!words_.content_name.empty() && c == '\n' && trimmed(header_) == words_.content_name) {
      return Status::kContent;
    }
    return is_possible() ? Status::kMore : Status::kNotACall;
  }

  Status finish(CallSink&) override { return in_arguments_ ? Status::kDone : Status::kMore; }

 private:
  // What comes before the name, and the name with what comes after it.
  struct Header {
    std::string_view name, after;
    bool has_delimiter = false;
  };

  Header split() const {
    Header header;
    std::string_view text = header_;
    if (const size_t at = text.find(words_.skip); !words_.skip.empty() && at != text.npos) {
      text.remove_prefix(at + words_.skip.size());
    }
    text = text.substr(std::min(text.size(), text.find_first_not_of(" \t\r\n")));
    const size_t end = text.find(words_.delimiter);
    header.name = text.substr(0, end);
    if (!words_.id_word.empty()) {
      header.name = header.name.substr(0, header.name.find(words_.id_word));
    }
    if (end != text.npos) {
      header.has_delimiter = true;
      header.after = trimmed(text.substr(end + words_.delimiter.size()));
    }
    return header;
  }

  // Whether a call can still come of this header: as soon as the name is over it is checked.
  bool is_possible() const {
    const Header header = split();
    if (!header.has_delimiter) return true;
    const std::string_view expected = words_.fence.substr(0, header.after.size());
    return is_tool_name(trimmed(header.name)) && header.after == expected;
  }

  Status open_arguments(CallSink& sink) {
    const Header header = split();
    const std::string_view name = trimmed(header.name);
    const bool delimited = header.has_delimiter || !words_.needs_delimiter;
    const bool fenced = header.after.empty() || header.after == words_.fence;
    if (!delimited || !fenced || !is_tool_name(name) || !accept_(name)) return Status::kNotACall;
    sink.start_call(name);
    in_arguments_ = true;
    return push('{', sink);
  }

  NamedCallWords words_;
  IsKnownTool accept_;
  JsonValueScanner scanner_;
  std::string header_;
  bool in_arguments_ = false;
};

class EitherReader final : public CallReader {
 public:
  EitherReader(char bracket, std::unique_ptr<CallReader> with, std::unique_ptr<CallReader> without)
      : bracket_(bracket), with_(std::move(with)), without_(std::move(without)) {}

  Status push(char c, CallSink& sink) override {
    if (!chosen_) {
      if (is_space(c)) return Status::kMore;
      chosen_ = std::move(c == bracket_ ? with_ : without_);
    }
    return chosen_->push(c, sink);
  }
  Status finish(CallSink& sink) override { return chosen_ ? chosen_->finish(sink) : Status::kMore; }
  std::string take_rest() override { return chosen_ ? chosen_->take_rest() : std::string(); }

 private:
  char bracket_;
  std::unique_ptr<CallReader> with_, without_, chosen_;
};

}  // namespace

std::unique_ptr<CallReader> make_named_call_reader(const NamedCallWords& words,
                                                   IsKnownTool accept) {
  return std::make_unique<NamedCallReader>(words, std::move(accept));
}

std::unique_ptr<CallReader> make_either_reader(char bracket, std::unique_ptr<CallReader> with,
                                               std::unique_ptr<CallReader> without) {
  return std::make_unique<EitherReader>(bracket, std::move(with), std::move(without));
}

}  // namespace twostroke
