# ts_ffi: the one Rust static library (ffi/), built by cargo and imported as a target to link. All presets share one
# cargo folder: the archive has no sanitizer and no debug variant, so building it once per preset would be waste.
find_program(CARGO cargo HINTS $ENV{CARGO_HOME}/bin $ENV{HOME}/.cargo/bin DOC "cargo >= 1.87")
set(ts_rust_hint "On Debian 12: apt install --no-install-recommends rustc-web cargo-web")
if(NOT CARGO)
  message(FATAL_ERROR "cargo >= 1.87 is needed to build ffi/, and none was found. ${ts_rust_hint}")
endif()
execute_process(COMMAND ${CARGO} --version OUTPUT_VARIABLE ts_cargo_version OUTPUT_STRIP_TRAILING_WHITESPACE
                WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}/ffi)
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" ts_cargo_number "${ts_cargo_version}")
if(NOT ts_cargo_number OR ts_cargo_number VERSION_LESS 1.87)
  message(FATAL_ERROR
    "cargo >= 1.87 is needed to build ffi/; ${CARGO} says '${ts_cargo_version}'. ${ts_rust_hint}, then configure "
    "again with -U CARGO")
endif()

set(ts_ffi_dir ${PROJECT_SOURCE_DIR}/ffi)
set(ts_cargo_dir ${PROJECT_SOURCE_DIR}/build/cargo)
set(ts_ffi_library ${ts_cargo_dir}/release/libtwostroke_ffi.a)
file(GLOB ts_ffi_sources CONFIGURE_DEPENDS ${ts_ffi_dir}/src/*.rs)
# cargo leaves an archive alone that is up to date by its own reckoning, so touch it for ninja's. Flags for C++ or
# a RUSTFLAGS of the caller must not reach it: another preset would rebuild what this one made.
add_custom_command(
  OUTPUT ${ts_ffi_library}
  BYPRODUCTS ${ts_cargo_dir}/release/llguidance.h
  COMMAND ${CMAKE_COMMAND} -E env --unset=RUSTFLAGS CARGO_TARGET_DIR=${ts_cargo_dir}
          ${CARGO} build --release --locked --quiet --manifest-path ${ts_ffi_dir}/Cargo.toml
  COMMAND ${CMAKE_COMMAND} -E touch ${ts_ffi_library}
  DEPENDS ${ts_ffi_dir}/Cargo.toml ${ts_ffi_dir}/Cargo.lock ${ts_ffi_sources}
  COMMENT "cargo build: ffi (chat templates, grammar masks)"
  USES_TERMINAL VERBATIM)
add_custom_target(ts_ffi_build DEPENDS ${ts_ffi_library})

file(MAKE_DIRECTORY ${ts_cargo_dir}/release)  # an imported target's include folders must exist at configure time
add_library(ts_ffi STATIC IMPORTED GLOBAL)
set_target_properties(ts_ffi PROPERTIES
  IMPORTED_LOCATION ${ts_ffi_library}
  INTERFACE_INCLUDE_DIRECTORIES "${ts_ffi_dir}/include;${ts_cargo_dir}/release")
target_link_libraries(ts_ffi INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
add_dependencies(ts_ffi ts_ffi_build)
