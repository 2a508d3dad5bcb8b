// Waker: lets any thread tell a connection that there is news, however long the connection lives.
// Calls are folded into one until the connection has looked.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>

#include "server/http_connection.h"

namespace twostroke {

class Waker : public std::enable_shared_from_this<Waker> {
 public:
  Waker(boost::asio::io_context& io, std::weak_ptr<HttpConnection> connection)
      : io_(&io), connection_(std::move(connection)) {}

  // Any thread.
  void wake() {
    const std::lock_guard lock(mutex_);
    if (io_ == nullptr || posted_) return;
    posted_ = true;
    boost::asio::post(*io_, [self = shared_from_this()] { self->deliver(); });
  }
  // The connection ends: from here wake() does nothing, so it may come after the server is gone.
  void detach() {
    const std::lock_guard lock(mutex_);
    io_ = nullptr;
  }

 private:
  void deliver() {
    {
      const std::lock_guard lock(mutex_);
      posted_ = false;
    }
    if (const auto connection = connection_.lock()) connection->on_wake();
  }

  std::mutex mutex_;
  boost::asio::io_context* io_;  // null once detached
  std::weak_ptr<HttpConnection> connection_;
  bool posted_ = false;
};

}  // namespace twostroke
