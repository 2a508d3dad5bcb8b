// The OpenAPI document (openapi.json beside this file), as it is served at /openapi.json. Written
// by hand; openapi_test.cpp holds it against the route table and the fields that the code reads.
#pragma once

#include <string_view>

namespace twostroke {

// Compiled in; its version is the word VERSION.
std::string_view openapi_document();

}  // namespace twostroke
