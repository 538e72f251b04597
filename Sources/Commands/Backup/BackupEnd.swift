// Where a backup ends: the server's stop point, and the WAL up to it in the archive.

import BackstopCore

/// What an online backup began with, and what it waits for at its end.
struct BackupEnd {
    let run: BackupRun
    let archiveInfo: ArchiveInfo
    /// Of manifests.
    let seal: Seal?

    /// Stops the backup of the server, waits for its WAL, and proves meanwhile that everything is stored. `manifest`: with all files that were
    /// copied; gets those that are made at the end. `standby`: files came from it.
    func finish(
        _ session: OnlineSession, _ standby: OnlineSession?, _ begun: BackupStart, _ archive: ArchiveCheck?, _ manifest: inout Manifest
    ) async throws(BackupError) {
        run.log.info("execute backup stop and wait for all WAL segments to archive")
        try standby?.requireStandby(of: begun.segment.timeline)
        let stop = try session.connection.stopBackup()
        if session.isStandby { try check(stop, session, begun) }
        try await run.settlePages(&manifest)
        // The last byte that is needed is the one before; what is behind it may take long to come.
        let end = session.isStandby ? LSN(max(stop.lsn.value, 1) - 1) : stop.lsn
        let segment = stop.segment ?? WALSegment(timeline: begun.segment.timeline, of: end, segmentSize: run.control.segmentSize)
        manifest.timestampStop = max(try session.now(), manifest.timestampStart)
        manifest.archiveStop = segment.name
        manifest.lsnStop = stop.place.description
        run.log.info("backup stop archive = \(segment), lsn = \(stop.place)")
        let data = manifest.places.dataFolder
        let attributes = FileAttributes(mode: (data?.mode ?? 0o700) & 0o644, owner: data?.owner ?? Manifest.Owner())
        let timestamp = manifest.timestampStop
        manifest.take([try await run.store(stop.label, as: "backup_label", timestamp: timestamp, attributes)])
        if let map = stop.tablespaceMap {
            manifest.take([try await run.store(map, as: "tablespace_map", timestamp: timestamp, attributes)])
        }
        guard let archive else { return try await prove(manifest) }
        let segments = WALSegment.list(
            timeline: begun.segment.timeline, from: begun.lsn, through: end, segmentSize: run.control.segmentSize)
        if let first = segments.first, let last = segments.last { run.log.info("check archive for segment(s) \(first):\(last)") }
        try await run.repository.storage.sync(run.repository.layout.backup(run.label))
        let unfinished = manifest
        try await run.policy.retry.step("the manifest of \(run.repository.name)", run.log) { () throws(BackupError) in
            try await run.repository.saveUnfinished(unfinished, seal)
        }
        // One listing, while WAL is waited for.
        let proving = Task { await Result { () async throws(BackupError) in try await prove(unfinished) } }
        let archived = try await archive.wait(all: segments)
        try await proving.value.get()
        if run.policy.archiveCopy {
            let copied = zip(segments, archived).map { ($0, $1) }
            manifest.take(try await run.store(copied, archiveInfo, timestamp: timestamp, attributes))
        }
    }

    /// Throws `.dbMismatch` (58) unless a standby ended the backup on the timeline on which it began it.
    private func check(_ stop: BackupStop, _ session: OnlineSession, _ begun: BackupStart) throws(BackupError) {
        try session.requireStandby(of: begun.segment.timeline)
        guard stop.label.contains("(file \(begun.segment))") else {
            throw BackupError(
                .dbMismatch, "the backup_label of the standby does not name segment \(begun.segment), in which the backup began",
                hint: "did the standby begin to follow another timeline? Back up again.")
        }
    }

    /// Throws `.repoInvalid` unless the repository has all of it.
    func prove(_ manifest: Manifest) async throws(BackupError) {
        try await run.policy.retry.step("the listing of \(run.repository.name)", run.log) { () throws(BackupError) in
            var proof = BackupProof(manifest, run.repository.layout, suffix: run.coding.codec.suffix)
            try await proof.run(manifest.label, in: run.repository)
        }
    }
}

extension Manifest {
    /// Adds files, in place of those of the same name.
    mutating func take(_ added: [StoredFile]) {
        for file in added { files.take(file) }
    }

    /// Throws unless everything that a restore needs to know of each file is there.
    func checkCopied() throws(BackupError) {
        for file in files where file.size > 0 && (file.checksum == nil || file.repositorySize == 0) {
            throw BackupError(.format, "manifest validation failed: missing checksum or repo size for file '\(file.name)'")
        }
        guard files.index(of: ClusterListing.control) != nil else {
            throw BackupError(.fileMissing, "\(ClusterFiles.controlName) disappeared while it was backed up")
        }
    }
}
