// Where a backup goes: the labels that are taken, the folders that it needs, the type that it can have.

import BackstopCore

extension StanzaRepository {
    /// All labels that were ever used and are still known: folders on disk and the newest year of the history.
    func usedLabels() async throws(BackupError) -> [BackupLabel] {
        var labels = try await storage.list(layout.backups).compactMap { BackupLabel($0.key.name) }
        let years = try await storage.list(layout.history).filter { $0.kind == .folder }
        if let newest = years.last {
            labels += try await storage.list(newest.key).compactMap { BackupLabel($0.key.name.prefix { $0 != "." }) }
        }
        return labels
    }

    /// A full backup has a folder for each path, empty ones too, and the links to the tablespaces (section 1.2). Nothing where the storage has
    /// no folders.
    func makeFolders(of label: BackupLabel, _ places: ClusterPlaces, withLinks: Bool) async throws(BackupError) {
        guard let tree = storage as? any FileTree else { return }
        let folder = layout.backup(label)
        for path in places.paths { try await tree.makeDirectory(folder / path.name, Attributes()) }
        guard withLinks else { return }
        for target in places.targets {
            if let tablespace = target.tablespace {
                try await tree.link(
                    folder / "\(Manifest.dataName)/\(Manifest.tablespaceName)/\(tablespace.id)",
                    to: "../../\(Manifest.tablespaceName)/\(tablespace.id)", .symbolic)
            }
        }
    }
}

extension BackupType {
    /// The type that is asked for, as far as it can be made. Only full backups are made by this version.
    static func choose(_ options: Options, _ info: BackupInfo, _ log: Log) throws(BackupError) -> BackupType {
        let type = options[GeneralOptions.type].flatMap(BackupType.init) ?? .incr
        if type == .full { return .full }
        if !info.backups.contains(where: { $0.databaseID == info.history.currentID }) {
            log.warn("no prior backup exists, \(type.rawValue) backup has been changed to full")
            return .full
        }
        if options.isGiven(GeneralOptions.type) {
            throw BackupError(.unsupported, "not supported yet: --type=\(type.rawValue)", hint: "use --type=full.")
        }
        log.warn("not supported yet: incr backups, the default type; the backup has been changed to full")
        return .full
    }
}
