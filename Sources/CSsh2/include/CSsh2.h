// libssh2, loaded at the first use instead of linked: only commands on a repository that is reached by SFTP shall pay for it. Names and
// meanings are those of libssh2's documentation, without its prefix.
#pragma once

#include <libssh2.h>
#include <stddef.h>

// Loads the library and initialises it. NULL, or why it cannot be used. Safe from any thread.
const char *_Nullable backstop_ssh2_load(void);

// Only after a successful load. While the process exits they fail, so that a thread that is still at it does no harm.

// As the library tells it: 1.10.0.
const char *_Nonnull backstop_ssh2_version(void);
// Whether it is at least that version, 0x010B00 say.
int backstop_ssh2_is_at_least(int version);

// A session that never waits.
LIBSSH2_SESSION *_Nullable backstop_ssh2_session(void);
// Ends it with its channel. The socket has to be shut down before, so that nothing is waited for.
int backstop_ssh2_session_free(LIBSSH2_SESSION *_Nonnull session);
int backstop_ssh2_disconnect(LIBSSH2_SESSION *_Nonnull session);
int backstop_ssh2_method_pref(LIBSSH2_SESSION *_Nonnull session, int method, const char *_Nonnull names);
int backstop_ssh2_handshake(LIBSSH2_SESSION *_Nonnull session, int socket);
const char *_Nullable backstop_ssh2_hostkey(LIBSSH2_SESSION *_Nonnull session, size_t *_Nonnull length);
int backstop_ssh2_block_directions(LIBSSH2_SESSION *_Nonnull session);
int backstop_ssh2_last_errno(LIBSSH2_SESSION *_Nonnull session);
// In the library's memory, until the next call.
const char *_Nonnull backstop_ssh2_last_error(LIBSSH2_SESSION *_Nonnull session);
int backstop_ssh2_userauth_publickey(
    LIBSSH2_SESSION *_Nonnull session, const char *_Nonnull user, const char *_Nullable publicKeyFile,
    const char *_Nonnull privateKeyFile, const char *_Nullable passphrase);

LIBSSH2_CHANNEL *_Nullable backstop_ssh2_channel(LIBSSH2_SESSION *_Nonnull session, unsigned int window, unsigned int packet);
int backstop_ssh2_subsystem(LIBSSH2_CHANNEL *_Nonnull channel, const char *_Nonnull name);
// What the other side writes to its standard error is dropped, so that it cannot fill the window.
int backstop_ssh2_ignore_errors(LIBSSH2_CHANNEL *_Nonnull channel);
ssize_t backstop_ssh2_read(LIBSSH2_CHANNEL *_Nonnull channel, void *_Nonnull bytes, size_t count);
ssize_t backstop_ssh2_write(LIBSSH2_CHANNEL *_Nonnull channel, const void *_Nonnull bytes, size_t count);
int backstop_ssh2_eof(LIBSSH2_CHANNEL *_Nonnull channel);
