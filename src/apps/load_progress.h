// A load run as it goes, on stderr: one line that is drawn again in a terminal, a line every ten
// seconds elsewhere. A thread of its own, so that a slow terminal does not disturb the measuring.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "measure/load_run.h"

namespace twostroke {

class LoadProgressLine {
 public:
  // `progress` outlives this. Silent when not `shown`.
  LoadProgressLine(const LoadProgress& progress, bool shown);
  ~LoadProgressLine();  // wipes the line
  LoadProgressLine(const LoadProgressLine&) = delete;
  LoadProgressLine& operator=(const LoadProgressLine&) = delete;

 private:
  void loop();

  const LoadProgress& progress_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
  std::thread thread_;
};

// What the line says; rates are over the time since the last one.
struct LoadRates {
  double elapsed_s = 0;
  double prompt_tokens_per_s = 0;
  double output_tokens_per_s = 0;
};
std::string progress_text(const LoadProgress& progress, const LoadRates& rates, bool colors);

}  // namespace twostroke
