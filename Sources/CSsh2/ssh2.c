#include "CSsh2.h"
#include <CSystem.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[512];

#define FUNCTIONS(USE)                                                                                                    \
    USE(libssh2_init)                                                                                                     \
    USE(libssh2_version)                                                                                                  \
    USE(libssh2_session_init_ex)                                                                                          \
    USE(libssh2_session_set_blocking)                                                                                     \
    USE(libssh2_session_free)                                                                                             \
    USE(libssh2_session_disconnect_ex)                                                                                    \
    USE(libssh2_session_method_pref)                                                                                      \
    USE(libssh2_session_handshake)                                                                                        \
    USE(libssh2_session_hostkey)                                                                                          \
    USE(libssh2_session_block_directions)                                                                                 \
    USE(libssh2_session_last_errno)                                                                                       \
    USE(libssh2_session_last_error)                                                                                       \
    USE(libssh2_userauth_publickey_fromfile_ex)                                                                           \
    USE(libssh2_channel_open_ex)                                                                                          \
    USE(libssh2_channel_process_startup)                                                                                  \
    USE(libssh2_channel_handle_extended_data2)                                                                            \
    USE(libssh2_channel_read_ex)                                                                                          \
    USE(libssh2_channel_write_ex)                                                                                         \
    USE(libssh2_channel_eof)

static struct {
#define DECLARE(name) __typeof__(&name) name;
    FUNCTIONS(DECLARE)
} ssh2;

static void load(void) {
#define SYMBOL(name) {#name, (void **)&ssh2.name},
    static const backstop_symbol symbols[] = {FUNCTIONS(SYMBOL)};
    backstop_load("libssh2.so.1", symbols, sizeof symbols / sizeof symbols[0], failure, sizeof failure);
    if (failure[0] != 0) return;
    int result = ssh2.libssh2_init(0);
    if (result != 0) snprintf(failure, sizeof failure, "libssh2 answers %d to its initialisation", result);
}

const char *backstop_ssh2_load(void) {
    pthread_once(&once, load);
    return failure[0] == 0 ? NULL : failure;
}

const char *backstop_ssh2_version(void) { return ssh2.libssh2_version(0); }
int backstop_ssh2_is_at_least(int version) { return ssh2.libssh2_version(version) != NULL; }

LIBSSH2_SESSION *backstop_ssh2_session(void) {
    LIBSSH2_SESSION *session = ssh2.libssh2_session_init_ex(NULL, NULL, NULL, NULL);
    if (session != NULL) ssh2.libssh2_session_set_blocking(session, 0);
    return session;
}
int backstop_ssh2_session_free(LIBSSH2_SESSION *session) {
    return ssh2.libssh2_session_free(session);
}
int backstop_ssh2_disconnect(LIBSSH2_SESSION *session) {
    return ssh2.libssh2_session_disconnect_ex(session, SSH_DISCONNECT_BY_APPLICATION, "done", "");
}
int backstop_ssh2_method_pref(LIBSSH2_SESSION *session, int method, const char *names) {
    return ssh2.libssh2_session_method_pref(session, method, names);
}
int backstop_ssh2_handshake(LIBSSH2_SESSION *session, int socket) {
    return ssh2.libssh2_session_handshake(session, socket);
}
const char *backstop_ssh2_hostkey(LIBSSH2_SESSION *session, size_t *length) {
    int type;
    return ssh2.libssh2_session_hostkey(session, length, &type);
}
int backstop_ssh2_block_directions(LIBSSH2_SESSION *session) { return ssh2.libssh2_session_block_directions(session); }
int backstop_ssh2_last_errno(LIBSSH2_SESSION *session) { return ssh2.libssh2_session_last_errno(session); }
const char *backstop_ssh2_last_error(LIBSSH2_SESSION *session) {
    char *message = NULL;
    ssh2.libssh2_session_last_error(session, &message, NULL, 0);
    return message == NULL ? "" : message;
}
int backstop_ssh2_userauth_publickey(
    LIBSSH2_SESSION *session, const char *user, const char *publicKeyFile, const char *privateKeyFile, const char *passphrase) {
    return ssh2.libssh2_userauth_publickey_fromfile_ex(
        session, user, (unsigned int)strlen(user), publicKeyFile, privateKeyFile, passphrase);
}

LIBSSH2_CHANNEL *backstop_ssh2_channel(LIBSSH2_SESSION *session, unsigned int window, unsigned int packet) {
    return ssh2.libssh2_channel_open_ex(session, "session", sizeof "session" - 1, window, packet, NULL, 0);
}
int backstop_ssh2_subsystem(LIBSSH2_CHANNEL *channel, const char *name) {
    return ssh2.libssh2_channel_process_startup(channel, "subsystem", sizeof "subsystem" - 1, name, (unsigned int)strlen(name));
}
int backstop_ssh2_ignore_errors(LIBSSH2_CHANNEL *channel) {
    return ssh2.libssh2_channel_handle_extended_data2(channel, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
}
ssize_t backstop_ssh2_read(LIBSSH2_CHANNEL *channel, void *bytes, size_t count) {
    return ssh2.libssh2_channel_read_ex(channel, 0, bytes, count);
}
ssize_t backstop_ssh2_write(LIBSSH2_CHANNEL *channel, const void *bytes, size_t count) {
    return ssh2.libssh2_channel_write_ex(channel, 0, bytes, count);
}
int backstop_ssh2_eof(LIBSSH2_CHANNEL *channel) { return ssh2.libssh2_channel_eof(channel); }
