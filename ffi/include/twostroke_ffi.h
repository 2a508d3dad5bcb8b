/* The C interface of the Rust static library (ffi/src): chat templates. Only
 * src/prompt/chat_template.cpp uses it. Every function may be called from any thread; nothing
 * throws or unwinds. Grammar masks have their own header, llguidance.h, which the build puts beside
 * the library. */
#ifndef TWOSTROKE_FFI_H
#define TWOSTROKE_FFI_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct TsTemplate TsTemplate;

/* Text that the library owns: not NUL-terminated; give it back to ts_text_free, once. */
typedef struct TsText {
  char* data;
  size_t length;
  size_t line; /* of an error: the template's line, 1-based; 0 when it has none */
} TsText;

/* Formats "now" as strftime does: writes at most `capacity` bytes to `out`, returns how many.
 * Thread-safe. */
typedef size_t (*TsStrftime)(void* user, const char* format, size_t format_length, char* out,
                             size_t capacity);

/* Compiles a template. Null on failure, with the reason in *error. `user` must outlive the
 * template. */
TsTemplate* ts_template_new(const char* source, size_t length, TsStrftime strftime, void* user,
                            TsText* error);

/* Renders with the members of a JSON object as variables. 1: *result is the text. 0: *result is why
 * it failed; -1: the same, and the reason is the budget of work.
 * is_traced: what `tojson` writes of a map consists of marks (code points in TS_MARK ranges) and
 * white space: the last mark that a string in it had, else the one of the map's part. */
int ts_template_render(const TsTemplate* chat_template, const char* context_json, size_t length,
                       int is_traced, TsText* result);

/* Marks are the code points [0x40000, 0xDFFFF] and [0xF0000, 0x10FFFF]. The first 4096 of the
 * second range stand for parts of a request: tools, other variables, message i and document i
 * (further ones have no mark). */
enum {
  TS_PART_MARKS = 0xF0000,
  TS_NUM_PART_MARKS = 4096,
  TS_PART_TOOLS = 0,
  TS_PART_VARIABLES = 1,
  TS_PART_FIRST_MESSAGE = 2, /* + 2 * i */
  TS_PART_FIRST_DOCUMENT = 3 /* + 2 * i */
};

void ts_template_free(TsTemplate* chat_template);
void ts_text_free(TsText text);

#ifdef __cplusplus
}
#endif

#endif
