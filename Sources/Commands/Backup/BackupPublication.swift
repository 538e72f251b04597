// The moment from which a backup counts (repository-format.md section 1.3).

import BackstopCore

/// What the begin of a run found to be wrong in the list of backups: to be mended in the list as it is at the end.
struct ListRepair: Sendable {
    var added: [BackupSummary] = []
    var removed: [String] = []

    /// Mends `info` by what the repository holds, and answers what that changed.
    static func run(
        _ info: inout BackupInfo, _ repository: Repository, _ stanza: String, _ log: Log
    ) async throws(BackupError) -> ListRepair {
        let before = info
        try await info.reconcile(repository, stanza, log)
        return ListRepair(
            added: info.backups.filter { before.backup($0.label) == nil },
            removed: before.backups.map(\.label).filter { info.backup($0) == nil })
    }

    func apply(to info: inout BackupInfo) {
        for label in removed { _ = info.remove(label) }
        for backup in added where info.backup(backup.label) == nil { info.add(backup) }
    }
}

struct BackupPublication {
    let repository: Repository
    let stanza: String
    let lease: RepositoryLease
    let retry: Retry
    let log: Log

    /// Manifest, history, backup.info, in the order that a crash cannot hurt; then what only helps people. `info` and `archive`: as they
    /// were at the begin. Others may have written them since, so they are read again.
    func run(
        _ manifest: Manifest, _ info: BackupInfo, _ repair: ListRepair, _ archive: ArchiveInfo, makesLatest: Bool
    ) async throws(BackupError) {
        try await step("the look at who else is there") { () throws(BackupError) in try await lease.confirm() }
        try await step("the manifest") { () throws(BackupError) in try await manifest.save(repository, stanza, info.seal) }
        try await step("backup.info") { () throws(BackupError) in
            var current = try await BackupInfo.required(repository, stanza, log)
            try sameStanza(current.history.current, current.seal, info.history.current, info.seal)
            repair.apply(to: &current)
            current.add(BackupSummary(manifest))
            try await current.save(repository, stanza)
        }
        // Written again so that a store that removes old objects by their age does not remove this one.
        try await step("archive.info") { () throws(BackupError) in
            let current = try await ArchiveInfo.required(repository, stanza, log)
            try sameStanza(current.history.current, current.seal, archive.history.current, archive.seal)
            try await current.save(repository, stanza)
        }
        if makesLatest { await linkLatest(to: manifest.label) }
    }

    private func step(_ what: String, _ body: () async throws(BackupError) -> Void) async throws(BackupError) {
        try await retry.step("\(what) of \(repository.name)", log, body)
    }

    /// What was made anew or upgraded meanwhile is not the stanza that this backup is of.
    private func sameStanza(
        _ current: DatabaseHistory.Database, _ seal: Seal?, _ before: DatabaseHistory.Database, _ oldSeal: Seal?
    ) throws(BackupError) {
        guard current.id == before.id, current.isSameCluster(before), seal?.passphrase == oldSeal?.passphrase else {
            throw BackupError(
                .backupMismatch, "\(repository.name): the stanza was changed by somebody else while the backup ran",
                hint: "the backup is not listed: make another one.")
        }
    }

    /// For people only: a finished backup does not fail for it.
    private func linkLatest(to label: String) async {
        guard let tree = repository.storage as? any FileTree else { return }
        do throws(BackupError) {
            try await tree.remove(Layout.latest(stanza))
            try await tree.link(Layout.latest(stanza), to: label, .symbolic)
        } catch {
            // Who may but add objects cannot replace it, and need not hear of it each time.
            if error.code == .denied {
                log.info("the link 'latest' is not renewed: \(error.message)")
            } else {
                log.warn("the link 'latest' could not be made: \(error.message)")
            }
        }
    }
}
