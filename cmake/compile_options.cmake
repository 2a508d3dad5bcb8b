# One place for the flags every room is built with. Contraction is off so that a*b+c is never fused behind
# our back (law 1): fused multiply-adds are written explicitly.
add_library(ts_options INTERFACE)
target_include_directories(ts_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(ts_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -ffp-contract=off -fno-omit-frame-pointer -fvisibility=hidden -fvisibility-inlines-hidden)
if(TWOSTROKE_WERROR)
  target_compile_options(ts_options INTERFACE -Werror)
endif()
if(TWOSTROKE_SANITIZE)
  target_compile_options(ts_options INTERFACE -fsanitize=${TWOSTROKE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(ts_options INTERFACE -fsanitize=${TWOSTROKE_SANITIZE})
  if(TWOSTROKE_SANITIZE MATCHES "thread")
    # libstdc++'s and Asio's fences are not modelled; g++ warns about them.
    target_compile_options(ts_options INTERFACE -Wno-tsan)
  endif()
endif()
if(TWOSTROKE_FUZZ)
  target_compile_options(ts_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(TWOSTROKE_COVERAGE)
  target_compile_options(ts_options INTERFACE --coverage)
  target_link_options(ts_options INTERFACE --coverage)
endif()
