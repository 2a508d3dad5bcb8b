// A callable passed by reference: two words, no allocation. Does not keep the callable alive: for
// arguments, not for members.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace twostroke {

template <typename Signature>
class FunctionRef;

template <typename R, typename... Args>
class FunctionRef<R(Args...)> {
 public:
  using Thunk = R (*)(void*, Args...);

  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
      FunctionRef(F&& callable)  // NOLINT: implicit, as a lambda argument is
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        thunk_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<Args>(args)...);
        }) {}
  // From the two words of another one.
  FunctionRef(void* target, Thunk call) : object_(target), thunk_(call) {}

  R operator()(Args... args) const { return thunk_(object_, std::forward<Args>(args)...); }

  void* object() const { return object_; }
  Thunk thunk() const { return thunk_; }

 private:
  void* object_;
  Thunk thunk_;
};

}  // namespace twostroke
