// libcurl, loaded at the first use instead of linked: with the TLS, HTTP/2, Kerberos and LDAP libraries that it brings along it costs more
// start-up than everything else together, which commands that only use a folder shall not pay. Names and meanings are those of libcurl's
// documentation; what C writes with variable arguments has a function for each kind of argument.
#pragma once

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

// Loads the library and initialises it. NULL, or why it cannot be used. Safe from any thread.
const char *_Nullable backstop_curl_load(void);

// Only after a successful load:

// The versions of libcurl and of the libraries that it uses, in one line.
const char *_Nonnull backstop_curl_version(void);

void *_Nullable backstop_curl_multi(void);
int backstop_curl_multi_set(void *_Nonnull multi, int option, long value);
int backstop_curl_multi_add(void *_Nonnull multi, void *_Nonnull easy);
int backstop_curl_multi_remove(void *_Nonnull multi, void *_Nonnull easy);
int backstop_curl_multi_perform(void *_Nonnull multi, int *_Nonnull running);
int backstop_curl_multi_poll(void *_Nonnull multi, int milliseconds);
int backstop_curl_multi_wakeup(void *_Nonnull multi);
void backstop_curl_multi_cleanup(void *_Nonnull multi);
// The next transfer that has ended, or NULL.
void *_Nullable backstop_curl_multi_done(void *_Nonnull multi, int *_Nonnull result);

void *_Nullable backstop_curl_easy(void);
void backstop_curl_easy_reset(void *_Nonnull easy);
void backstop_curl_easy_cleanup(void *_Nonnull easy);
int backstop_curl_set_number(void *_Nonnull easy, int option, long value);
int backstop_curl_set_offset(void *_Nonnull easy, int option, int64_t value);
int backstop_curl_set_text(void *_Nonnull easy, int option, const char *_Nullable value);
int backstop_curl_set_pointer(void *_Nonnull easy, int option, void *_Nullable value);
const char *_Nonnull backstop_curl_text(int result);

typedef size_t (*backstop_curl_data)(char *_Nonnull bytes, size_t size, size_t count, void *_Nullable context);
typedef int (*backstop_curl_seek)(void *_Nullable context, curl_off_t offset, int origin);
int backstop_curl_set_data(void *_Nonnull easy, int option, backstop_curl_data _Nonnull function);
int backstop_curl_set_seek(void *_Nonnull easy, backstop_curl_seek _Nonnull function);

// NULL when there is no memory; the list is then as before.
void *_Nullable backstop_curl_list_append(void *_Nullable list, const char *_Nonnull line);
void backstop_curl_list_free(void *_Nullable list);
