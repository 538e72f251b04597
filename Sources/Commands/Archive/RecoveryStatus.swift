// What the end of archive-get means to the server that asked for the file.

public import BackstopCore
import Glibc

/// PostgreSQL (RestoreArchivedFile) takes 0 for success, 1 to 125 for a file that is not there: a recovery then ends and the server opens for
/// writing, a standby asks elsewhere. Above 125, or death by a signal, the server stops; 143 and SIGTERM it takes for its own shutdown.
public enum RecoveryStatus {
    /// The file could not be had, and nobody knows whether it exists.
    static let failed: Int32 = 200

    /// `signal`: the number of the one that ended the command, or 0. `options`: nil when the configuration could not be read.
    public static func of(_ error: BackupError, signal: Int32, _ options: Options?) -> Int32 {
        decide(
            error.code, signal: signal, continues: options?[ArchiveOptions.getFailure] == "continue",
            isStandby: isStandby(options?[PostgresOptions.path, 1]))
    }

    /// A standby that is told to stop would be down, and it asks again by itself.
    static func decide(_ code: BackupError.Code, signal: Int32, continues: Bool, isStandby: Bool) -> Int32 {
        if continues || isStandby { return code.exitStatus }
        return code == .cancelled && signal > 0 ? 128 + signal : failed
    }

    /// Whether the server that called, in whose folder a command runs, is a standby. `path`: PGDATA where no server called.
    static func isStandby(_ path: String?) -> Bool {
        guard let data = access("global/pg_control", F_OK) == 0 ? "." : path else { return false }
        if access("\(data)/standby.signal", F_OK) == 0 { return true }
        // Before PostgreSQL 12, which refuses to start with such a file.
        guard let bytes = try? readFile("\(data)/recovery.conf") else { return false }
        return isStandbyMode(String(decoding: bytes, as: UTF8.self))
    }

    /// `standby_mode` in the text of recovery.conf; the last one counts.
    static func isStandbyMode(_ text: String) -> Bool {
        var isOn = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.drop(while: \.isWhitespace)
            let name = line.prefix { $0.isLetter || $0 == "_" }
            guard name.lowercased() == "standby_mode" else { continue }
            var value = line.dropFirst(name.count).drop(while: \.isWhitespace)
            if value.first == "=" { value = value.dropFirst().drop(while: \.isWhitespace) }
            let isQuoted = value.first == "'"
            if isQuoted { value = value.dropFirst() }
            let word = value.prefix { isQuoted ? $0 != "'" : !$0.isWhitespace && $0 != "#" }.lowercased()
            isOn = word == "on" || word == "1" || !word.isEmpty && ("true".hasPrefix(word) || "yes".hasPrefix(word))
        }
        return isOn
    }
}
