// Waiting until WAL is in the archive.

import BackstopCore

enum ArchiveWait {
    /// Waits until the repository has the segment and answers where it is. Throws `.archiveTimeout` (82). `whileWaiting`: called each time
    /// that it is not there.
    static func segment(
        _ name: String, _ repository: StanzaRepository, _ archiveID: String, timeout: Duration,
        whileWaiting: () -> Void = {}
    ) async throws(BackupError) -> ArchivedSegment {
        let end = ContinuousClock.now + timeout
        var trouble: BackupError?
        var wait = Duration.milliseconds(20)
        while true {
            var found: [ArchivedSegment] = []
            do throws(BackupError) {
                found = try await ArchiveFile.find(name, repository, archiveID)
                trouble = nil
            } catch  where error.code.mayPass && !error.code.isDamage && ContinuousClock.now < end {
                // What waits for an answer can ask again: a connection that broke is not the answer.
                trouble = error
            }
            if found.count > 1 {
                throw BackupError(
                    .archiveDuplicate,
                    "duplicates found in archive for WAL segment \(name): " + found.map { String($0.key.name) }.joined(separator: ", "),
                    hint: "are multiple primaries archiving to this stanza?")
            }
            if let found = found.first { return found }
            whileWaiting()
            if ContinuousClock.now >= end {
                if let trouble { throw trouble }
                throw BackupError(
                    .archiveTimeout, "WAL segment \(name) was not archived before the \(timeout) timeout",
                    hint: "check the archive_command to ensure that all options are correct (especially --stanza)."
                        + "\ncheck the PostgreSQL server log for errors."
                        + "\nrun the 'start' command if the stanza was previously stopped.")
            }
            try await pause(wait)
            wait = min(wait * 2, .milliseconds(500))
        }
    }
}
