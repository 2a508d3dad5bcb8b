# unit_tests: every executable called *_test, wherever it is made; fuzzers: every executable called fuzz_*. A build
# that wants only these (sanitizers, coverage, fuzzing) names one target, and a new test needs no list.
# Include last.
function(twostroke_collect_programs folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE" AND target MATCHES "_test$")
      add_dependencies(unit_tests ${target})
    elseif(type STREQUAL "EXECUTABLE" AND target MATCHES "^fuzz_")
      add_dependencies(fuzzers ${target})
    endif()
  endforeach()
  get_property(subfolders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(subfolder ${subfolders})
    twostroke_collect_programs(${subfolder})
  endforeach()
endfunction()

add_custom_target(unit_tests)
add_custom_target(fuzzers)
twostroke_collect_programs(${PROJECT_SOURCE_DIR})
