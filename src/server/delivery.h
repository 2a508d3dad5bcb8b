// The last part of a request's life: from the engine's last word to the socket's. Books it, keeps
// the record that others see in step, and says when each token was sent. I/O thread.
#pragma once

#include <cstdint>

#include "server/generation.h"

namespace twostroke {

// When the socket took none of a reply's bytes; both -1: it always took them.
struct Blocked {
  int64_t from_ns = -1;
  int64_t until_ns = -1;
};

// The reply has everything of this choice but has not sent it. What passed since the engine was
// done goes to `client` while the socket was blocked, else to `engine`. Fills choice.summary;
// REQUIRES: choice.tokens->finished().
void close_choice(Choice& choice, const Blocked& last_blocked, int64_t now_ns);

// Everything that the last poll appended was handed to the socket. A choice that had been closed is
// over now; had the socket been blocked, its life lasted until here.
void on_sent(GenerationBase& base, const Blocked& blocked, int64_t now_ns);

// Nobody takes the rest. Choices that the engine still works on are not cancelled here.
void on_gone(GenerationBase& base, RequestEnd why, int64_t now_ns);

}  // namespace twostroke
