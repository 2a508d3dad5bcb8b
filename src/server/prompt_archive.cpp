#include "server/prompt_archive.h"

#include <random>
#include <utility>

namespace twostroke {
namespace {

uint64_t random_secret() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace

PromptArchive::PromptArchive() : secret_(random_secret()) {}

void PromptArchive::add(Prompt prompt) {
  const std::lock_guard lock(mutex_);
  num_tokens_ += prompt->tokens.size();
  prompts_.push_back(std::move(prompt));
  while (prompts_.size() > 1 && (prompts_.size() > kMaxPrompts || num_tokens_ > kMaxTokens)) {
    num_tokens_ -= prompts_.front()->tokens.size();
    prompts_.pop_front();
  }
}

PromptArchive::Prompt PromptArchive::find(RequestId id) const {
  const std::lock_guard lock(mutex_);
  for (auto it = prompts_.rbegin(); it != prompts_.rend(); ++it) {
    if ((*it)->id == id) return *it;
  }
  return nullptr;
}

std::vector<PromptArchive::Prompt> PromptArchive::earlier_than(const ArchivedPrompt& prompt) const {
  const std::lock_guard lock(mutex_);
  std::vector<Prompt> out;
  for (auto it = prompts_.rbegin(); it != prompts_.rend() && out.size() < kMaxCompared; ++it) {
    if ((*it)->id < prompt.id && (*it)->key == prompt.key) out.push_back(*it);
  }
  return out;
}

}  // namespace twostroke
