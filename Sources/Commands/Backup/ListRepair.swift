// What the begin of a backup mends in the list of backups, so that its end can do the same.

import BackstopCore

/// What the begin of a run found to be wrong in the list of backups: to be mended in the list as it is at the end.
struct ListRepair: Sendable {
    var added: [BackupSummary] = []
    var removed: [BackupLabel] = []

    /// Mends `info` by what the repository holds, and answers what that changed.
    static func run(_ info: inout BackupInfo, in repository: StanzaRepository) async throws(BackupError) -> ListRepair {
        let before = info
        try await info.reconcile(with: repository)
        return ListRepair(
            added: info.backups.filter { before.backup($0.label) == nil },
            removed: before.backups.map(\.label).filter { info.backup($0) == nil })
    }

    /// Without the backups that were found then and have been removed since.
    func still(in repository: StanzaRepository) async throws(BackupError) -> ListRepair {
        var repair = self
        repair.added = []
        for backup in added where try await repository.storage.stat(repository.layout.manifest(backup.label)) != nil {
            repair.added.append(backup)
        }
        return repair
    }

    func apply(to info: inout BackupInfo) {
        for label in removed { _ = info.remove(label) }
        for backup in added where info.backup(backup.label) == nil { info.add(backup) }
    }
}
