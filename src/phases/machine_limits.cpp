#include "phases/machine_limits.h"

namespace twostroke {

Roofline roofline_of(const MachineReport& machine, int num_prompt_tokens, int num_cached_tokens,
                     int num_output_tokens, const Ledger& ledger) {
  const ModelCosts& costs = machine.costs;
  Roofline roofline;
  const auto prefill_ns = static_cast<double>(ledger.of(Cause::kPrefillOwn));
  const double num_computed = num_prompt_tokens - num_cached_tokens;
  if (prefill_ns > 0 && num_output_tokens > 0) {
    const double macs = num_computed * static_cast<double>(costs.layer_macs_per_token) +
                        static_cast<double>(costs.head_macs_per_row);
    roofline.prefill_macs_per_second = macs * 1e9 / prefill_ns;
  }
  const auto decode_ns = static_cast<double>(ledger.of(Cause::kDecodeOwn));
  const double num_decoded = num_output_tokens - 1;
  if (decode_ns > 0 && num_decoded > 0) {
    // The first decoded token looks at the prompt and itself, the next at one key more, ...
    const double mean_keys = num_prompt_tokens + (num_decoded + 1) / 2;
    const double bytes_per_token =
        static_cast<double>(costs.weight_bytes_per_step) + mean_keys * costs.kv_bytes_per_key;
    roofline.decode_bytes_per_second = num_decoded * bytes_per_token * 1e9 / decode_ns;
  }
  return roofline;
}

}  // namespace twostroke
