#include "measure/http_response_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <optional>

namespace twostroke {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr uint32_t kMaxHeaderBytes = 64 << 10;

// A body that is handed on, not kept.
struct ForwardedBody {
  struct value_type {
    const HttpResponseParser::OnBody* sink = nullptr;  // set while feed() runs
    bool stopped = false;
  };

  class reader {
   public:
    template <bool IsRequest, class Fields>
    reader(http::header<IsRequest, Fields>&, value_type& body) : body_(body) {}

    void init(const boost::optional<uint64_t>&, error_code& error) { error = {}; }

    template <class Buffers>
    size_t put(const Buffers& buffers, error_code& error) {
      error = {};
      size_t size = 0;
      for (const asio::const_buffer buffer : beast::buffers_range_ref(buffers)) {
        size += buffer.size();
        if (body_.stopped || body_.sink == nullptr || buffer.size() == 0) continue;
        body_.stopped = !(*body_.sink)({static_cast<const char*>(buffer.data()), buffer.size()});
      }
      return size;
    }

    void finish(error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

std::string_view HttpHead::header(std::string_view name) const {
  const auto it = std::find_if(headers.begin(), headers.end(),
                               [&](const auto& header) { return header.first == name; });
  return it == headers.end() ? std::string_view() : std::string_view(it->second);
}

struct HttpResponseParser::Impl {
  std::optional<http::response_parser<ForwardedBody>> parser;
  beast::flat_buffer unread;  // an incomplete head or chunk header

  Impl() { restart(); }
  void restart() {
    parser.emplace();
    parser->header_limit(kMaxHeaderBytes);
    parser->body_limit(boost::none);
    parser->eager(false);  // until the head is read, so that it is told before the body
  }
};

HttpResponseParser::HttpResponseParser() : impl_(std::make_unique<Impl>()) {}
HttpResponseParser::~HttpResponseParser() = default;

bool HttpResponseParser::has_head() const {
  return head_.status != 0;
}
bool HttpResponseParser::is_done() const {
  return has_head() && impl_->parser->is_done();
}

Status HttpResponseParser::feed(std::string_view bytes, OnBody on_body) {
  has_bytes_ = has_bytes_ || !bytes.empty();
  beast::flat_buffer& unread = impl_->unread;
  asio::buffer_copy(unread.prepare(bytes.size()), asio::buffer(bytes));
  unread.commit(bytes.size());
  const Status status = parse(on_body);
  impl_->parser->get().body().sink = nullptr;
  return status;
}

Status HttpResponseParser::parse(OnBody on_body) {
  beast::flat_buffer& unread = impl_->unread;
  while (unread.size() > 0 && !is_done() && !stopped_) {
    auto& parser = *impl_->parser;
    parser.get().body().sink = &on_body;
    error_code error;
    unread.consume(parser.put(unread.data(), error));
    if (error == http::error::need_more) return {};
    if (error == http::error::header_limit) {
      return Error{ErrorCode::kTooLarge,
                   fmt::format("more than {} bytes of response headers", kMaxHeaderBytes), ""};
    }
    if (error) {
      return Error{ErrorCode::kCorrupt, fmt::format("not an HTTP response: {}", error.message()),
                   ""};
    }
    const int status = parser.is_header_done() ? static_cast<int>(parser.get().result_int()) : 0;
    if (status >= 100 && status < 200 && parser.is_done()) {
      impl_->restart();  // 100 Continue and its like: the response is still to come
      continue;
    }
    if (!has_head() && parser.is_header_done()) {
      read_head();
      parser.eager(true);
    }
    stopped_ = parser.get().body().stopped;
  }
  return {};
}

void HttpResponseParser::read_head() {
  const auto& message = impl_->parser->get();
  head_.status = static_cast<int>(message.result_int());
  head_.keep_alive = impl_->parser->keep_alive();
  for (const auto& field : message) {
    head_.headers.emplace_back(lower_case(field.name_string()), std::string(field.value()));
  }
}

bool HttpResponseParser::has_surplus() const {
  return is_done() && impl_->unread.size() > 0;
}

Status HttpResponseParser::feed_end() {
  if (!has_head()) {
    return Error{ErrorCode::kIo, "the connection was closed before a response came", ""};
  }
  error_code error;
  if (!impl_->parser->is_done()) impl_->parser->put_eof(error);
  if (error || !impl_->parser->is_done()) {
    return Error{ErrorCode::kIo, "the connection was closed in the middle of the response", ""};
  }
  return {};
}

}  // namespace twostroke
