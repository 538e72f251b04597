// Where the parts of a backup go when not to their original places (repository-format.md section 10.6).

import BackstopCore

extension Manifest {
    /// Applies pg1-path, tablespace-map, tablespace-map-all, link-map and link-all. Pure.
    mutating func remap(dataPath: String, _ options: Options, _ notes: inout RestoreNotes) throws(BackupError) {
        guard let data = places.targets.firstIndex(where: { $0.name == Manifest.dataName }) else {
            throw BackupError(.format, "manifest of backup '\(label)' has no target \(Manifest.dataName)")
        }
        if places.targets[data].path != dataPath { notes.info("remap data directory to '\(dataPath)'") }
        places.targets[data].path = dataPath
        try remapTablespaces(options, &notes)
        try remapLinks(options, &notes)
        sort()
        try places.checkPlaces()
    }

    private mutating func remapTablespaces(_ options: Options, _ notes: inout RestoreNotes) throws(BackupError) {
        var unused = options[RestoreOptions.tablespaceMap]
        let all = options[RestoreOptions.tablespaceMapAll]
        for index in places.targets.indices {
            guard let tablespace = places.targets[index].tablespace else { continue }
            let byName = unused[tablespace.name]
            let byID = unused[tablespace.id]
            if let byName, let byID, byName != byID, tablespace.name != tablespace.id {
                throw BackupError(
                    .tablespaceMap, "tablespace remapped by name '\(tablespace.name)' and id \(tablespace.id) with different paths",
                    hint: "use either the name or the id.")
            }
            unused[tablespace.name] = nil
            unused[tablespace.id] = nil
            guard let path = byName ?? byID ?? all.map({ "\($0)/\(tablespace.name)" }) else { continue }
            guard path.hasBytes("/") else {
                throw BackupError(.tablespaceMap, "tablespace '\(tablespace.name)' must be remapped to an absolute path, not '\(path)'")
            }
            notes.info("map tablespace '\(places.targets[index].name)' directory to '\(path)'")
            places.targets[index].path = path
            setDestination("\(Manifest.dataName)/\(places.targets[index].name)", path)
        }
        if let unknown = unused.keys.min() {
            throw BackupError(
                .tablespaceMap, "unable to remap invalid tablespace '\(unknown)'",
                hint:
                    "tablespaces of this backup: \(places.targets.compactMap(\.tablespace).map { "\($0.name) (\($0.id))" }.joined(separator: ", "))."
            )
        }
    }

    private mutating func setDestination(_ link: String, _ destination: String) {
        for index in places.links.indices where sameBytes(places.links[index].name, link) { places.links[index].destination = destination }
    }

    private mutating func remapLinks(_ options: Options, _ notes: inout RestoreNotes) throws(BackupError) {
        let map = options[RestoreOptions.linkMap]
        for (name, destination) in map.sorted(by: { bytewiseLess($0.key, $1.key) }) {
            try remapLink("\(Manifest.dataName)/\(name)", destination, &notes)
        }
        if options[RestoreOptions.linkAll] { return }
        let mapped = Set(map.keys.map { Key("\(Manifest.dataName)/\($0)") })
        for target in places.targets where target.isLink && target.tablespace == nil && !mapped.contains(Key(target.name)) {
            notes.warn(
                "\(target.file == nil ? "contents of directory" : "file") link '\(Manifest.shown(target.name))' will be restored as a \(target.file == nil ? "directory" : "file") at the same location"
            )
            places.links.removeAll { sameBytes($0.name, target.name) }
        }
        places.targets.removeAll { $0.isLink && $0.tablespace == nil && !mapped.contains(Key($0.name)) }
    }

    private mutating func remapLink(_ name: String, _ destination: String, _ notes: inout RestoreNotes) throws(BackupError) {
        if name.isBelow("\(Manifest.dataName)/\(Manifest.tablespaceName)") {
            throw BackupError(.linkMap, "unable to remap tablespace '\(name)'", hint: "use --tablespace-map for tablespaces.")
        }
        let isFile = files.index(of: ManifestName(name)) != nil
        let isFolder = places.paths.contains { sameBytes($0.name, name) }
        guard isFile || isFolder, name != Manifest.dataName else {
            throw BackupError(
                .linkMap, "unable to remap invalid link '\(Manifest.shown(name))'",
                hint: "it is neither a link nor a file or folder of the backup.")
        }
        let key = Key(destination)
        if isFile, destination.utf8.lastIndex(of: UInt8(ascii: "/")) == nil {
            throw BackupError(
                .linkMap, "'\(destination)' is not a valid destination for the file link '\(name)'", hint: "a path with a folder is needed."
            )
        }
        let target = Target(
            name: name, path: isFile ? (destination.hasBytes("/") && key.parent.path.isEmpty ? "/" : key.parent.path) : destination,
            file: isFile ? String(key.name) : nil, isLink: true, tablespace: nil)
        places.targets.removeAll { sameBytes($0.name, name) }
        places.targets.append(target)
        places.links.removeAll { sameBytes($0.name, name) }
        places.links.append(Link(name: name, destination: destination, owner: places.dataFolder?.owner ?? Owner()))
        notes.info("map link '\(Manifest.shown(name))' to '\(destination)'")
    }
}
