// ServingState: whether there is a model to serve, and what the server is doing until there is.
// Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "server/prompt_archive.h"
#include "server/response_store.h"
#include "server/server_context.h"

namespace twostroke {

class ServingState {
 public:
  struct Snapshot {
    std::optional<ServerContext> context;
    std::string loading;
  };

  void set_loading(std::string what) {
    const std::lock_guard lock(mutex_);
    loading_ = std::move(what);
  }
  void set_ready(const ServerContext& context) {
    const std::lock_guard lock(mutex_);
    context_.emplace(context);
  }
  PromptArchive& prompts() { return prompts_; }
  const std::shared_ptr<ResponseStore>& responses() const { return responses_; }
  Snapshot snapshot() const {
    const std::lock_guard lock(mutex_);
    return Snapshot{context_, context_ ? std::string() : loading_};
  }

 private:
  const std::shared_ptr<ResponseStore> responses_ =
      std::make_shared<ResponseStore>(ResponseStore::Limits());
  mutable std::mutex mutex_;
  std::optional<ServerContext> context_;
  std::string loading_ = "starting";
  PromptArchive prompts_;
};

}  // namespace twostroke
