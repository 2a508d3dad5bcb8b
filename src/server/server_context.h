// ServerContext: what the HTTP side needs of a loaded engine. Handed over once, by
// HttpServer::set_ready.
#pragma once

#include "engine/engine_client.h"
#include "server/model_services.h"

namespace twostroke {

// Both outlive the server (HttpServer::stop returns before they go).
struct ServerContext {
  EngineClient& engine;
  const ModelServices& model;
};

}  // namespace twostroke
