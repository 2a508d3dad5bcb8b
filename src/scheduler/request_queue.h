// RequestQueue: the waiting requests in order of arrival, as an intrusive list: no allocation, O(1)
// removal. Does not own the requests. Engine thread only.
#pragma once

#include "scheduler/request.h"

namespace twostroke {

class RequestQueue {
 public:
  void push_back(Request& request);
  void push_front(Request& request);
  void remove(Request& request);  // REQUIRES: it is in this queue
  Request* front() const { return front_; }
  int size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  Request* front_ = nullptr;
  Request* back_ = nullptr;
  int size_ = 0;
};

}  // namespace twostroke
