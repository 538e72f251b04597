// How a server is told that a backup of its files begins and ends, and moved along in its WAL.

import BackstopCore

/// Where a backup began.
struct BackupStart: Sendable {
    let place: WrittenLSN
    let segment: WALSegment
    var lsn: LSN { place.lsn }
}

/// Where a backup ended, and the files that belong into it.
struct BackupStop: Sendable {
    let place: WrittenLSN
    /// nil: a standby does not tell it.
    let segment: WALSegment?
    /// Content of `backup_label`.
    let label: String
    /// Content of `tablespace_map`; nil when the cluster has no tablespaces.
    let tablespaceMap: String?
    var lsn: LSN { place.lsn }
}

extension DatabaseSession {
    /// Begins a backup, which lives as long as this session: the server aborts it when the session ends.
    /// `fast`: with a checkpoint at once, else spread over time. The segment is nil on a standby, which does not tell it.
    func startBackup(label: String, fast: Bool) throws(BackupError) -> (place: WrittenLSN, segment: WALSegment?) {
        let row = try one(.startBackup, [label, fast ? "t" : "f"], columns: 2)
        return (try WrittenLSN(row[0]), row[1].isEmpty ? nil : try segment(row[1]))
    }

    /// Ends the backup of this session. It does not wait for the archiver; that is the backup's own check.
    func stopBackup() throws(BackupError) -> BackupStop {
        let row = try one(.stopBackup, columns: 4)
        return BackupStop(
            place: try WrittenLSN(row[0]), segment: row[1].isEmpty ? nil : try segment(row[1]), label: row[2],
            tablespaceMap: row[3].allSatisfy(\.isWhitespace) ? nil : row[3])
    }

    /// The segment that the server writes to. Not on a standby.
    func currentSegment() throws(BackupError) -> WALSegment { try segment(try one(.currentSegment)[0]) }

    /// Writes a named place into the WAL, so that there is something to switch.
    func createRestorePoint(_ name: String) throws(BackupError) { try query(.restorePoint, [name]) }

    /// Ends the current segment, so that it is archived.
    func switchWAL() throws(BackupError) { try query(.switchWAL) }

    /// Writes what the server has in memory to disk.
    func checkpoint() throws(BackupError) { try query(.checkpoint) }

    /// Of a standby: the end of the WAL that it has replayed.
    func replayed() throws(BackupError) -> LSN { try LSN(try one(.replayed)[0]) }

    /// Of a standby: the timeline that it follows.
    func recoveryTimeline() throws(BackupError) -> UInt32 {
        let text = try one(.recoveryTimeline)[0]
        guard let timeline = UInt32(text) else { throw BackupError(.dbQuery, "the server gave '\(text)' for a timeline") }
        return timeline
    }

    private func segment(_ name: String) throws(BackupError) -> WALSegment {
        guard let segment = WALSegment(name) else { throw BackupError(.dbQuery, "the server gave '\(name)' for the name of a WAL segment") }
        return segment
    }
}
