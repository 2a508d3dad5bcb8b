// PromptSource: the i-th request of a workload, a function of config, seed and i alone: two servers
// that are asked for the same run get the same bytes. No network.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "measure/load_config.h"
#include "measure/workload/planned_request.h"
#include "measure/workload/prompt_file.h"
#include "measure/workload/trace_file.h"
#include "measure/workload/word_text.h"

namespace twostroke {

// How words become tokens on one server (measure/workload/calibration.h finds out).
struct Calibration {
  std::string method = "assumed";  // tokenize, usage, assumed
  std::vector<std::string> words = common_words();
  double tokens_per_word = 1;
  int overhead_tokens = 0;  // of a prompt, beside its words: template and structure
  bool system_role = true;  // the model's template takes system messages
};

class PromptSource {
 public:
  // Reads the workload's file. Errors name the file, the line, or the field.
  static Result<PromptSource> open(const LoadConfig& config);

  void use(const Calibration& calibration, const std::string& model);

  // REQUIRES: index >= 0. File prompts and traces begin again when they are used up.
  PlannedRequest make(int index) const;
  // The same kind of request, of a stream that no measured one has.
  PlannedRequest make_warmup(int index) const;
  // With so many words in the filler and an answer of one token; says how many words it has in all.
  struct Probe {
    PlannedRequest request;
    int words = 0;
  };
  Probe make_probe(int words) const;

  // Of a trace: in order, scaled. Empty for other workloads.
  const std::vector<TraceRow>& trace() const { return trace_; }

 private:
  struct Parts;  // of a prompt being put together
  explicit PromptSource(const LoadConfig& config);

  PlannedRequest make_in(uint64_t purpose, int index) const;
  Parts synthetic(uint64_t stream, int prompt_words) const;
  Parts shaped(uint64_t stream, int question_words) const;
  Parts from_file(uint64_t stream, int index) const;
  Parts from_trace(uint64_t stream, int index) const;
  PlannedRequest finish(Parts parts, int index, int prompt_tokens, int output_tokens) const;
  int length_near(int tokens, uint64_t index) const;
  int words_for(int tokens) const;
  std::string words(uint64_t stream, int count, int first = 0) const;

  LoadConfig config_;
  Calibration calibration_;
  std::string model_;
  WordText text_;
  std::vector<FilePrompt> prompts_;
  std::vector<TraceRow> trace_;
};

}  // namespace twostroke
