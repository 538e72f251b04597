// Targets and links of a manifest: they must fit together.

import BackstopCore

extension Manifest {
    /// The list of files must be sorted. Refuses targets and links that do not describe the same thing: a restore follows them out of PGDATA.
    func checkTargets() throws(BackupError) {
        func invalid(_ name: String, _ reason: String) -> BackupError { BackupError(.format, "'\(name)' of the manifest \(reason)") }
        for (file, next) in zip(files, files.dropFirst()) where file.name == next.name {
            throw invalid(file.name.text, "stands there twice")
        }
        var names: Set<Key> = []
        for path in places.paths where !names.insert(Key(path.name)).inserted || files.index(of: ManifestName(path.name)) != nil {
            throw invalid(path.name, "stands there twice")
        }
        try checkTablespaceNames(invalid)
        names = []
        for target in places.targets where !names.insert(Key(target.name)).inserted { throw invalid(target.name, "stands there twice") }
        var destinations: [Key: String] = [:]
        for link in places.links where destinations.updateValue(link.destination, forKey: Key(link.name)) != nil {
            throw invalid(link.name, "stands there twice")
        }
        for target in places.targets {
            if sameBytes(target.name, Self.dataName) {
                guard !target.isLink, target.tablespace == nil, target.file == nil else { throw invalid(target.name, "is not a folder") }
                continue
            }
            guard target.isLink else { throw invalid(target.name, "is a path but not \(Self.dataName)") }
            let isTablespaceName = target.name.isBelow(Self.tablespaceName)
            if let tablespace = target.tablespace {
                guard sameBytes(target.name, "\(Self.tablespaceName)/\(tablespace.id)"), target.file == nil,
                    !tablespace.id.isEmpty, tablespace.id.utf8.allSatisfy({ 48...57 ~= $0 })
                else { throw invalid(target.name, "is not a tablespace of its id") }
            } else if isTablespaceName {
                throw invalid(target.name, "is in \(Self.tablespaceName) but not a tablespace")
            }
            let link = Key(target.tablespace == nil ? target.name : "\(Self.dataName)/\(target.name)")
            guard let destination = destinations.removeValue(forKey: link), sameBytes(destination, target.destination) else {
                throw invalid(target.name, "has no link to the same destination")
            }
        }
        if let left = destinations.keys.min() { throw invalid(left.path, "has no target") }
        guard places.targets.contains(where: { sameBytes($0.name, Self.dataName) }) else { throw invalid(Self.dataName, "is missing") }
    }

    /// A tablespace may lie anywhere on the host, so nothing but the one folder that PostgreSQL makes in there can be part of a backup.
    private func checkTablespaceNames(_ invalid: (_ name: String, _ reason: String) -> BackupError) throws(BackupError) {
        let tablespaces = Set(places.targets.compactMap { target in target.tablespace.map { Key("\(Self.tablespaceName)/\($0.id)") } })
        let folders = Set(places.paths.map { Key($0.name) })
        var version: String?
        var last: ManifestName.Folder?
        func check(_ name: String) throws(BackupError) {
            if name.isBelow("\(Self.dataName)/\(Self.tablespaceName)") {
                throw invalid(name, "is in \(Self.tablespaceName) but not a link")
            }
            guard name.isBelow(Self.tablespaceName) else { return }
            let parts = name.pathParts
            guard tablespaces.contains(Key("\(parts[0])/\(parts[1])")) else { throw invalid(name, "is in an unknown tablespace") }
            if parts.count == 2, folders.contains(Key(name)) { return }
            guard parts.count > 2, parts[2].hasBytes("PG_"), sameBytes(version ?? parts[2], parts[2]) else {
                throw invalid(name, "is not in the folder of the cluster in its tablespace")
            }
            version = parts[2]
        }
        for file in files {
            if let folder = file.name.folder, folder === last { continue }
            try check(file.name.text)
            // From there on the folder decides, and what was said of one file holds for all in it.
            let decides = file.name.folder.map { !$0.path.hasBytes(Self.tablespaceName) || $0.path.pathParts.count > 2 } ?? false
            last = decides ? file.name.folder : nil
        }
        for path in places.paths { try check(path.name) }
    }
}

/// A name of the manifest as a key in PGDATA: names of tablespaces lead through PGDATA's links.
func clusterKey(_ name: String) -> Key {
    if sameBytes(name, Manifest.dataName) { return .root }
    return Key(name.isBelow(Manifest.dataName) ? name.droppingBytes(Manifest.dataName.utf8.count + 1) : name)
}
