// The moment from which a backup counts (repository-format.md section 1.3).

import BackstopCore

struct BackupPublication {
    let repository: StanzaRepository
    let lease: RepositoryLease
    let retry: Retry

    /// Manifest, history, backup.info, in the order that a crash cannot hurt; then what only helps people. `info` and `archive`: as they
    /// were at the begin. Others may have written them since, so they are read again.
    func run(
        _ manifest: Manifest, _ info: BackupInfo, _ repair: ListRepair, _ archive: ArchiveInfo, makesLatest: Bool
    ) async throws(BackupError) {
        try await step("the look at who else is there") { () throws(BackupError) in try await lease.confirm() }
        // Before there is a manifest: a later run would take it for a whole backup.
        try await step("backup.info") { () throws(BackupError) in
            var current = try await repository.backupInfo()
            try await repair.still(in: repository).apply(to: &current)
            try require(manifest.references, in: current)
        }
        try await step("the manifest") { () throws(BackupError) in try await repository.save(manifest, info.seal) }
        try await step("backup.info") { () throws(BackupError) in
            var current = try await repository.backupInfo()
            try requireSame(current.format == info.format && current.seal?.keys == info.seal?.keys, current.history, info.history)
            try await repair.still(in: repository).apply(to: &current)
            try require(manifest.references, in: current)
            current.add(BackupSummary(manifest))
            try await repository.save(current)
        }
        // Written again so that a store that removes old objects by their age does not remove this one.
        try await step("archive.info") { () throws(BackupError) in
            let current = try await repository.archiveInfo()
            try requireSame(
                current.format == archive.format && current.seal?.keys == archive.seal?.keys, current.history, archive.history)
            try await repository.save(current)
        }
        if makesLatest { await linkLatest(to: manifest.label) }
    }

    private func step(_ what: String, _ body: () async throws(BackupError) -> Void) async throws(BackupError) {
        try await retry.step("\(what) of \(repository.name)", repository.log, body)
    }

    /// What holds bytes of the backup must still be there.
    private func require(_ references: [BackupLabel], in info: BackupInfo) throws(BackupError) {
        if let gone = references.dropLast().first(where: { info.backup($0) == nil }) {
            throw BackupError(
                .backupMismatch, "\(repository.name): backup '\(gone)', which this one is made onto, was removed while it ran",
                hint: "the backup is not listed: make another one.")
        }
    }

    /// What was made anew or upgraded meanwhile is not the stanza that this backup is of.
    private func requireSame(_ isSealedAlike: Bool, _ current: DatabaseHistory, _ before: DatabaseHistory) throws(BackupError) {
        guard current.currentID == before.currentID, current.current.identity == before.current.identity, isSealedAlike else {
            throw BackupError(
                .backupMismatch, "\(repository.name): the stanza was changed by somebody else while the backup ran",
                hint: "the backup is not listed: make another one.")
        }
    }

    /// For people only: a finished backup does not fail for it.
    private func linkLatest(to label: BackupLabel) async {
        guard let tree = repository.storage as? any FileTree else { return }
        do throws(BackupError) {
            try await tree.remove(repository.layout.latest)
            try await tree.link(repository.layout.latest, to: label.text, .symbolic)
        } catch {
            // Who may but add objects cannot replace it, and need not hear of it each time.
            if error.code == .denied {
                repository.log.info("the link 'latest' is not renewed: \(error.message)")
            } else {
                repository.log.warn("the link 'latest' could not be made: \(error.message)")
            }
        }
    }
}
