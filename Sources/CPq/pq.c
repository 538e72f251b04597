#include "CPq.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static backstop_pq library;
static char failure[512];

static void load(void) {
    void *handle = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        snprintf(failure, sizeof failure, "%s", dlerror());
        return;
    }
#define FIND(name)                                                               \
    if ((library.name = (__typeof__(library.name))dlsym(handle, #name)) == NULL) { \
        snprintf(failure, sizeof failure, "libpq.so.5 lacks %s", #name);           \
        return;                                                                    \
    }
    FIND(PQconnectStartParams)
    FIND(PQconnectPoll)
    FIND(PQstatus)
    FIND(PQsocket)
    FIND(PQserverVersion)
    FIND(PQerrorMessage)
    FIND(PQfinish)
    FIND(PQsendQuery)
    FIND(PQsendQueryParams)
    FIND(PQconsumeInput)
    FIND(PQisBusy)
    FIND(PQgetResult)
    FIND(PQresultStatus)
    FIND(PQresultErrorMessage)
    FIND(PQresultErrorField)
    FIND(PQntuples)
    FIND(PQnfields)
    FIND(PQgetisnull)
    FIND(PQgetvalue)
    FIND(PQclear)
    FIND(PQgetCancel)
    FIND(PQcancel)
    FIND(PQfreeCancel)
    FIND(PQsetNoticeProcessor)
}

const backstop_pq *backstop_pq_load(const char **error) {
    pthread_once(&once, load);
    *error = failure;
    return failure[0] == 0 ? &library : NULL;
}

static void ignore(void *argument, const char *message) {
    (void)argument;
    (void)message;
}

void backstop_pq_ignore_notices(const backstop_pq *pq, backstop_pq_connection *connection) {
    pq->PQsetNoticeProcessor(connection, ignore, NULL);
}

static void *cancel(void *request) {
    char error[256];
    library.PQcancel(request, error, sizeof error);
    library.PQfreeCancel(request);
    return NULL;
}

void backstop_pq_cancel(const backstop_pq *pq, backstop_pq_connection *connection) {
    void *request = pq->PQgetCancel(connection);
    if (request == NULL) return;
    pthread_t thread;
    if (pthread_create(&thread, NULL, cancel, request) == 0) {
        pthread_detach(thread);
    } else {
        pq->PQfreeCancel(request);
    }
}
