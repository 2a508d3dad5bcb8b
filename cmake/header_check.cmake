# header_check: one source file per header, which includes that header and nothing else. It compiles only if every
# header is self-contained. Plain -O0 and no debug information: only the front end matters. Include after the rooms.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/src/*.h)
set(sources)
foreach(header ${headers})
  string(MAKE_C_IDENTIFIER ${header} name)
  set(source ${PROJECT_BINARY_DIR}/header_check/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"  // IWYU pragma: keep\n" @ONLY)
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
  target_compile_options(header_check PRIVATE -O0 -g0)
  target_link_libraries(header_check PRIVATE ts_options)
  # The libraries' own headers, by way of every room that has been laid.
  foreach(room base gguf quant kernels tokenizer prompt kv_cache sampling model scheduler phases engine server
               measure testing)
    if(TARGET ts_${room})
      target_link_libraries(header_check PRIVATE ts_${room})
    endif()
  endforeach()
endif()
