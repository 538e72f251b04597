// Folders of backups that never were completed: removed, unless somebody may still be at work on them.

import BackstopCore

/// What is known of one folder that has no manifest and is not listed.
struct Leftover: Sendable {
    var label: BackupLabel
    /// Its manifest is in the history: it was complete once.
    var wasComplete: Bool
    /// A run of ours claimed it, and that run is over.
    var isAbandoned: Bool
    /// When something in it was written last, by the storage's clock.
    var newest: Int64?

    enum Verdict: Equatable {
        case remove
        /// It may be all that is left of a damaged repository.
        case keepComplete
        /// pgBackRest makes no claims: what it, or an older version of this program, wrote not long ago may be a running backup of another
        /// host.
        case keepRecent(seconds: Int64)
    }

    static let recent: Int64 = 3600

    /// `now`: by the storage's clock.
    func verdict(now: Int64) -> Verdict {
        if wasComplete { return .keepComplete }
        if !isAbandoned, let newest, now - newest < Self.recent { return .keepRecent(seconds: max(0, now - newest)) }
        return .remove
    }
}

struct Leftovers {
    let repository: StanzaRepository
    let lease: RepositoryLease

    /// Those that nobody works on and that never were whole, and says what becomes of the others. `listed`: labels of backup.info, which are not
    /// looked at. `now`: by the storage's clock.
    func find(besides listed: Set<BackupLabel>, now: Int64) async throws(BackupError) -> [BackupLabel] {
        var labels: [BackupLabel] = []
        let abandoned = Set(lease.dead.compactMap(\.label))
        for folder in try await repository.storage.list(repository.layout.backups) where folder.kind == .folder {
            guard let label = BackupLabel(folder.key.name), !listed.contains(label),
                try await repository.storage.stat(repository.layout.manifest(label)) == nil
            else { continue }
            var leftover = Leftover(
                label: label, wasComplete: try await repository.storage.stat(repository.layout.history(manifestOf: label)) != nil,
                isAbandoned: abandoned.contains(label))
            if !leftover.wasComplete, !leftover.isAbandoned { leftover.newest = try await newest(folder.key) }
            switch leftover.verdict(now: now) {
            case .keepComplete: repository.log.warn("backup '\(label)' was completed but has lost its manifest; its files are kept")
            case .keepRecent(let seconds):
                repository.log.warn(
                    "unfinished backup \(label) is left alone: it changed \(seconds) seconds ago, so another host may be making it"
                        + "\nHINT: one that has not changed for an hour is removed by the next backup.")
            case .remove: labels.append(label)
            }
        }
        return labels
    }

    func remove(_ labels: [BackupLabel]) async throws(BackupError) {
        for label in labels { try await remove(repository.layout.backup(label), label) }
        await lease.forget(lease.dead)
    }

    private func newest(_ folder: Key) async throws(BackupError) -> Int64? {
        var newest: Int64?
        try await repository.storage.list(folder, .all) { (entry) throws(BackupError) in
            if entry.kind == .file { newest = max(newest ?? .min, entry.modified) }
        }
        return newest
    }

    private func remove(_ folder: Key, _ label: BackupLabel) async throws(BackupError) {
        repository.log.warn("remove unfinished backup \(label): an earlier backup was interrupted")
        do throws(BackupError) {
            try await repository.storage.removeAll(folder)
        } catch  where error.code == .denied {
            // Who may only add shall be able to do that; what is left takes room and is no backup.
            repository.log.warn("unable to remove unfinished backup \(label): \(error)")
        }
    }
}
