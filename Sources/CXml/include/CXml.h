// libxml2's SAX parser, loaded at the first use instead of linked: it brings ICU along, whose data alone is larger than our program.
#pragma once

#include <stddef.h>

// What the parser sees, in document order. `context` is the caller's own. Names come without a namespace prefix.
typedef struct backstop_xml_events {
    void (*_Nonnull start)(void *_Nullable context, const char *_Nonnull name);
    void (*_Nonnull end)(void *_Nullable context, const char *_Nonnull name);
    void (*_Nonnull text)(void *_Nullable context, const char *_Nonnull bytes, int count);
} backstop_xml_events;

// NULL, or why the library cannot be used. Safe from any thread.
const char *_Nullable backstop_xml_load(void);

// Only after a successful load. Parses a whole document: no network, no external entities, no expansion of entities that a document defines,
// and the library's own limits on depth and length. 0, or the number of the error with its text in `problem`.
int backstop_xml_parse(
    const char *_Nonnull bytes, int count, const backstop_xml_events *_Nonnull events, void *_Nullable context, char *_Nonnull problem,
    size_t problem_size);
