// Targets and links of a manifest: they must fit together, and no place may be part of another.

import BackstopCore

extension Manifest {
    /// Refuses targets and links that do not describe the same thing: a restore follows them out of PGDATA.
    func checkTargets() throws(BackupError) {
        func invalid(_ name: String, _ reason: String) -> BackupError { BackupError(.format, "'\(name)' of the manifest \(reason)") }
        var names: Set<Key> = []
        for name in files.map(\.name) + paths.map(\.name) where !names.insert(Key(name)).inserted {
            throw invalid(name, "stands there twice")
        }
        try checkTablespaceNames(invalid)
        names = []
        for target in targets where !names.insert(Key(target.name)).inserted { throw invalid(target.name, "stands there twice") }
        var destinations: [Key: String] = [:]
        for link in links where destinations.updateValue(link.destination, forKey: Key(link.name)) != nil {
            throw invalid(link.name, "stands there twice")
        }
        for target in targets {
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
        guard targets.contains(where: { sameBytes($0.name, Self.dataName) }) else { throw invalid(Self.dataName, "is missing") }
    }

    /// A tablespace may lie anywhere on the host, so nothing but the one folder that PostgreSQL makes in there can be part of a backup.
    private func checkTablespaceNames(_ invalid: (_ name: String, _ reason: String) -> BackupError) throws(BackupError) {
        let tablespaces = Set(targets.compactMap { target in target.tablespace.map { Key("\(Self.tablespaceName)/\($0.id)") } })
        let folders = Set(paths.map { Key($0.name) })
        var version: String?
        for name in files.map(\.name) + paths.map(\.name) {
            if name.isBelow("\(Self.dataName)/\(Self.tablespaceName)") {
                throw invalid(name, "is in \(Self.tablespaceName) but not a link")
            }
            guard name.isBelow(Self.tablespaceName) else { continue }
            let parts = name.pathParts
            guard tablespaces.contains(Key("\(parts[0])/\(parts[1])")) else { throw invalid(name, "is in an unknown tablespace") }
            if parts.count == 2, folders.contains(Key(name)) { continue }
            guard parts.count > 2, parts[2].hasBytes("PG_"), sameBytes(version ?? parts[2], parts[2]) else {
                throw invalid(name, "is not in the folder of the cluster in its tablespace")
            }
            version = parts[2]
        }
    }

    /// The absolute place a linked target leads to; relative destinations are seen from the link's folder in PGDATA.
    func place(of target: Target) -> String {
        let folder = target.tablespace == nil ? clusterKey(Key(target.name).parent.path) : Key(Self.tablespaceName)
        return absolute(target.destination, from: "\(dataPath)/\(folder)")
    }

    /// No destination may lie in PGDATA or in another destination: its content would be there twice (repository-format.md section 3.6).
    func checkPlaces() throws(BackupError) {
        let linked = targets.filter(\.isLink).map { (target: $0, place: place(of: $0)) }
        for (target, place) in linked {
            if sameBytes(place, dataPath) || place.isBelow(dataPath) {
                throw BackupError(
                    .linkDestination, "link '\(target.name)' destination '\(target.destination)' is in PGDATA",
                    hint: "a link or tablespace must lead out of the data directory.")
            }
            for other in linked where !sameBytes(other.target.name, target.name) {
                let isInside = target.file == nil && other.target.file == nil && place.isBelow(other.place)
                if isInside || sameBytes(place, other.place) {
                    throw BackupError(
                        .linkDestination,
                        "link '\(target.name)' (\(target.destination)) destination is the same as, or a subfolder of, link '\(other.target.name)' (\(other.target.destination))",
                        hint: "give each link and tablespace a folder of its own.")
                }
            }
        }
    }
}

extension Manifest.Target {
    /// The text of the link.
    var destination: String {
        guard let file else { return path }
        return path.isEmpty ? file : path == "/" ? "/\(file)" : "\(path)/\(file)"
    }
}

/// A name of the manifest as a key in PGDATA: names of tablespaces lead through PGDATA's links.
func clusterKey(_ name: String) -> Key {
    if sameBytes(name, Manifest.dataName) { return .root }
    return Key(name.isBelow(Manifest.dataName) ? name.droppingBytes(Manifest.dataName.utf8.count + 1) : name)
}
