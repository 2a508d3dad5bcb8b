// The embedded page as clients see it: packed and unpacked, cached and fresh, and nothing else.
#include <gtest/gtest.h>

#include <string>

#include "server/gzip.h"
#include "server/page_assets.h"
#include "server/server_fixture.h"

namespace twostroke {
namespace {

class PageTest : public ServerFixture {
 protected:
  // Of the first response to GET `path` with `headers` ("Name: value\r\n" each).
  RawResponse get(const std::string& path, const std::string& headers = "",
                  const std::string& method = "GET") {
    RawHttpClient client(port());
    client.send(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers +
                "\r\n");
    auto response = client.response(method == "HEAD");
    EXPECT_TRUE(response.has_value());
    return response.value_or(RawResponse{});
  }
  static std::string header(const RawResponse& response, const std::string& name) {
    const size_t at = response.head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const size_t begin = at + name.size() + 4;
    return response.head.substr(begin, response.head.find("\r\n", begin) - begin);
  }
  static const PageAsset& script() {
    for (const PageAsset& asset : page_assets()) {
      if (asset.path.ends_with(".js")) return asset;
    }
    ADD_FAILURE() << "the page has no script";
    return page_assets().front();
  }
};

TEST_F(PageTest, IsServedAtTheRootWhileTheModelLoads) {
  auto server = HttpServer::start(options_, clock_);
  ASSERT_TRUE(server.ok());
  server_ = std::move(*server);
  const RawResponse page = get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(header(page, "Content-Type"), "text/html; charset=utf-8");
  EXPECT_NE(page.body.find("<!doctype html>"), std::string::npos);
  EXPECT_EQ(get("/?view=live").status, 200);
}

TEST_F(PageTest, IsPackedForThoseWhoTakeGzipAndTheSameForAll) {
  start();
  const std::string path(script().path);
  const RawResponse plain = get(path);
  EXPECT_EQ(header(plain, "Content-Encoding"), "");
  EXPECT_EQ(plain.body.size(), script().num_bytes);
  for (const char* accept : {"gzip", "deflate, gzip;q=0.5, br", "*", "x-gzip"}) {
    const RawResponse packed = get(path, std::string("Accept-Encoding: ") + accept + "\r\n");
    EXPECT_EQ(header(packed, "Content-Encoding"), "gzip") << accept;
    const auto* bytes = reinterpret_cast<const unsigned char*>(packed.body.data());
    const auto unpacked = gunzip({bytes, packed.body.size()}, script().num_bytes);
    ASSERT_TRUE(unpacked.ok()) << unpacked.error().message;
    EXPECT_EQ(*unpacked, plain.body);
  }
  for (const char* accept : {"identity", "gzip;q=0", "*, gzip;q=0.000", "br"}) {
    const RawResponse same = get(path, std::string("Accept-Encoding: ") + accept + "\r\n");
    EXPECT_EQ(header(same, "Content-Encoding"), "") << accept;
    EXPECT_EQ(header(same, "Vary"), "Accept-Encoding");
  }
}

TEST_F(PageTest, IsNotSentAgainToThoseWhoHaveIt) {
  start();
  const std::string tag = header(get("/"), "ETag");
  ASSERT_GT(tag.size(), 4U);
  for (const std::string& offered : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const RawResponse response = get("/", "If-None-Match: " + offered + "\r\n");
    EXPECT_EQ(response.status, 304) << offered;
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(header(response, "ETag"), tag);
    EXPECT_EQ(response.head.find("Content-Length"), std::string::npos);
  }
  EXPECT_EQ(get("/", "If-None-Match: \"other\"\r\n").status, 200);
  const std::string packed_tag = header(get("/", "Accept-Encoding: gzip\r\n"), "ETag");
  EXPECT_NE(packed_tag, tag) << "other bytes";
}

TEST_F(PageTest, FilesWithHashedNamesAreKeptForEverAndTheRestIsAskedFor) {
  start();
  for (const PageAsset& asset : page_assets()) {
    const std::string cache = header(get(std::string(asset.path)), "Cache-Control");
    const bool hashed = asset.path.starts_with("/assets/");
    EXPECT_EQ(asset.hashed_name, hashed);
    EXPECT_EQ(cache, hashed ? "public, max-age=31536000, immutable" : "no-cache") << asset.path;
  }
}

TEST_F(PageTest, NoFileMayDoWhatThePageNeverNeeds) {
  start();
  for (const PageAsset& asset : page_assets()) {
    const RawResponse response = get(std::string(asset.path));
    const std::string policy = header(response, "Content-Security-Policy");
    EXPECT_NE(policy.find("default-src 'none'"), std::string::npos) << asset.path;
    EXPECT_EQ(policy.find("unsafe"), std::string::npos) << asset.path;
    EXPECT_EQ(header(response, "X-Content-Type-Options"), "nosniff");
  }
}

TEST_F(PageTest, WorksBehindAPrefixBecauseNoUrlIsAbsolute) {
  start();
  const std::string page = get("/").body;
  EXPECT_NE(page.find("./assets/"), std::string::npos);
  for (const char* absolute : {"src=\"/", "href=\"/", "http://", "https://"}) {
    EXPECT_EQ(page.find(absolute), std::string::npos) << absolute;
  }
}

TEST_F(PageTest, IsSmall) {
  size_t num_bytes = 0;
  for (const PageAsset& asset : page_assets()) num_bytes += asset.gzip.size();
  EXPECT_LE(num_bytes, 250'000U);
}

TEST_F(PageTest, ThereIsNothingElse) {
  start();
  for (const char* path : {"/assets/", "/assets/none.js", "/assets/../index.html", "/index.htm"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
  const RawResponse head = get("/", "", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(get("/", "", "DELETE").status, 405);
}

TEST(Gunzip, RefusesWhatIsNotOneMemberOfTheSizeItExpects) {
  const PageAsset& asset = page_assets().front();
  EXPECT_TRUE(gunzip(asset.gzip, asset.num_bytes).ok());
  EXPECT_FALSE(gunzip(asset.gzip, asset.num_bytes - 1).ok());
  EXPECT_FALSE(gunzip(asset.gzip, asset.num_bytes + 1).ok());
  EXPECT_FALSE(gunzip(asset.gzip.first(asset.gzip.size() / 2), asset.num_bytes).ok());
  EXPECT_FALSE(gunzip(asset.gzip.first(5), asset.num_bytes).ok());
  std::vector<unsigned char> bad(asset.gzip.begin(), asset.gzip.end());
  bad[3] = 8;
  EXPECT_FALSE(gunzip(bad, asset.num_bytes).ok());
}

}  // namespace
}  // namespace twostroke
