# twostroke_page(TARGET): links the page (web/, built by Vite) into TARGET as the table that server/page_assets.h declares.
# All presets share one folder, as with cargo: the page has no sanitizer variant, so building it per preset is waste.
set(ts_page_dir ${PROJECT_SOURCE_DIR}/build/web)
function(twostroke_page target)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/web/src/* ${PROJECT_SOURCE_DIR}/web/public/*)
  add_custom_command(
    OUTPUT ${ts_page_dir}/page_assets.cpp ${ts_page_dir}/page_assets.bin
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/build_page ${ts_page_dir}
    DEPENDS ${sources} ${PROJECT_SOURCE_DIR}/web/index.html ${PROJECT_SOURCE_DIR}/web/package-lock.json
            ${PROJECT_SOURCE_DIR}/web/vite.config.ts ${PROJECT_SOURCE_DIR}/web/embed.mjs
            ${PROJECT_SOURCE_DIR}/scripts/build_page
    COMMENT "vite build: the page"
    USES_TERMINAL VERBATIM)
  # The compiler does not see what .incbin reads.
  set_source_files_properties(${ts_page_dir}/page_assets.cpp PROPERTIES
    OBJECT_DEPENDS ${ts_page_dir}/page_assets.bin)
  target_sources(${target} PRIVATE ${ts_page_dir}/page_assets.cpp)
endfunction()
