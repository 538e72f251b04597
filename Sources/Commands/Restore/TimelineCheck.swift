// Whether the target timeline can be reached from a backup, before anything is copied (repository-format.md section 10.3).

import BackstopCore

enum TimelineCheck {
    /// The timelines that the recovery of an online backup goes through; nil when the manifest does not tell where it begins. Throws
    /// `.fileMissing` (55), `.format` (29), `.dbMismatch` (58) for a target timeline that cannot be reached.
    static func run(
        _ manifest: Manifest, _ repository: StanzaRepository, _ context: RunContext
    ) async throws(BackupError) -> TimelinePath? {
        let options = context.options
        let type = options[GeneralOptions.type] ?? "default"
        // A server refuses to leave the backup's timeline before the backup is consistent, which it is where the backup ended.
        guard let start = manifest.archiveStart.flatMap({ WALSegment($0) }), let lsn = manifest.lsnStop ?? manifest.lsnStart else {
            return nil
        }
        let staying = TimelinePath(staying: start.timeline)
        var target =
            try options[RestoreOptions.targetTimeline].map { (text) throws(BackupError) in try TargetTimeline(text) }
            ?? .usual(manifest.database.version)
        if type == "immediate" { target = .current }
        if target == .current || type == "none" || type == "preserve" { return staying }

        let archive = repository.layout.archive / manifest.database.archiveID
        let timeline: UInt32
        if case .number(let number) = target {
            timeline = number
        } else {
            var newest = start.timeline
            try await repository.storage.list(archive, .folder) { (entry) throws(BackupError) in
                if case .history(let timeline) = WALFileName(String(entry.key.name)) { newest = max(newest, timeline) }
            }
            timeline = newest
        }
        if timeline == start.timeline { return staying }

        let key = archive / TimelineHistory.fileName(timeline)
        let info = try await repository.archiveInfo()
        let bytes: [UInt8]
        do throws(BackupError) {
            bytes = try await repository.repository.read(key, info.seal)
        } catch  where error.code == .notFound {
            throw BackupError(
                .fileMissing, "\(repository.name): timeline \(hexadecimal8(timeline)) has no history file '\(key)'",
                hint: "does the target timeline exist, and was its history archived?")
        }
        let history: TimelineHistory
        do throws(BackupError) {
            history = try TimelineHistory(String(decoding: bytes, as: UTF8.self))
        } catch {
            throw error.during("\(repository.name): '\(key)'")
        }
        guard history.reaches(from: start.timeline, at: try LSN(lsn)) else {
            throw BackupError(
                .dbMismatch,
                "target timeline \(hexadecimal8(timeline)) forked from backup timeline \(hexadecimal8(start.timeline)) before backup lsn of \(lsn)",
                hint: "was the target timeline created by accident?\nuse --target-timeline=current, or name an earlier backup with --set.")
        }
        return TimelinePath(from: start.timeline, to: timeline, history)
    }
}
