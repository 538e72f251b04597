// `restore --plan`: what a restore with the same options would do, as far as it can be known without doing it.

import BackstopCore

/// A value that is gathered once and shown as text or JSON.
struct RestorePreview: Sendable {
    /// A tablespace or link of the backup and where it goes.
    struct Place: Sendable, Equatable {
        /// `tablespace ts1`, `link pg_wal`.
        var name: String
        var path: String
    }

    /// What the server is told of its recovery.
    struct Recovery: Sendable, Equatable {
        var type: String
        /// The file in PGDATA that is written to; nil: none.
        var file: String?
        /// What is written, after what the backup has of the file.
        var lines: [String] = []
        /// Lines of the file that become comments.
        var replaced: [String] = []
        /// An empty file.
        var signal: String?
    }

    enum WAL: Sendable, Equatable {
        /// Why there is nothing to say.
        case unknown(String)
        case needed(WALNeed)
    }

    var label: BackupLabel
    var type: BackupType
    /// As in `repo1`.
    var repository: String
    /// Why it is this backup.
    var reason: String
    /// Repositories that come before that and are not used.
    var passedOver: [String]
    /// Unix seconds.
    var stopTime: Int64
    var stop: String?
    var dataPath: String
    var isDelta: Bool
    var isForced: Bool
    /// A server runs there now.
    var isRunning: Bool
    var places: [Place]
    var files: RestoreFiles
    var spaces: [RestoreSpace]
    var wal: WAL
    var recovery: Recovery
    /// Lines after the first are hints.
    var warnings: [String]
    /// With what the restore would end; nil: nothing is known to be in its way.
    var failure: BackupError?
}

// MARK: Judging

extension RestorePreview {
    /// What fetches the WAL of the recovery, as far as it is known.
    enum Fetching: Sendable, Equatable {
        /// archive-get of this program, from repositories that all answered.
        case archives
        /// Likewise, but what some of them have is not known.
        case archivesInPart
        /// A command of the user's.
        case ownCommand
        case nothing
    }

    /// What is wrong with the WAL: what the server is certain not to start with, and what only cuts the recovery short.
    static func judge(
        _ need: WALNeed, _ label: BackupLabel, _ goal: WALNeed.Goal, _ fetching: Fetching
    ) -> (failure: BackupError?, warnings: [String]) {
        var warnings: [String] = []
        var failure: BackupError?
        func list(_ runs: [WALNeed.Run]) -> String {
            let shown = runs.prefix(8).map(\.text).joined(separator: ", ") + (runs.count > 8 ? ", …" : "")
            return "\(shown) (\(count(runs.reduce(0) { $0 + $1.count }, "segment")))"
        }
        if !need.missingForConsistency.isEmpty {
            let missing = list(need.missingForConsistency)
            switch fetching {
            case .archives:
                failure = BackupError(
                    .backupSetInvalid,
                    "backup set \(label) cannot become consistent: WAL \(missing) is neither in the archive nor in the backup",
                    hint: "choose another backup with --set, or another repository with --repo.")
            case .archivesInPart:
                warnings.append("WAL that the backup needs was not found: \(missing); not all repositories answered")
            case .ownCommand:
                warnings.append("WAL that the backup needs is not in the archive: \(missing)\nHINT: does your restore_command have it?")
            case .nothing:
                warnings.append(
                    "WAL that the backup needs is not in the backup, and with this type nothing fetches it: \(missing)"
                        + "\nHINT: use --type=immediate to stop where the backup ended, or make backups with archive-copy=y.")
            }
        }
        if let first = need.missingFollowing.first {
            if case .lsn(let lsn) = goal, need.missingFollowing.last?.last == need.following?.last {
                warnings.append(
                    "the WAL of target \(lsn) is not in the archive: missing is \(list(need.missingFollowing))"
                        + "\nHINT: the server refuses to start when it cannot reach its target.")
            } else {
                warnings.append(
                    "WAL is missing: \(list(need.missingFollowing))"
                        + "\nHINT: recovery ends before \(first.first); what was archived after that cannot be reached.")
            }
        }
        return (failure, warnings)
    }

    /// `1 file`, `2 files`.
    static func count(_ number: UInt64, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
