// What a backup is made onto: nothing, or an earlier one of the same cluster whose files stay where they are (repository-format.md section 3.2).

import BackstopCore

struct BackupBase: Sendable {
    let type: BackupType
    /// nil for a full backup.
    private(set) var prior: Manifest?

    /// Gives their memory back.
    mutating func forgetFiles() { prior?.files = [] }

    /// The earlier backups that one of that type can be made onto, the best first: for diff the full ones, for incr all, of the cluster as it is
    /// now and of the format that new backups have: a set is of one format.
    static func candidates(_ type: BackupType, _ info: BackupInfo) -> [BackupSummary] {
        let ofTheCluster = info.backups.reversed().filter { $0.databaseID == info.history.currentID && $0.format == info.format }
        return switch type {
        case .full: []
        case .diff: ofTheCluster.filter { $0.type == .full }
        case .incr: ofTheCluster
        }
    }

    /// The kind that is asked for, as far as it can be made. A damaged prior backup is passed over, with a warning, for an older one. Throws
    /// `.backupSetInvalid` (75) when all are damaged: a chain must stand on something, and what became of them needs to be seen.
    static func choose(
        _ asked: BackupType, _ info: BackupInfo, _ repository: StanzaRepository
    ) async throws(BackupError) -> BackupBase {
        guard asked != .full else { return BackupBase(type: .full, prior: nil) }
        let candidates = candidates(asked, info)
        for candidate in candidates {
            do throws(BackupError) {
                let manifest = try await repository.manifest(candidate.label, info.seal)
                try require(manifest, in: info)
                repository.log.info(
                    "last backup label = \(candidate.label), version = \(candidate.object["backrest-version"]?.string ?? "unknown")")
                return BackupBase(type: asked, prior: manifest)
            } catch  where [.format, .checksum, .corrupt, .fileMissing, .assertion].contains(error.code) {
                repository.log.warn("backup '\(candidate.label)' cannot be what this one is made onto: \(error)")
            }
        }
        guard candidates.isEmpty else {
            throw BackupError(
                .backupSetInvalid,
                "\(repository.name): no backup is whole that \(asked == .diff ? "a diff" : "an incr") backup could be made onto",
                hint: "--type=full makes a new set. What happened to the others?")
        }
        repository.log.warn("no prior backup exists, \(asked.rawValue) backup has been changed to full")
        return BackupBase(type: .full, prior: nil)
    }

    /// Whatever holds bytes of it must still be a backup.
    private static func require(_ manifest: Manifest, in info: BackupInfo) throws(BackupError) {
        if let gone = manifest.references.first(where: { info.backup($0) == nil }) {
            throw BackupError(.fileMissing, "it needs backup '\(gone)', which is not listed in backup.info")
        }
        guard manifest.format == info.format else {
            throw BackupError(.format, "its manifest is of repository format \(manifest.format), not \(info.format) as backup.info says")
        }
        guard manifest.database.identity == info.history.current.identity else {
            throw BackupError(.format, "its manifest is of another cluster than backup.info says")
        }
        if let file = manifest.files.first(where: { $0.size > 0 && $0.checksum == nil }) {
            throw BackupError(.format, "its manifest has no checksum of file '\(file.name)'")
        }
    }
}

extension BackupBase {
    /// How the backup is written and sealed: within a set the suffix of a file tells its codec, whichever backup holds it. `warn` is told where
    /// the user asked for something else. `seal`: of a full backup.
    func coding(_ options: Options, _ registry: Registry, _ seal: Seal?, warn: (String) -> Void) throws(BackupError) -> ObjectCoding {
        let asked = try ObjectCoding(options, registry, prior.map(\.seal) ?? seal)
        guard let prior, asked.codec.name != prior.settings.compressType else { return asked }
        warn(inherited("compress-type", asked.codec.name, prior.settings.compressType, prior))
        return ObjectCoding(try registry.codec(prior.settings.compressType), prior.seal, level: Int(prior.settings.compressLevel))
    }

    /// Whether pages are checked, of a cluster that has checksums or not. `asked`: nil when the user leaves it to the cluster.
    func checksPages(asked: Bool?, online: Bool, hasPageChecksums: Bool, warn: (String) -> Void) -> Bool {
        if asked == true, !hasPageChecksums {
            warn("checksum-page option set to true but checksums are not enabled on the cluster, resetting to false")
        }
        let checks = hasPageChecksums && (asked ?? online)
        guard let prior, prior.settings.checksumPage != checks else { return checks }
        // What the prior backup has of a file says nothing about pages, or says it of a cluster that has no checksums any more.
        guard hasPageChecksums || !prior.settings.checksumPage else { return false }
        warn(inherited("checksum-page", "\(checks)", "\(prior.settings.checksumPage)", prior))
        return prior.settings.checksumPage
    }

    private func inherited(_ option: String, _ asked: String, _ kept: String, _ prior: Manifest) -> String {
        "\(type.rawValue) backup cannot alter '\(option)' option to '\(asked)', reset to '\(kept)' from \(prior.label)"
    }
}
