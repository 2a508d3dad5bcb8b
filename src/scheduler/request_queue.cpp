#include "scheduler/request_queue.h"

#include "base/check.h"

namespace twostroke {

void RequestQueue::push_back(Request& request) {
  CHECK(request.previous == nullptr && request.next == nullptr && front_ != &request);
  request.previous = back_;
  (back_ == nullptr ? front_ : back_->next) = &request;
  back_ = &request;
  ++size_;
}

void RequestQueue::push_front(Request& request) {
  CHECK(request.previous == nullptr && request.next == nullptr && front_ != &request);
  request.next = front_;
  (front_ == nullptr ? back_ : front_->previous) = &request;
  front_ = &request;
  ++size_;
}

void RequestQueue::remove(Request& request) {
  CHECK_GT(size_, 0);
  (request.previous == nullptr ? front_ : request.previous->next) = request.next;
  (request.next == nullptr ? back_ : request.next->previous) = request.previous;
  request.previous = request.next = nullptr;
  --size_;
}

}  // namespace twostroke
