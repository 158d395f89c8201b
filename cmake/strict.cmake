# The flags of every target of ours, on one INTERFACE target.
add_library(strict INTERFACE)
target_compile_definitions(strict INTERFACE _POSIX_C_SOURCE=200809L)
target_compile_options(strict INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wcast-align
  -Wpointer-arith -Wwrite-strings -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes
  -Wold-style-definition -Wundef -Wvla -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference
  -fno-common -ffp-contract=off -fno-omit-frame-pointer
  $<$<C_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond -Wduplicated-branches>
  $<$<C_COMPILER_ID:Clang>:-Wcomma -Wassign-enum -Wunreachable-code-aggressive>
  $<$<BOOL:${WERROR}>:-Werror>
  $<$<CONFIG:Release>:-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -g>)
if(CRASH_POINTS)
  target_compile_definitions(strict INTERFACE CRASH_POINTS)
endif()
if(SANITIZE)
  target_compile_options(strict INTERFACE -fsanitize=${SANITIZE} -fno-sanitize-recover=all
                         -U_FORTIFY_SOURCE -Wno-null-dereference)
  target_link_options(strict INTERFACE -fsanitize=${SANITIZE})
endif()
if(SANITIZE STREQUAL "thread")
  add_library(c11_threads STATIC tests/lib/c11_threads.c)
  target_compile_definitions(c11_threads PRIVATE _POSIX_C_SOURCE=200809L)
  target_link_libraries(strict INTERFACE c11_threads)
  target_link_options(strict INTERFACE -Wl,-u,thrd_create)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/processor)

# room(NAME SOURCES... LINK LIBRARIES...): a static library of ours.
function(room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(${name} PUBLIC ${ROOM_LINK} PRIVATE strict)
endfunction()
