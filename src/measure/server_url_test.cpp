// Goal: every way people write a server's address is understood, and a wrong one is named.
#include "measure/server_url.h"

#include <gtest/gtest.h>

namespace twostroke {
namespace {

struct GoodUrl {
  const char* text;
  const char* host;
  const char* port;
  const char* base_path;
  const char* host_header;
};

TEST(ServerUrl, UnderstandsWhatPeopleWrite) {
  const GoodUrl cases[] = {
      {"http://127.0.0.1:8080", "127.0.0.1", "8080", "", "127.0.0.1:8080"},
      {"http://127.0.0.1:8080/", "127.0.0.1", "8080", "", "127.0.0.1:8080"},
      {"http://host/v1", "host", "80", "", "host:80"},
      {"http://host:1/v1/", "host", "1", "", "host:1"},
      {"host:8000", "host", "8000", "", "host:8000"},
      {"http://gateway/team/a/v1", "gateway", "80", "/team/a", "gateway:80"},
      {"http://[::1]:9", "::1", "9", "", "[::1]:9"},
      {"[fe80::1]", "fe80::1", "80", "", "[fe80::1]:80"},
  };
  for (const GoodUrl& expected : cases) {
    const auto url = parse_server_url(expected.text);
    ASSERT_TRUE(url.ok()) << expected.text << ": " << url.error().message;
    EXPECT_EQ(url->host, expected.host) << expected.text;
    EXPECT_EQ(url->port, expected.port) << expected.text;
    EXPECT_EQ(url->base_path, expected.base_path) << expected.text;
    EXPECT_EQ(url->host_header(), expected.host_header) << expected.text;
  }
  EXPECT_EQ(parse_server_url("http://h/p/v1")->target("/v1/models"), "/p/v1/models");
}

TEST(ServerUrl, RefusesAndSaysWhy) {
  const std::pair<const char*, const char*> cases[] = {
      {"https://host", "https is not spoken"},
      {"ftp://host", "unknown scheme"},
      {"http://", "no host"},
      {"", "no host"},
      {"http://host:0", "'0' is no port"},
      {"http://host:65536", "is no port"},
      {"http://host:80x", "is no port"},
      {"http://host/?a=1", "query"},
      {"http://u:p@host", "user name"},
      {"http://ho st", "character"},
      {"http://h\r\nX: y", "character"},
      {"http://[::1", "without"},
  };
  for (const auto& [text, why] : cases) {
    const auto url = parse_server_url(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_NE(url.error().message.find(why), std::string::npos) << url.error().message;
    EXPECT_EQ(url.error().field, "url");
  }
}

}  // namespace
}  // namespace twostroke
