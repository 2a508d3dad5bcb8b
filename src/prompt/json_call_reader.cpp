// The readers of calls that are JSON objects.
#include <nlohmann/json.hpp>
#include <utility>

#include "prompt/call_reader.h"
#include "prompt/json_value_scanner.h"

namespace twostroke {
namespace {

using Status = CallReader::Status;

constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxHeldBytes = size_t{256} << 10;  // arguments that came before the name

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// The text of a JSON string; nothing when it is none.
std::optional<std::string> decode_string(const std::string& json) {
  const auto value = nlohmann::json::parse(json, nullptr, false);
  if (!value.is_string()) return std::nullopt;
  return value.get<std::string>();
}

class JsonCallReader final : public CallReader {
 public:
  explicit JsonCallReader(IsKnownTool accept) : accept_(std::move(accept)) {}

  Status push(char c, CallSink& sink) override {
    const bool after_arguments = announced_ && has_arguments_;
    const Status status = push_one(c, sink);
    if (after_arguments && status == Status::kMore) rest_ += c;
    if (status == Status::kDone) rest_.clear();  // an object that closes holds nothing else to say
    return status;
  }

  Status finish(CallSink&) override { return announced_ ? Status::kDone : Status::kMore; }
  std::string take_rest() override { return std::move(rest_); }

 private:
  enum class At { kOpen, kKeyOrEnd, kKeyAgain, kKey, kColon, kValue, kInValue, kCommaOrEnd };

  Status push_one(char c, CallSink& sink) {
    switch (at_) {
      case At::kOpen:
        if (is_space(c)) return Status::kMore;
        return c == '{' ? go(At::kKeyOrEnd) : fail();
      case At::kKeyOrEnd:
      case At::kKeyAgain:
        if (is_space(c)) return Status::kMore;
        if (c == '}' && at_ == At::kKeyOrEnd) return end(sink);
        return c == '"' ? begin_key() : fail();
      case At::kKey:
        return push_key(c);
      case At::kColon:
        if (is_space(c)) return Status::kMore;
        return c == ':' ? go(At::kValue) : fail();
      case At::kValue:
        if (is_space(c)) return Status::kMore;
        scanner_ = {};
        text_.clear();
        return begin_value(c, sink);
      case At::kInValue:
        return push_value(c, sink);
      case At::kCommaOrEnd:
        if (is_space(c)) return Status::kMore;
        if (c == ',') return go(At::kKeyAgain);
        return c == '}' ? end(sink) : fail();
    }
    return fail();
  }

  Status go(At at) {
    at_ = at;
    return Status::kMore;
  }
  // A call that stands ends where its object stops making sense.
  Status fail() const { return announced_ ? Status::kDoneByNext : Status::kNotACall; }

  Status begin_key() {
    text_ = '"';
    scanner_ = {};
    scanner_.push('"');
    return go(At::kKey);
  }

  Status push_key(char c) {
    text_ += c;
    if (text_.size() > kMaxNameBytes) return fail();
    if (scanner_.push(c) != JsonValueScanner::Status::kDone) return Status::kMore;
    key_ = decode_string(text_).value_or("");
    return is_expected_key() ? go(At::kColon) : fail();
  }

  // An object with other keys, or with one of these twice, is somebody's data.
  bool is_expected_key() const {
    if (key_ == "name") return name_.empty();
    return is_arguments() || key_ == "id" || key_ == "type";
  }

  bool is_arguments() const {
    return (key_ == "arguments" || key_ == "parameters") && !has_arguments_;
  }

  Status begin_value(char c, CallSink& sink) {
    streams_ = false;
    if (is_arguments()) {
      if (c != '{' && c != '"' && c != 'n') return fail();
      streams_ = c == '{';
    } else if (key_ == "name" && !announced_ && c != '"') {
      return fail();
    }
    at_ = At::kInValue;
    return push_value(c, sink);
  }

  Status push_value(char c, CallSink& sink) {
    const auto status = scanner_.push(c);
    if (status != JsonValueScanner::Status::kDoneByNext) {
      if (streams_ && announced_) {
        sink.add_arguments({&c, 1});
      } else if (is_arguments() || key_ == "name") {
        text_ += c;
        if (text_.size() > kMaxHeldBytes) return fail();
      }
    }
    if (streams_ && !announced_ && !name_.empty()) {
      announce(sink);
      sink.add_arguments(std::exchange(text_, {}));
    }
    if (status == JsonValueScanner::Status::kMore) return Status::kMore;
    if (!end_value(sink)) return fail();
    at_ = At::kCommaOrEnd;
    return status == JsonValueScanner::Status::kDone ? Status::kMore : push_one(c, sink);
  }

  bool end_value(CallSink& sink) {
    if (key_ == "name") {
      name_ = decode_string(text_).value_or("");
      if (name_.empty() || name_.size() > kMaxNameBytes || !accept_(name_)) return false;
      if (has_arguments_) {
        announce(sink);
        sink.add_arguments(std::exchange(arguments_, {}));
      }
      return true;
    }
    if (!is_arguments()) return true;
    has_arguments_ = true;
    if (streams_ && announced_) return true;
    if (!streams_) {
      // Some models write the object as a string, and "no arguments" as null.
      if (text_ != "null" && text_.front() != '"') return false;
      text_ = text_ == "null" ? "{}" : decode_string(text_).value_or("{}");
    }
    arguments_ = std::exchange(text_, {});
    if (!name_.empty()) {
      announce(sink);
      sink.add_arguments(std::exchange(arguments_, {}));
    }
    return true;
  }

  Status end(CallSink& sink) {
    if (name_.empty()) return Status::kNotACall;
    if (!announced_) {
      announce(sink);
      sink.add_arguments("{}");
    }
    return Status::kDone;
  }

  void announce(CallSink& sink) {
    announced_ = true;
    sink.start_call(name_);
  }

  IsKnownTool accept_;
  JsonValueScanner scanner_;
  At at_ = At::kOpen;
  std::string key_, text_, name_, arguments_;
  std::string rest_;      // read since the arguments ended
  bool streams_ = false;  // the value under way is an object of arguments
  bool has_arguments_ = false;
  bool announced_ = false;
};

class JsonArrayReader final : public CallReader {
 public:
  explicit JsonArrayReader(IsKnownTool accept) : accept_(std::move(accept)) {}

  Status push(char c, CallSink& sink) override {
    if (call_) return push_call(c, sink);
    if (opened_ && c == '{') {
      call_ = make_json_call_reader(accept_);
      return push_call(c, sink);
    }
    if (c == ']' && made_call_) {
      rest_.clear();
      return Status::kDone;
    }
    if (!opened_ && c == '[') {
      opened_ = true;
    } else if (!is_space(c) && !(c == ',' && made_call_)) {
      return made_call_ ? Status::kDoneByNext : Status::kNotACall;
    }
    if (made_call_) rest_ += c;
    return Status::kMore;
  }

  Status finish(CallSink& sink) override {
    if (call_ && call_->finish(sink) == Status::kDone) {
      rest_ = call_->take_rest();
      return Status::kDone;
    }
    return made_call_ ? Status::kDone : Status::kMore;
  }
  std::string take_rest() override { return std::move(rest_); }

 private:
  Status push_call(char c, CallSink& sink) {
    const Status status = call_->push(c, sink);
    if (status == Status::kMore || status == Status::kNotACall) {
      if (made_call_) rest_ += c;
      if (status == Status::kMore) return status;
      return made_call_ ? Status::kDone : status;
    }
    made_call_ = true;
    rest_ = call_->take_rest();
    call_.reset();
    return status == Status::kDone ? Status::kMore : push(c, sink);
  }

  IsKnownTool accept_;
  std::unique_ptr<CallReader> call_;
  std::string rest_;  // since the last whole call
  bool opened_ = false, made_call_ = false;
};

}  // namespace

std::unique_ptr<CallReader> make_json_call_reader(IsKnownTool accept) {
  return std::make_unique<JsonCallReader>(std::move(accept));
}

std::unique_ptr<CallReader> make_json_array_reader(IsKnownTool accept) {
  return std::make_unique<JsonArrayReader>(std::move(accept));
}

}  // namespace twostroke
