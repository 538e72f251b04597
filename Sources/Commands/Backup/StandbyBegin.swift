// A standby that a backup of its primary copies files from: what it has on disk must be as new as the begin of the backup.

import BackstopCore

extension ClusterServer {
    /// Waits until the standby has written to disk what its primary had written when the backup began: it has replayed the checkpoint of
    /// `control`, the primary's, and made a restartpoint of it (repository-format.md section 3.3). Throws `.archiveTimeout` (82) when that takes
    /// longer than `timeout`, `.dbMismatch` (58) when it is a standby of something else.
    func catchUp(
        with primary: OnlineSession, _ control: ControlFile, _ begun: BackupStart, within timeout: Duration, _ log: Log
    ) async throws(BackupError) {
        let own = try await cluster.control()
        try require(own, isOf: control)
        guard own.checkpoint <= control.checkpoint else {
            throw BackupError(
                .dbMismatch, "the last checkpoint of the standby, \(own.checkpoint), is ahead of the primary's, \(control.checkpoint)",
                hint: "does the standby follow another server than this primary?")
        }
        log.info("wait for replay on the standby to reach \(control.checkpoint)")
        let begin = ContinuousClock.now
        var isSwitched = false
        var wait = Duration.milliseconds(20)
        var reached = try session.connection.replayed()
        // The checkpoint is where its record begins.
        while reached <= control.checkpoint {
            guard ContinuousClock.now - begin < timeout else {
                throw late("replay on the standby has reached \(reached) only, not \(control.checkpoint), within \(timeout)")
            }
            if !isSwitched, ContinuousClock.now - begin > min(.seconds(2), timeout / 4) {
                // A standby that reads the archive gets whole segments only.
                try primary.connection.createRestorePoint("\(Program.title) Standby")
                try primary.connection.switchWAL()
                isSwitched = true
            }
            try await pause(wait)
            wait = min(wait * 2, .milliseconds(200))
            reached = try session.connection.replayed()
        }
        var written = own
        while written.checkpoint < control.checkpoint {
            guard ContinuousClock.now - begin < timeout else {
                throw late(
                    "the standby has made no restartpoint at \(control.checkpoint) within \(timeout), its last is at \(written.checkpoint)")
            }
            try session.connection.checkpoint()
            written = try await cluster.control()
            if written.checkpoint < control.checkpoint { try await pause(.milliseconds(200)) }
        }
        try session.requireStandby(of: begun.segment.timeline)
        log.info("replay on the standby reached \(reached), checkpoint \(written.checkpoint)")
    }

    /// Throws `.dbMismatch` (58) unless the standby, with `own` pg_control, is of the cluster that `primary` is that of.
    func require(_ own: ControlFile, isOf primary: ControlFile) throws(BackupError) {
        guard own.identity == primary.identity else {
            throw BackupError(
                .dbMismatch,
                "\(cluster.name) is a standby of another cluster: version \(own.version), system-id \(own.systemID), the primary has version"
                    + " \(primary.version), system-id \(primary.systemID)",
                hint: "does \(cluster.name)-path belong to this stanza?")
        }
    }

    private func late(_ message: String) -> BackupError {
        BackupError(
            .archiveTimeout, message,
            hint: "is replay paused (pg_wal_replay_resume), or far behind? archive-timeout says how long it is waited for.\n"
                + "--backup-standby=prefer copies from the primary then.")
    }
}
