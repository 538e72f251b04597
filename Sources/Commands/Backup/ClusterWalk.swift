// Makes the list of what a backup will hold: a walk over PGDATA, its tablespaces and its links.

import BackstopCore

/// The cluster may be running: what vanishes while it is listed is not in it.
struct ClusterWalk {
    private let tree: any FileTree
    /// Of the host, for what links lead to.
    private let root: any FileTree
    private let dataPath: String
    private let rules: ExcludedFiles
    /// `PG_15_202209061`.
    private let tablespaceFolder: String
    /// Names of tablespaces by their oid.
    private let tablespaces: [String: String]
    private var listing = ClusterListing()
    private var shared = FileAttributes.Sharing()

    /// `tablespaces`: names by oid, as far as the server tells them.
    static func list(
        _ cluster: ClusterFiles, _ rules: ExcludedFiles, tablespaceFolder: String, tablespaces: [String: String]
    ) async throws(BackupError) -> ClusterListing {
        var walk = ClusterWalk(cluster, rules, tablespaceFolder, tablespaces)
        try await walk.run()
        return walk.listing
    }

    private init(_ cluster: ClusterFiles, _ rules: ExcludedFiles, _ tablespaceFolder: String, _ tablespaces: [String: String]) {
        tree = cluster.tree
        root = cluster.root
        dataPath = cluster.path
        self.rules = rules
        self.tablespaceFolder = tablespaceFolder
        self.tablespaces = tablespaces
    }

    private mutating func run() async throws(BackupError) {
        guard let root = try await tree.stat(.root), root.kind == .folder else {
            throw BackupError(.pathOpen, "PostgreSQL data directory '\(dataPath)' does not exist", hint: "is pg1-path right?")
        }
        listing.places.targets = [Manifest.Target(name: Manifest.dataName, path: dataPath, file: nil, isLink: false, tablespace: nil)]
        listing.places.paths = [path(Manifest.dataName, root)]
        try await walk(.root, as: Manifest.dataName)
        if listing.places.targets.contains(where: { $0.tablespace != nil }) {
            listing.places.paths.append(path(Manifest.tablespaceName, root))
        }
        listing.places.sort()
        listing.files.sort { $0.name < $1.name }
        try listing.places.checkPlaces()
    }

    private func path(_ name: String, _ entry: Entry) -> Manifest.Path {
        Manifest.Path(name: name, mode: entry.attributes.mode ?? 0o700, owner: owner(entry))
    }

    private func owner(_ entry: Entry) -> Manifest.Owner { Manifest.Owner(user: entry.attributes.user, group: entry.attributes.group) }

    private mutating func walk(_ folder: Key, as name: String) async throws(BackupError) {
        let entries = try await tree.list(folder)
        let inFolder = ManifestName.Folder(name)
        let siblings = DatabasePath.isFolder(name) ? Set(entries.map { String($0.key.name) }) : []
        for entry in entries {
            let base = String(entry.key.name)
            if rules.isTemporary(base) { continue }
            if base.utf8.contains(10) {
                throw BackupError(
                    .invalid, "'\(dataPath)/\(entry.key)' has a line feed in its name, which a manifest cannot hold",
                    hint: "rename the file, or remove it if it is not needed.")
            }
            let child = "\(name)/\(base)"
            switch entry.kind {
            case .folder:
                if name == "\(Manifest.dataName)/\(Manifest.tablespaceName)" { throw linkExpected(entry) }
                let verdict = rules.folder(entry.key.path)
                if verdict == .skip { continue }
                listing.places.paths.append(path(child, entry))
                if verdict == .include { try await walk(entry.key, as: child) }
            case .file:
                if name == "\(Manifest.dataName)/\(Manifest.tablespaceName)" { throw linkExpected(entry) }
                if rules.file(entry.key.path, name: base, manifestFolder: name, siblings: siblings) == .include {
                    addFile(ManifestName(base, in: inFolder), entry)
                }
            case .link:
                if rules.folder(entry.key.path) == .skip { continue }
                if name == "\(Manifest.dataName)/\(Manifest.tablespaceName)" {
                    try await addTablespace(base, entry)
                } else {
                    try await addLink(child, entry)
                }
            case .special:
                listing.warnings.append("exclude special file '\(dataPath)/\(entry.key)' from backup")
            }
        }
    }

    private func linkExpected(_ entry: Entry) -> BackupError {
        BackupError(
            .linkExpected, "'\(dataPath)/\(entry.key)' is not a symlink - \(Manifest.tablespaceName) should contain only symlinks",
            hint: "in-place tablespaces cannot be backed up.")
    }

    private mutating func addFile(_ name: ManifestName, _ entry: Entry) {
        let attributes = shared.attributes(mode: entry.attributes.mode ?? 0o600, owner: owner(entry))
        listing.files.makeRoom()
        listing.files.append(ListedFile(name: name, size: entry.size, modified: entry.modified, attributes: attributes))
    }

    private mutating func addTablespace(_ oid: String, _ entry: Entry) async throws(BackupError) {
        let destination = entry.target ?? ""
        let name = "\(Manifest.tablespaceName)/\(oid)"
        let root = try await resolve(entry, destination)
        listing.places.links.append(Manifest.Link(name: "\(Manifest.dataName)/\(name)", destination: destination, owner: owner(entry)))
        listing.places.targets.append(
            Manifest.Target(name: name, path: destination, file: nil, isLink: true, tablespace: (oid, tablespaces[oid] ?? "ts\(oid)")))
        listing.places.paths.append(path(name, root))
        // Another cluster, of an older version, may use the same tablespace: only the folder of this one is walked.
        let key = entry.key / tablespaceFolder
        guard let folder = try await tree.stat(key), folder.kind == .folder else { return }
        listing.places.paths.append(path("\(name)/\(tablespaceFolder)", folder))
        try await walk(key, as: "\(name)/\(tablespaceFolder)")
    }

    private mutating func addLink(_ name: String, _ entry: Entry) async throws(BackupError) {
        let destination = entry.target ?? ""
        let found = try await resolve(entry, destination)
        listing.places.links.append(Manifest.Link(name: name, destination: destination, owner: owner(entry)))
        if found.kind == .folder {
            listing.places.targets.append(Manifest.Target(name: name, path: destination, file: nil, isLink: true, tablespace: nil))
            let verdict = rules.folder(entry.key.path)
            listing.places.paths.append(path(name, found))
            if verdict == .include { try await walk(entry.key, as: name) }
        } else {
            let key = Key(destination)
            listing.places.targets.append(
                Manifest.Target(
                    name: name, path: destination.hasBytes("/") && key.parent.path.isEmpty ? "/" : key.parent.path, file: String(key.name),
                    isLink: true,
                    tablespace: nil))
            addFile(ManifestName(name), found)
        }
    }

    /// What the link leads to; it must be there and not be a link itself.
    private func resolve(_ entry: Entry, _ destination: String) async throws(BackupError) -> Entry {
        let path = absolute(destination, from: "\(dataPath)/\(entry.key.parent)")
        guard let found = try await root.stat(Key(absolute: path)) else {
            throw BackupError(.fileMissing, "link '\(dataPath)/\(entry.key)' leads to '\(destination)', which does not exist")
        }
        guard found.kind != .link else {
            throw BackupError(
                .linkDestination, "link '\(dataPath)/\(entry.key)' cannot reference another link '\(destination)'",
                hint: "let the link lead to the folder or file itself.")
        }
        guard found.kind != .special else {
            throw BackupError(.linkDestination, "link '\(dataPath)/\(entry.key)' leads to a special file '\(destination)'")
        }
        return found
    }
}
