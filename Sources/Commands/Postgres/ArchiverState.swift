// What a server tells of its archiver, from pg_stat_archiver.

import BackstopCore

struct ArchiverState: Sendable, Equatable {
    /// The last file that archive_command took, or did not.
    struct Attempt: Sendable, Equatable {
        var file: String
        /// Unix seconds.
        var time: Int64
    }

    var archived: Attempt?
    var failed: Attempt?
    var failures: Int64 = 0
    /// The last attempt failed.
    var isFailing = false
    /// `archive_library`: archives in the place of archive_command; empty: none.
    var library = ""

    /// For people; nil while nothing fails.
    var failure: String? {
        guard isFailing, let failed else { return nil }
        return "archive_command of the server has failed \(failures) time\(failures == 1 ? "" : "s"), last for '\(failed.file)' at"
            + " \(localTimeWithZone(failed.time))"
    }

    /// Why a segment may not be in a repository, as far as the server knows.
    func reason(for segment: WALSegment) -> String {
        if let failure { return failure + "; its errors are in the server's log" }
        guard let archived else { return "the server's archiver has not archived anything yet" }
        let last = "'\(archived.file)' at \(localTimeWithZone(archived.time))"
        if WALSegment(archived.file.prefix(24)).map({ $0.timeline == segment.timeline && $0 >= segment }) ?? false {
            return "the server's archive_command reports success, last for \(last), but what it archives does not get here"
        }
        return "the server's archiver works but has not come to it, its last is \(last)"
    }

    /// Whether the archive has another server's segment. `archived`, `own`: sha1 of the segment there and in pg_wal. A segment that is gone
    /// from pg_wal (nil) was archived before, so it is this server's unless the archiver says something else.
    func isForeign(_ segment: String, archived: String, own: String?) -> Bool {
        if let own { return own != archived }
        return isFailing && failed?.file == segment
    }
}

extension DatabaseSession {
    /// nil when the host of the cluster does not know the question yet.
    func archiver() throws(BackupError) -> ArchiverState? {
        let row: [String?]
        do throws(BackupError) {
            guard let first = try query(.archiver).first, first.count == 7 else {
                throw BackupError(.dbQuery, "the server gave no state of its archiver")
            }
            row = first
        } catch  where error.code == .unsupported {
            return nil
        }
        func attempt(_ file: String?, _ time: String?) -> ArchiverState.Attempt? {
            guard let file, let time = time.flatMap({ Int64($0) }) else { return nil }
            return ArchiverState.Attempt(file: file, time: time)
        }
        return ArchiverState(
            archived: attempt(row[0], row[1]), failed: attempt(row[2], row[3]), failures: row[4].flatMap { Int64($0) } ?? 0,
            isFailing: row[5] == "t", library: row[6] ?? "")
    }
}
