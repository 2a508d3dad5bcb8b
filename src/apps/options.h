// What each command was asked to do: plain data, filled from the command line by cli.cpp alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace twostroke {

struct ModelOptions {
  std::string path;  // empty: $TWOSTROKE_MODEL, else the default model in the cache
  int threads = 0;   // 0: one per core this process may use
  std::string isa = "auto";
  bool exact = false;         // f32 activations and KV
  int context = 0;            // tokens; 0: the model's own
  int64_t kv_memory_mib = 0;  // 0: chosen from free memory
  std::string chat_template;  // name or file; empty: the model's own
  int max_step_tokens = 512;
  int max_running = 64;
};

struct GenerationOptions {
  float temperature = 0.7F;
  int top_k = 0;
  float top_p = 1.0F;
  float min_p = 0.0F;
  float repetition_penalty = 1.0F;
  int max_tokens = 0;  // 0: what the context has room for
  uint64_t seed = 0;
  bool seed_given = false;
  std::vector<std::string> stop;
};

struct ServeOptions {
  ModelOptions model;
  std::string host = "127.0.0.1";
  int port = 8080;
  std::string alias;  // model id shown to clients; empty: the file's name without .gguf
  int drain_timeout_s = 10;
  int max_connections = 1024;
  int max_queued_requests = 256;
  bool keep_prompts = false;
  std::string pooling = "auto";
  std::string tool_call_parser = "auto";
  std::string reasoning_parser = "auto";
  int target_itl_ms = 0;  // 0: chosen by measurement at start
};

struct ChatOptions {
  ModelOptions model;
  GenerationOptions generation;
  std::string system;
};

struct RunOptions {
  ModelOptions model;
  GenerationOptions generation;
  std::string prompt;  // without prompt_given: read from stdin
  bool prompt_given = false;
  bool chat = false;  // through the chat template
  bool json = false;
};

struct BenchOptions {
  ModelOptions model;
  std::vector<int> prompts = {512};
  std::vector<int> generates = {128};
  std::vector<int> batches = {1};
  std::vector<int> depths = {0};
  int repetitions = 5;
  bool json = false;
};

struct PerplexityOptionsCli {
  ModelOptions model;
  std::string text_path;
  int context = 512;
  int chunks = 0;  // 0: all
  bool against_exact = false;
  bool json = false;
};

struct InspectOptions {
  ModelOptions model;
  bool tensors = false;
  bool json = false;
};

// The commands. Each returns the process's exit code: 0 done, 1 failed (one line on stderr says
// why).
int run_serve(const ServeOptions& options);
int run_chat(const ChatOptions& options);
int run_once(const RunOptions& options);
int run_bench(const BenchOptions& options);
int run_perplexity(const PerplexityOptionsCli& options);
int run_inspect(const InspectOptions& options);

// Reads argv, runs one command. 2: the command line was wrong.
int run_cli(int argc, char** argv);

}  // namespace twostroke
