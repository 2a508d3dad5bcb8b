#include "measure/workload/prompt_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/philox.h"
#include "measure/workload/prompt_shape.h"
#include "measure/workload/text_lines.h"

namespace twostroke {
namespace {

// Streams of words that must not meet.
constexpr uint64_t kMeasured = 1;
constexpr uint64_t kWarmup = 2;
constexpr uint64_t kProbe = 3;
constexpr uint64_t kShared = 4;
constexpr uint64_t kTraceBlocks = 5;
constexpr int kPurposeShift = 36;

// Enough random words that no two prompts begin alike, few enough to cost nothing.
constexpr int kUniqueWords = 8;
// English, roughly: what the length of an answer in a file says about its tokens.
constexpr double kTokensPerWrittenWord = 1.3;

uint64_t stream_of(uint64_t purpose, uint64_t index) {
  return (purpose << kPurposeShift) + (index & ((uint64_t{1} << kPurposeShift) - 1));
}

const char* path_of(ApiEndpoint endpoint) {
  return endpoint == ApiEndpoint::kChat ? "/v1/chat/completions" : "/v1/completions";
}

}  // namespace

// Messages for chat; their texts one after another for completions.
struct PromptSource::Parts {
  Json messages = Json::array();
  Json extra = Json::object();
  int words = 0;

  void add(const char* role, std::string text, int num_words) {
    messages.push_back({{"role", role}, {"content", std::move(text)}});
    words += num_words;
  }
};

PromptSource::PromptSource(const LoadConfig& config) : config_(config) {}

Result<PromptSource> PromptSource::open(const LoadConfig& config) {
  PromptSource source(config);
  const WorkloadConfig& workload = config.workload;
  const auto in_file = [&](const Error& error) {
    return Error{error.code, fmt::format("{}: {}", workload.file, error.message), error.field};
  };
  if (workload.kind == WorkloadKind::kFile) {
    auto prompts = parse_prompt_file(TRY(read_text_file(workload.file)));
    if (!prompts.ok()) return in_file(prompts.error());
    source.prompts_ = std::move(*prompts);
  } else if (workload.kind == WorkloadKind::kTrace) {
    auto trace = parse_trace(TRY(read_text_file(workload.file)));
    if (!trace.ok()) return in_file(trace.error());
    source.trace_ = std::move(*trace);
    for (TraceRow& row : source.trace_) {
      row.at_ns = static_cast<int64_t>(static_cast<double>(row.at_ns) * config.arrival.time_scale);
    }
  }
  return source;
}

void PromptSource::use(const Calibration& calibration, const std::string& model) {
  calibration_ = calibration;
  model_ = model;
  text_ = WordText(calibration.words);
}

std::string PromptSource::words(uint64_t stream, int count, int first) const {
  return text_.text(config_.seed ^ config_.text_salt, stream, count, first);
}

int PromptSource::words_for(int tokens) const {
  const double words = (tokens - calibration_.overhead_tokens) / calibration_.tokens_per_word;
  return std::max(1, static_cast<int>(std::lround(words)));
}

int PromptSource::length_near(int tokens, uint64_t index) const {
  const double ratio = config_.workload.range_ratio;
  if (ratio <= 0) return tokens;
  const double low = std::floor(tokens * (1 - ratio));
  const double high = std::ceil(tokens * (1 + ratio));
  const double draw = philox_uniform(config_.seed, (uint64_t{1} << 60) + index);
  return std::max(1, static_cast<int>(low + draw * (high - low + 1)));
}

PromptSource::Parts PromptSource::synthetic(uint64_t stream, int prompt_words) const {
  Parts parts;
  const bool is_shared = config_.workload.cache == CacheMode::kShared;
  const int shared =
      is_shared ? std::min(config_.workload.shared_prefix_tokens, prompt_words - 1) : 0;
  const bool has_system =
      config_.endpoint == ApiEndpoint::kChat && calibration_.system_role && prompt_words > 1;
  // A system message keeps templates from putting in one of their own, which prompts would share.
  const int system = !has_system  ? 0
                     : shared > 0 ? shared
                                  : std::min(kUniqueWords, prompt_words / 2);
  std::string text;
  if (system > 0) {
    parts.add("system", words(shared > 0 ? stream_of(kShared, 0) : stream, system), system);
  } else if (shared > 0) {
    text = words(stream_of(kShared, 0), shared) + " ";
  }
  const int begin = shared > 0 ? shared : system;
  text += words(stream, prompt_words - begin, begin);
  parts.add("user", std::move(text), prompt_words - system);
  return parts;
}

PromptSource::Parts PromptSource::shaped(uint64_t stream, int question_words) const {
  Parts parts;
  const PromptShape& shape = config_.workload.shape;
  const CacheMode cache = config_.workload.cache;
  // Shared: everything but the question is the same for all.
  const uint64_t body = cache == CacheMode::kCold ? stream : stream_of(kShared, 0);
  ShapedPrompt shaped = shape_prompt(shape, calibration_.system_role, [&](int count, int first) {
    return words(body, count, first);
  });
  parts.messages = std::move(shaped.messages);
  parts.extra = std::move(shaped.extra);
  parts.words = shaped.words;
  const int first = 1 << 22;  // past everything that a shape can hold
  parts.add("user", shaped.question_prefix + words(stream, question_words, first), question_words);
  return parts;
}

PromptSource::Parts PromptSource::from_file(uint64_t stream, int index) const {
  Parts parts;
  const FilePrompt& prompt = prompts_[static_cast<size_t>(index) % prompts_.size()];
  parts.messages = prompt.messages;
  parts.extra = prompt.extra;
  if (config_.workload.cache == CacheMode::kAsIs) return parts;
  const bool is_shared = config_.workload.cache == CacheMode::kShared;
  const std::string prefix =
      is_shared ? words(stream_of(kShared, 0), std::max(1, config_.workload.shared_prefix_tokens))
                : words(stream, kUniqueWords);
  Json& first = parts.messages.front()["content"];
  if (first.is_string()) {
    first = prefix + "\n" + first.get<std::string>();
  } else if (first.is_array()) {
    first.insert(first.begin(), Json{{"type", "text"}, {"text", prefix + "\n"}});
  }
  return parts;
}

PromptSource::Parts PromptSource::from_trace(uint64_t stream, int index) const {
  Parts parts;
  const TraceRow& row = trace_[static_cast<size_t>(index) % trace_.size()];
  const int total = words_for(row.prompt_tokens);
  std::string text;
  int done = 0;
  for (const int64_t id : row.hash_ids) {
    const int count = std::min(kTraceBlockTokens, total - done);
    if (count <= 0) break;
    if (done > 0) text += ' ';
    text += words(stream_of(kTraceBlocks, static_cast<uint64_t>(id)), count);
    done += count;
  }
  if (done < total) {
    if (done > 0) text += ' ';
    text += words(stream, total - done);
  }
  parts.add("user", std::move(text), total);
  return parts;
}

PlannedRequest PromptSource::finish(Parts parts, int index, int prompt_tokens,
                                    int output_tokens) const {
  Json body = {{"model", model_}};
  if (config_.endpoint == ApiEndpoint::kChat) {
    body["messages"] = std::move(parts.messages);
    body["max_completion_tokens"] = output_tokens;
    if (!config_.plain_openai) body["max_tokens"] = output_tokens;
  } else {
    std::string text;
    for (const Json& message : parts.messages) {
      if (!text.empty()) text += ' ';
      text += json_string(message, "content");
    }
    body["prompt"] = std::move(text);
    body["max_tokens"] = output_tokens;
  }
  body["temperature"] = 0;
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  if (!config_.plain_openai) {
    body["stream_options"]["continuous_usage_stats"] = true;  // vLLM, ours
    body["timings_per_token"] = true;                         // llama-server, ours
    if (config_.ask_phases) body["phases"] = true;            // ours
    if (config_.ignore_eos) body["ignore_eos"] = true;
  }
  body.update(parts.extra);
  body.merge_patch(config_.extra_body);
  return {index, path_of(config_.endpoint), json_line(body), prompt_tokens, output_tokens};
}

PlannedRequest PromptSource::make_in(uint64_t purpose, int index) const {
  const auto number = static_cast<uint64_t>(index);
  const uint64_t stream = stream_of(purpose, number);
  const WorkloadConfig& workload = config_.workload;
  switch (workload.kind) {
    case WorkloadKind::kSynthetic: {
      const int prompt = length_near(workload.prompt_tokens, 2 * number);
      const int output = length_near(workload.output_tokens, 2 * number + 1);
      return finish(synthetic(stream, words_for(prompt)), index, prompt, output);
    }
    case WorkloadKind::kPromptShape: {
      const int output = length_near(workload.output_tokens, 2 * number + 1);
      const Parts parts = shaped(stream, workload.shape.question_tokens);
      const int prompt = static_cast<int>(parts.words * calibration_.tokens_per_word) +
                         calibration_.overhead_tokens;
      return finish(parts, index, prompt, output);
    }
    case WorkloadKind::kFile: {
      const FilePrompt& prompt = prompts_[number % prompts_.size()];
      int output = prompt.output_tokens;
      if (output == 0 && prompt.answer_words > 0) {
        output = std::max(1, static_cast<int>(prompt.answer_words * kTokensPerWrittenWord));
      }
      if (output == 0) output = workload.output_tokens;
      return finish(from_file(stream, index), index, 0, output);
    }
    case WorkloadKind::kTrace:
      break;
  }
  const TraceRow& row = trace_[number % trace_.size()];
  return finish(from_trace(stream, index), index, row.prompt_tokens,
                std::max(1, row.output_tokens));
}

PlannedRequest PromptSource::make(int index) const {
  return make_in(kMeasured, index);
}

PlannedRequest PromptSource::make_warmup(int index) const {
  return make_in(kWarmup, index);
}

PromptSource::Probe PromptSource::make_probe(int words) const {
  const uint64_t stream = stream_of(kProbe, static_cast<uint64_t>(words));
  Parts parts;
  if (config_.workload.kind == WorkloadKind::kPromptShape) {
    parts = shaped(stream, words);
  } else if (config_.workload.kind == WorkloadKind::kTrace) {
    parts.add("user", this->words(stream, words), words);
  } else {
    parts = synthetic(stream, words);
  }
  return {finish(parts, 0, 0, 1), parts.words};
}

}  // namespace twostroke
