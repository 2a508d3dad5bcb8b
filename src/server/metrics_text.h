// Metrics in Prometheus' text format (0.0.4): our own names, and the same values under the names
// that vLLM gave them, for dashboards and gateways that ask for those. docs/metrics.md has a row
// for each; a test holds it against the tables here.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/engine_observer.h"
#include "server/server_context.h"

namespace twostroke {

class MetricWriter;
struct MetricSource {
  EngineStats stats;
  KvCounts kv;
  const Tallies& tallies;
  const ModelInfo& model;
};

struct MetricFamily {
  std::string_view name;
  std::string_view type;  // "gauge", "counter", "histogram"
  std::string_view help;
  void (*write)(MetricWriter& out, const MetricSource& from);
};
std::span<const MetricFamily> own_metrics();
std::span<const MetricFamily> vllm_metrics();

std::string metrics_text(const ServerContext& context, bool with_vllm_names);

}  // namespace twostroke
