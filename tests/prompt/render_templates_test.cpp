// Our side of compare_with_jinja2.py: one JSON object a line in, one out. Not a test by itself.
//   in:  {"source", "bos_token", "eos_token", "now": seconds since 1970 (UTC), "request": {…},
//   "shaped": bool}
//        shaped: messages are brought into the template's shape, as the server does; else it gets
//        them verbatim
//   out: {"text"} or {"error"}
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "prompt/chat_template.h"

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

Result<std::string> render(const Json& job) {
  const auto now_s = job.at("now").get<std::time_t>();
  const LocalTime now = [now_s] {
    std::tm time{};
    gmtime_r(&now_s, &time);
    return time;
  };
  const ChatTemplate compiled = TRY(ChatTemplate::create(
      job.at("source").get<std::string>(), job.at("bos_token").get<std::string>(),
      job.at("eos_token").get<std::string>(), now));
  const Json& request = job.at("request");
  return job.at("shaped").get<bool>() ? compiled.render(request)
                                      : compiled.render_verbatim(request);
}

}  // namespace
}  // namespace twostroke

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto job = nlohmann::ordered_json::parse(line);
    const auto text = twostroke::render(job);
    nlohmann::ordered_json reply;
    if (text.ok()) {
      reply["text"] = *text;
    } else {
      reply["error"] = text.error().message;
    }
    std::cout << reply.dump() << '\n' << std::flush;
  }
  return 0;
}
