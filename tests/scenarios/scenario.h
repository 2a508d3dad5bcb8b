// Scenario: runs a scheduler script line by line and writes down what each step did. The language
// is in scenario_test.cpp's header comment. Test code: bad scripts are CHECK failures.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kv_cache/kv_cache.h"
#include "scheduler/scheduler.h"

namespace twostroke {

class Scenario {
 public:
  // Returns the line with its trace (" -> ...") where the line is a step, else the line as it was.
  std::string run_line(const std::string& line);

 private:
  struct NamedRequest {
    Request request;
    int max_output_tokens = 0;
  };

  void configure(std::string_view line);
  void submit(std::string_view line);
  std::string step();
  std::string trace_of(const StepPlan& plan) const;
  std::string finish_completed();
  Request& named(const std::string& name);
  const std::string& name_of(const Request& request) const;

  std::unique_ptr<KvCache> kv_cache_;
  std::unique_ptr<Scheduler> scheduler_;
  std::map<std::string, std::unique_ptr<NamedRequest>> requests_;
  std::map<const Request*, std::string> names_;
  std::vector<std::string> order_;  // of submission
};

}  // namespace twostroke
