// Finds out how one server counts: which model, and how many tokens a prompt of so many words has.
#pragma once

#include <string>
#include <vector>

#include "measure/http_client.h"
#include "measure/workload/prompt_source.h"

namespace twostroke {

// The id of the first model of /v1/models. An Error with the server's own words when there is none.
Result<std::string> first_model(HttpClient& client);

// In this order, whatever the server can:
//  tokenize  /tokenize counts: only words that are one token each are used, and one request's usage
//            gives the template's share. Lengths are exact.
//  usage     the usage of two requests gives tokens per word. Lengths are right on average.
//  assumed   no usage either: one word, one token.
// An Error when the server does not answer a plain request; `source` gets the outcome.
Result<Calibration> calibrate(HttpClient& client, PromptSource& source, const std::string& model);

// Those of `words` that are one token, after a space and after a line break, by the server's
// /tokenize. kUnsupported when it has none.
Result<std::vector<std::string>> single_token_words(HttpClient& client, const std::string& model,
                                                    const std::vector<std::string>& words);

}  // namespace twostroke
