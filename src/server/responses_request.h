// OpenAI's Responses request -> the body of a chat request, which parse_chat_request then checks,
// and what the reply repeats of it. Every error names the field as the client wrote it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace twostroke {

struct ResponsesRequest {
  nlohmann::ordered_json chat;      // body of a chat request
  nlohmann::ordered_json messages;  // of this request alone, without instructions
  nlohmann::ordered_json echo;      // fields of the response object that repeat the request's
  std::string previous_response_id;
  bool store = true;
};

// The messages of an earlier response are the caller's to put in: see add_history.
Result<ResponsesRequest> parse_responses_request(const nlohmann::ordered_json& body);
// Puts the conversation so far between the instructions and this request's input.
void add_history(const nlohmann::ordered_json& history, ResponsesRequest& request);
// An error of the chat request in the words of this one.
Error in_responses_words(Error error);

}  // namespace twostroke
