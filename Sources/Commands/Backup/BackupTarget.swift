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

    /// A full backup without bundles has a folder for each path, empty ones too, and the links to the tablespaces (section 1.2); others have the
    /// folders of what they hold. Nothing where the storage has no folders.
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
