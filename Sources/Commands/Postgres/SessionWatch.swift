// Noticing that a session has ended while nobody asks it anything.

import BackstopCore
import Glibc

/// The server forgets a backup whose session has ended, so copying on would be in vain.
struct SessionWatch: Sendable {
    /// Of the connection; -1: there is none any more.
    let descriptor: Int32

    func check() throws(BackupError) {
        var waited = pollfd(fd: descriptor, events: Int16(0x2000), revents: 0) // POLLRDHUP
        if descriptor >= 0, poll(&waited, 1, 0) == 0 { return }
        throw BackupError(
            .dbConnect, "the session with the database that began the backup has ended: what was copied is no backup",
            hint: "was the server stopped, or the session ended by an administrator or a network? Back up again.")
    }
}
