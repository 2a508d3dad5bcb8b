# header_check: "every header is self-contained" as a build target. A header with a source of its own (x.h, x.cpp) is
# shown to be so by that source, which includes it first (tests/tidy checks that it does). Each other header gets a
# one-line source here. -O0, no debug information, no warnings: only the front end's verdict matters. Include after the
# rooms.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/src/*.h)
set(sources)
foreach(header ${headers})
  string(REGEX REPLACE "\\.h$" ".cpp" own_source ${PROJECT_SOURCE_DIR}/src/${header})
  if(EXISTS ${own_source})
    continue()
  endif()
  string(MAKE_C_IDENTIFIER ${header} name)
  set(source ${PROJECT_BINARY_DIR}/header_check/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n" @ONLY)
  if(header MATCHES "^kernels/avx2/")
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mf16c;-mbmi2")
  elseif(header MATCHES "^kernels/avx512_vnni/")
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
      "-mavx2;-mfma;-mf16c;-mbmi2;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512vnni")
  endif()
  list(APPEND sources ${source})
endforeach()
if(sources)
  add_library(header_check OBJECT ${sources})
  target_link_libraries(header_check PRIVATE ts_options)
  target_compile_options(header_check PRIVATE -O0 -g0 -w)
  # The libraries' own headers, by way of every room that has been laid.
  foreach(room base gguf quant kernels tokenizer prompt kv_cache sampling model scheduler phases engine server
               measure testing apps)
    if(TARGET ts_${room})
      target_link_libraries(header_check PRIVATE ts_${room})
    endif()
  endforeach()
endif()
