// ServerOptions: every limit and timeout of the HTTP side in one place. Plain data; apps fills it
// from flags.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace twostroke {

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address, not a name
  uint16_t port = 8080;            // 0: the system picks a free one

  int max_connections = 1024;  // past it: 503 and closed
  int num_intake_threads = 2;  // JSON, chat template and tokenising
  size_t max_header_bytes = size_t{16} << 10;
  size_t max_body_bytes = size_t{16} << 20;
  size_t max_bodies_bytes = size_t{256} << 20;    // all requests being read or prepared together
  size_t max_pipelined_bytes = size_t{64} << 10;  // read ahead while a reply is being sent

  int idle_timeout_ms = 75'000;    // keep-alive connection without a request
  int header_timeout_ms = 10'000;  // first byte to the end of the header
  int body_timeout_ms = 60'000;    // whole body
  int write_timeout_ms = 30'000;   // one write that the client does not take
  int ping_interval_ms = 15'000;   // SSE comment while nothing else is to send
  int linger_timeout_ms = 2'000;   // what a refused client still sends is thrown away for so long

  bool keep_prompts = false;  // text of prompts is remembered, and shown to whoever asks
  // Request fields.
  int max_choices = 16;  // n, and n times the number of prompts is <= 4 times this
  int max_stop_strings = 16;
  size_t max_stop_bytes = 1024;  // each
  int max_stop_token_ids = 256;
  int max_top_logprobs = 20;
  int max_logit_bias = 1024;
  size_t max_cache_salt_bytes = 256;
  int max_embedding_inputs = 2048;
  int max_tools = 128;
  size_t max_tool_schema_bytes = size_t{64} << 10;  // each tool's parameters
  int max_json_depth = 64;
  int max_json_members = 1024;  // of one object
};

}  // namespace twostroke
