// Where an online backup begins: the server's start point, and the proof that WAL reaches the archive at all.

import BackstopCore

extension OnlineSession {
    /// Begins the backup (repository-format.md section 3.3). With `archiveCheck` it first makes sure that WAL reaches the archive at all: of a
    /// standby, whose WAL nobody can end, what it has replayed must be there.
    func start(
        archiveCheck: ArchiveCheck?, _ cluster: ClusterFiles, _ policy: BackupPolicy, _ log: Log
    ) async throws(BackupError) -> BackupStart {
        let before = archiveCheck == nil || isStandby ? nil : try connection.currentSegment()
        let fast = policy.startFast
        log.info(
            "execute backup start: backup begins after the \(fast ? "requested immediate" : "next regular") checkpoint completes"
        )
        let stamp = try connection.one(.timestamp)[0]
        let (place, segment) = try connection.startBackup(label: "\(Program.title) backup started at \(stamp)", fast: fast)
        let control = try await cluster.control()
        guard control.checkpoint >= place.lsn else {
            throw BackupError(
                .dbMismatch, "the checkpoint '\(control.checkpoint)' in pg_control is less than the start lsn '\(place)'",
                hint: "is \(cluster.name)-path the data directory of the server at \(cluster.name)-port?")
        }
        let begun = BackupStart(
            place: place, segment: segment ?? WALSegment(timeline: control.timeline, of: place.lsn, segmentSize: control.segmentSize))
        guard control.timeline == begun.segment.timeline else {
            throw BackupError(
                .dbMismatch, "timeline \(control.timeline) in pg_control differs from timeline \(begun.segment.timeline) of the backup")
        }
        log.info("backup start archive = \(begun.segment), lsn = \(begun.place)")
        if let archiveCheck, let before {
            let isPrior = begun.segment != before
            if !isPrior {
                try connection.createRestorePoint("\(Program.title) Archive Check")
                try connection.switchWAL()
            }
            log.info("check archive for \(isPrior ? "prior " : "")segment \(before)")
            try await archiveCheck.wait(before.name)
        } else if let archiveCheck {
            let replayed = WALSegment(
                timeline: begun.segment.timeline, of: try connection.replayed(), segmentSize: control.segmentSize)
            if begun.segment < replayed {
                log.info("check archive for segment \(begun.segment)")
                try await archiveCheck.wait(begun.segment.name)
            }
        }
        return begun
    }
}
