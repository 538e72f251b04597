#include "CCurl.h"
#include <CSystem.h>
#include <pthread.h>
#include <stdio.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[512];

#define FUNCTIONS(USE)                                                                                                    \
    USE(curl_global_init)                                                                                                 \
    USE(curl_multi_init)                                                                                                  \
    USE(curl_multi_setopt)                                                                                                \
    USE(curl_multi_add_handle)                                                                                            \
    USE(curl_multi_remove_handle)                                                                                         \
    USE(curl_multi_perform)                                                                                               \
    USE(curl_multi_poll)                                                                                                  \
    USE(curl_multi_wakeup)                                                                                                \
    USE(curl_multi_cleanup)                                                                                               \
    USE(curl_multi_info_read)                                                                                             \
    USE(curl_easy_init)                                                                                                   \
    USE(curl_easy_reset)                                                                                                  \
    USE(curl_easy_cleanup)                                                                                                \
    USE(curl_easy_setopt)                                                                                                 \
    USE(curl_easy_strerror)                                                                                               \
    USE(curl_version)                                                                                                     \
    USE(curl_slist_append)                                                                                                \
    USE(curl_slist_free_all)

// The macros of curl.h would wrap these names.
#undef curl_easy_setopt
#undef curl_multi_setopt

static struct {
#define DECLARE(name) __typeof__(&name) name;
    FUNCTIONS(DECLARE)
} curl;

static void load(void) {
#define SYMBOL(name) {#name, (void **)&curl.name},
    static const backstop_symbol symbols[] = {FUNCTIONS(SYMBOL)};
    backstop_load("libcurl.so.4", symbols, sizeof symbols / sizeof symbols[0], failure, sizeof failure);
    if (failure[0] != 0) return;
    CURLcode result = curl.curl_global_init(CURL_GLOBAL_DEFAULT);
    if (result != CURLE_OK) snprintf(failure, sizeof failure, "libcurl: %s", curl.curl_easy_strerror(result));
}

const char *backstop_curl_load(void) {
    pthread_once(&once, load);
    return failure[0] == 0 ? NULL : failure;
}

const char *backstop_curl_version(void) { return curl.curl_version(); }

void *backstop_curl_multi(void) { return curl.curl_multi_init(); }
int backstop_curl_multi_set(void *multi, int option, long value) { return curl.curl_multi_setopt(multi, (CURLMoption)option, value); }
int backstop_curl_multi_add(void *multi, void *easy) { return curl.curl_multi_add_handle(multi, easy); }
int backstop_curl_multi_remove(void *multi, void *easy) { return curl.curl_multi_remove_handle(multi, easy); }
int backstop_curl_multi_perform(void *multi, int *running) { return curl.curl_multi_perform(multi, running); }
int backstop_curl_multi_poll(void *multi, int milliseconds) { return curl.curl_multi_poll(multi, NULL, 0, milliseconds, NULL); }
int backstop_curl_multi_wakeup(void *multi) { return curl.curl_multi_wakeup(multi); }
void backstop_curl_multi_cleanup(void *multi) { curl.curl_multi_cleanup(multi); }

void *backstop_curl_multi_done(void *multi, int *result) {
    int waiting;
    CURLMsg *message;
    while ((message = curl.curl_multi_info_read(multi, &waiting)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return message->easy_handle;
    }
    return NULL;
}

void *backstop_curl_easy(void) { return curl.curl_easy_init(); }
void backstop_curl_easy_reset(void *easy) { curl.curl_easy_reset(easy); }
void backstop_curl_easy_cleanup(void *easy) { curl.curl_easy_cleanup(easy); }
int backstop_curl_set_number(void *easy, int option, long value) { return curl.curl_easy_setopt(easy, (CURLoption)option, value); }
int backstop_curl_set_offset(void *easy, int option, int64_t value) {
    return curl.curl_easy_setopt(easy, (CURLoption)option, (curl_off_t)value);
}
int backstop_curl_set_text(void *easy, int option, const char *value) { return curl.curl_easy_setopt(easy, (CURLoption)option, value); }
int backstop_curl_set_pointer(void *easy, int option, void *value) { return curl.curl_easy_setopt(easy, (CURLoption)option, value); }
int backstop_curl_set_data(void *easy, int option, backstop_curl_data function) {
    return curl.curl_easy_setopt(easy, (CURLoption)option, function);
}
int backstop_curl_set_seek(void *easy, backstop_curl_seek function) {
    return curl.curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, function);
}
const char *backstop_curl_text(int result) { return curl.curl_easy_strerror((CURLcode)result); }

void *backstop_curl_list_append(void *list, const char *line) { return curl.curl_slist_append(list, line); }
void backstop_curl_list_free(void *list) { curl.curl_slist_free_all(list); }
