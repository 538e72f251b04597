#include "CPq.h"
#include <CSystem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static backstop_pq library;
static char failure[512];

#define FUNCTIONS(USE) \
    USE(PQconnectStartParams) \
    USE(PQconnectPoll) \
    USE(PQstatus) \
    USE(PQsocket) \
    USE(PQserverVersion) \
    USE(PQerrorMessage) \
    USE(PQfinish) \
    USE(PQsendQuery) \
    USE(PQsendQueryParams) \
    USE(PQconsumeInput) \
    USE(PQisBusy) \
    USE(PQgetResult) \
    USE(PQresultStatus) \
    USE(PQresultErrorMessage) \
    USE(PQresultErrorField) \
    USE(PQntuples) \
    USE(PQnfields) \
    USE(PQgetisnull) \
    USE(PQgetvalue) \
    USE(PQclear) \
    USE(PQgetCancel) \
    USE(PQcancel) \
    USE(PQfreeCancel) \
    USE(PQsetNoticeProcessor)

static void load(void) {
#define SYMBOL(name) {#name, (void **)&library.name},
    static const backstop_symbol symbols[] = {FUNCTIONS(SYMBOL)};
    backstop_load("libpq.so.5", symbols, sizeof symbols / sizeof symbols[0], failure, sizeof failure);
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
