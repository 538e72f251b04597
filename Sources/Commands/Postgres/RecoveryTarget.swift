// The time to which a cluster shall be recovered, as a number that backups can be compared with.

import BackstopCore

enum RecoveryTarget {
    /// Unix seconds of a text as `seconds(recoveryTime:)` reads it.
    /// PostgreSQL understands more formats, but a backup set can be chosen by this one only.
    static func unixSeconds(_ text: String) throws(BackupError) -> Int64 {
        guard let seconds = seconds(recoveryTime: text) else {
            throw BackupError(
                .format, "'\(text)' is not a time that a backup set can be chosen by",
                hint: "expected YYYY-MM-DD HH:MM:SS with a time zone such as +02 after it if it is not the local one.\n"
                    + "with another format of PostgreSQL choose the backup with --set.")
        }
        return seconds
    }
}
