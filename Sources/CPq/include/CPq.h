// libpq, loaded at the first use instead of linked: with the TLS, Kerberos and LDAP libraries that it brings along it costs 3 ms of
// start-up (measured), which commands that never talk to a server shall not pay: archive-push runs once per WAL segment. The functions
// have the names and meanings of PostgreSQL's documentation, chapter libpq.
#pragma once

typedef struct backstop_pq_connection backstop_pq_connection;
typedef struct backstop_pq_result backstop_pq_result;

// Values that are part of libpq's binary interface.
enum { BACKSTOP_PQ_CONNECTION_OK = 0 };
enum { BACKSTOP_PQ_POLLING_FAILED = 0, BACKSTOP_PQ_POLLING_READING = 1, BACKSTOP_PQ_POLLING_WRITING = 2, BACKSTOP_PQ_POLLING_OK = 3 };
enum { BACKSTOP_PQ_EMPTY_QUERY = 0, BACKSTOP_PQ_COMMAND_OK = 1, BACKSTOP_PQ_TUPLES_OK = 2 };

typedef struct backstop_pq {
    backstop_pq_connection *_Nullable (*_Nonnull PQconnectStartParams)(
        const char *_Nullable const *_Nonnull keywords, const char *_Nullable const *_Nonnull values, int expand);
    int (*_Nonnull PQconnectPoll)(backstop_pq_connection *_Nonnull);
    int (*_Nonnull PQstatus)(const backstop_pq_connection *_Nonnull);
    int (*_Nonnull PQsocket)(const backstop_pq_connection *_Nonnull);
    int (*_Nonnull PQserverVersion)(const backstop_pq_connection *_Nonnull);
    char *_Nonnull (*_Nonnull PQerrorMessage)(const backstop_pq_connection *_Nonnull);
    void (*_Nonnull PQfinish)(backstop_pq_connection *_Nonnull);

    int (*_Nonnull PQsendQuery)(backstop_pq_connection *_Nonnull, const char *_Nonnull query);
    int (*_Nonnull PQsendQueryParams)(
        backstop_pq_connection *_Nonnull, const char *_Nonnull query, int count, const unsigned *_Nullable types,
        const char *_Nullable const *_Nullable values, const int *_Nullable lengths, const int *_Nullable formats, int result_format);
    int (*_Nonnull PQconsumeInput)(backstop_pq_connection *_Nonnull);
    int (*_Nonnull PQisBusy)(backstop_pq_connection *_Nonnull);

    backstop_pq_result *_Nullable (*_Nonnull PQgetResult)(backstop_pq_connection *_Nonnull);
    int (*_Nonnull PQresultStatus)(const backstop_pq_result *_Nonnull);
    char *_Nonnull (*_Nonnull PQresultErrorMessage)(const backstop_pq_result *_Nonnull);
    char *_Nullable (*_Nonnull PQresultErrorField)(const backstop_pq_result *_Nonnull, int field);
    int (*_Nonnull PQntuples)(const backstop_pq_result *_Nonnull);
    int (*_Nonnull PQnfields)(const backstop_pq_result *_Nonnull);
    int (*_Nonnull PQgetisnull)(const backstop_pq_result *_Nonnull, int row, int column);
    char *_Nonnull (*_Nonnull PQgetvalue)(const backstop_pq_result *_Nonnull, int row, int column);
    void (*_Nonnull PQclear)(backstop_pq_result *_Nonnull);

    // Used by the functions below.
    void *_Nullable (*_Nonnull PQgetCancel)(backstop_pq_connection *_Nonnull);
    int (*_Nonnull PQcancel)(void *_Nonnull, char *_Nonnull error, int error_size);
    void (*_Nonnull PQfreeCancel)(void *_Nonnull);
    void *_Nullable (*_Nonnull PQsetNoticeProcessor)(
        backstop_pq_connection *_Nonnull, void (*_Nonnull processor)(void *_Nullable, const char *_Nonnull), void *_Nullable);
} backstop_pq;

// The loaded library; NULL when it cannot be loaded, `error` tells why. Safe from any thread.
const backstop_pq *_Nullable backstop_pq_load(const char *_Nullable *_Nonnull error);

// libpq writes the server's notices to stderr unless told otherwise.
void backstop_pq_ignore_notices(const backstop_pq *_Nonnull pq, backstop_pq_connection *_Nonnull connection);

// Asks the server to cancel what the connection is doing, in a thread of its own: the request waits for a server that may hang.
void backstop_pq_cancel(const backstop_pq *_Nonnull pq, backstop_pq_connection *_Nonnull connection);
