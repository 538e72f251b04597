// The path in %p of archive_command and restore_command.

import BackstopCore
import Glibc

enum ServerPath {
    /// PostgreSQL gives a path relative to PGDATA, and runs the command there. A relative path belongs to the server that called, so it is
    /// refused when that is not the one of pg1-path.
    static func absolute(_ path: String, _ options: Options) throws(BackupError) -> String {
        if path.hasBytes("/") { return path }
        guard let data = options[PostgresOptions.path, 1] else {
            throw BackupError(
                .optionRequired, "option 'pg1-path' must be specified when relative wal paths are used",
                hint: "is there a section [\(options[SourceOptions.stanza] ?? "STANZA")] with pg1-path in the configuration?"
                    + (path.contains("/") ? "" : "\nis %f passed instead of %p?"))
        }
        let working = getcwd(nil, 0)
        defer { free(working) }
        var here = stat()
        var there = stat()
        guard stat(".", &here) == 0, stat(data, &there) == 0, here.st_ino == there.st_ino, here.st_dev == there.st_dev else {
            throw BackupError(
                .optionInvalidValue,
                "PostgreSQL working directory '\(working.map { String(cString: $0) } ?? "?")' is not the same as option pg1-path '\(data)'",
                hint: "is the PostgreSQL data_directory configured the same as the pg1-path option?")
        }
        return "\(data)/\(path)"
    }
}
