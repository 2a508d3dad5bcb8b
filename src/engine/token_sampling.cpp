#include "engine/token_sampling.h"

namespace twostroke {

Result<SampledToken> sample_token(Sampler& sampler, std::span<float> logits,
                                  const ActiveRequest& request, const TokenText& token_text) {
  const OutputLimits& limits = request.output.limits();
  SamplerInput input;
  input.logits = logits;
  input.history = {.tokens = request.tokens,
                   .num_prompt_tokens = static_cast<size_t>(request.num_prompt_tokens)};
  input.stop_tokens[0] = limits.stop_token_ids;
  if (!limits.ignore_eos) input.stop_tokens[1] = token_text.end_of_generation_tokens();
  if (request.grammar) input.allowed = request.grammar->mask();
  const SamplerOutput output = TRY(sampler.sample(request.sampling, input));
  SampledToken sampled;
  sampled.token = output.token;
  if (output.logprob) sampled.logprob = {output.token, *output.logprob};
  for (const ScoredToken& scored : output.top_logprobs) {
    sampled.top_logprobs.push_back({scored.token, scored.logprob});
  }
  return sampled;
}

}  // namespace twostroke
