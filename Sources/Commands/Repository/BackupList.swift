// The list of backups and the folders on disk: bringing them together again after a crash (repository-format.md section 2.8).

import BackstopCore

extension BackupInfo {
    /// Makes a lost main manifest again from the copy of a complete backup.
    private func restoreManifest(_ label: BackupLabel, in repository: StanzaRepository) async throws(BackupError) -> Bool {
        let key = repository.layout.manifest(label)
        guard try await repository.storage.stat(key + Layout.copySuffix) != nil else { return false }
        let manifest: Manifest
        do throws(BackupError) {
            manifest = try await repository.manifest(label, seal)
        } catch  where error.code != .cancelled {
            return false
        }
        guard manifest.timestampStop > 0, manifest.files.allSatisfy({ $0.size == 0 || $0.checksum != nil }) else { return false }
        try await repository.storage.put(key, bytes: try await repository.storage.read(key + Layout.copySuffix))
        repository.log.warn("backup '\(label)': the manifest was missing and has been made again from its copy")
        return true
    }

    /// Drops what is listed but has no manifest, with its dependents, and adds complete backups that are not listed.
    mutating func reconcile(with repository: StanzaRepository) async throws(BackupError) {
        for backup in backups where try await repository.storage.stat(repository.layout.manifest(backup.label)) == nil {
            if try await restoreManifest(backup.label, in: repository) { continue }
            for label in remove(backup.label) { repository.log.warn("backup '\(label)' missing manifest removed from backup.info") }
        }
        let folders = try await repository.storage.list(repository.layout.backups)
        // In the order of labels, so that a prior backup comes before those that depend on it.
        for folder in folders where folder.kind == .folder {
            guard let label = BackupLabel(folder.key.name), backup(label) == nil else { continue }
            if label.type != .full, !backups.contains(where: { $0.label.full == label.full }) { continue }
            guard try await repository.storage.stat(repository.layout.manifest(label)) != nil else { continue }
            let manifest = try await repository.manifest(label, seal)
            guard let database = history.database(manifest.database.id), database.identity == manifest.database.identity,
                manifest.prior.map({ backup($0) != nil }) ?? true, manifest.references.dropLast().allSatisfy({ backup($0) != nil })
            else { continue }
            repository.log.warn("backup '\(label)' found in repository added to backup.info")
            add(BackupSummary(manifest))
        }
    }
}

extension BackupSummary {
    /// What backup.info says of a complete backup.
    init(_ manifest: Manifest) {
        let own = manifest.files.lazy.filter { $0.reference == nil }
        func repositorySize(_ files: some Sequence<StoredFile>) -> UInt64 {
            files.reduce(0) { $0 + ($1.repositorySize > 0 ? $1.repositorySize : $1.size) }
        }
        var object: [String: JSON] = [
            "backrest-format": JSON(manifest.format),
            "backrest-version": .string(Program.formatVersion),
            "backup-archive-start": JSON(manifest.archiveStart),
            "backup-archive-stop": JSON(manifest.archiveStop),
            "backup-error": .bool(manifest.hasPageErrors),
            "backup-info-repo-size": JSON(repositorySize(manifest.files)),
            "backup-info-repo-size-delta": JSON(repositorySize(own)),
            "backup-info-size": JSON(manifest.totalSize),
            "backup-info-size-delta": JSON(own.reduce(0) { $0 + $1.size }),
            "backup-timestamp-start": .integer(manifest.timestampStart),
            "backup-timestamp-stop": .integer(manifest.timestampStop),
            "backup-type": .string(manifest.type.rawValue),
            "db-id": JSON(manifest.database.id),
            "option-archive-check": .bool(manifest.settings.archiveCheck),
            "option-archive-copy": .bool(manifest.settings.archiveCopy),
            "option-backup-standby": .bool(manifest.settings.standby),
            "option-checksum-page": .bool(manifest.settings.checksumPage),
            "option-compress": .bool(manifest.settings.compressType != "none"),
            "option-hardlink": .bool(manifest.settings.hardlink),
            "option-online": .bool(manifest.settings.online),
        ]
        if !manifest.annotations.isEmpty { object["backup-annotation"] = .object(manifest.annotations.mapValues { .string($0) }) }
        if manifest.isBlockIncremental {
            func mapSize(_ files: some Sequence<StoredFile>) -> JSON { JSON(files.reduce(0) { $0 + ($1.blockMapSize ?? 0) }) }
            object["backup-info-repo-size-map"] = mapSize(manifest.files)
            object["backup-info-repo-size-map-delta"] = mapSize(own)
        }
        if let start = manifest.lsnStart { object["backup-lsn-start"] = .string(start) }
        if let stop = manifest.lsnStop { object["backup-lsn-stop"] = .string(stop) }
        if let prior = manifest.prior {
            object["backup-prior"] = .string(prior.text)
            object["backup-reference"] = .array(manifest.references.dropLast().sorted().map { .string($0.text) })
        }
        self.init(label: manifest.label, object: object)
    }
}
