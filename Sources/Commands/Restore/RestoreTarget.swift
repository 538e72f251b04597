// The places a restore writes to: checked, cleaned and laid out before the first file comes.

import BackstopCore
import Glibc

/// PGDATA, tablespaces and link destinations of one restore.
struct RestoreTarget: Sendable {
    let context: RunContext
    let manifest: Manifest
    /// PGDATA.
    let data: any FileTree
    let isDelta: Bool
    let isForced: Bool
    /// Users of this host that the files of the backup belong to.
    let users: Set<String>
    private let modes: [Key: Manifest.Path]

    init(context: RunContext, manifest: Manifest, data: any FileTree, isDelta: Bool, isForced: Bool) {
        self.context = context
        self.manifest = manifest
        self.data = data
        self.isDelta = isDelta
        self.isForced = isForced
        users = Set(manifest.files.compactMap(\.owner.user))
        modes = Dictionary(manifest.places.paths.map { (Key($0.name), $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Files that a restore of type preserve keeps.
    private static let recoveryFiles: Set = ["recovery.conf", "postgresql.auto.conf", "recovery.signal", "standby.signal"]

    /// Name of the manifest that marks an unfinished restore in PGDATA.
    static let manifestName = "backup.manifest"

    /// Folders besides PGDATA that will be written to, as absolute paths with their names in the manifest.
    private var folders: [(path: String, name: String)] {
        manifest.places.targets.compactMap { target in
            if !target.isLink { return (manifest.places.dataPath, target.name) }
            if target.tablespace != nil {
                guard
                    let version = manifest.places.paths.first(where: {
                        $0.name.hasBytes("\(target.name)/PG_") && $0.name.pathParts.count == 3
                    })
                else { return nil }
                return ("\(manifest.places.place(of: target))/\(Key(version.name).name)", version.name)
            }
            return target.file == nil ? (manifest.places.place(of: target), target.name) : nil
        }
    }

    /// Throws when a place cannot be written to (53), is not empty (40), or a linked file exists (93).
    func check() async throws(BackupError) {
        let links = manifest.places.targets.filter { $0.isLink && $0.file != nil }
        let dataOwner = try await data.stat(.root)?.attributes.user
        for (path, name) in folders {
            let tree = context.openTree(path)
            guard let entry = try await tree.stat(.root) else { continue }
            guard entry.kind == .folder else { throw BackupError(.pathOpen, "'\(path)' is not a folder") }
            if geteuid() != 0 {
                guard let status = pathStatus(path), status.st_uid == geteuid() else {
                    throw BackupError(
                        .pathOpen, "unable to restore to path '\(path)' not owned by current user",
                        hint: getuid() == 0
                            ? "it belongs to user '\(entry.attributes.user ?? "?")', the cluster to '\(currentUser())': give it to that user first."
                            : "run the restore as the owner of the cluster.")
                }
                guard status.st_mode & 0o700 == 0o700 else {
                    throw BackupError(.pathOpen, "unable to restore to path '\(path)' without rwx permissions for its owner")
                }
            }
            if geteuid() == 0, let user = entry.attributes.user, !users.contains(user), user != dataOwner {
                guard try await tree.list(.root).isEmpty else {
                    throw BackupError(
                        .pathOpen, "unable to restore to path '\(path)': it is not empty and belongs to user '\(user)'",
                        hint: "if it is the right place, give it to the owner of the cluster first.")
                }
            }
            if isDelta || isForced { continue }
            let type = context.options[GeneralOptions.type]
            for entry in try await tree.list(.root) {
                if Self.isOfFileSystem(entry) { continue }
                let base = String(entry.key.name)
                // Also what a run that was killed left of it under a temporary name.
                if name == Manifest.dataName, base == Self.manifestName || base.hasBytes("\(Self.manifestName).") { continue }
                if name == Manifest.dataName, type == "preserve", Self.recoveryFiles.contains(base) { continue }
                throw BackupError(
                    .pathNotEmpty, "unable to restore to path '\(path)' because it contains files",
                    hint: context.options[BackupOptions.delta] ? nil : "try using --delta if this is what you intended.")
            }
        }
        if isDelta || isForced { return try await checkStandingLinks() }
        for link in links {
            let path = manifest.places.place(of: link)
            if try await context.openTree("").stat(Key(absolute: path)) != nil {
                throw BackupError(
                    .fileExists, "unable to restore file '\(path)' because it already exists",
                    hint: "try using --delta if this is what you intended.")
            }
        }
    }

    /// Removes all that is not in the backup. pg_control goes first, so that what is left cannot be started by mistake.
    func clean() async throws(BackupError) {
        guard isDelta || isForced else { return }
        try await data.remove(Key(ClusterFiles.controlName))
        try await data.sync(.root)
        var kept: [Key: Entry.Kind] = [Key("\(Manifest.dataName)/\(Self.manifestName)"): .file]
        for path in manifest.places.paths { kept[Key(path.name)] = .folder }
        let map = ManifestName("\(Manifest.dataName)/tablespace_map")
        for file in manifest.files where file.name != map { kept[file.name.key] = .file }
        for link in manifest.places.links { kept[Key(link.name)] = .link }
        if context.options[GeneralOptions.type] == "preserve" {
            for name in Self.recoveryFiles { kept[Key("\(Manifest.dataName)/\(name)")] = .file }
        }
        let destinations = Dictionary(manifest.places.links.map { (Key($0.name), $0.destination) }, uniquingKeysWith: { a, _ in a })
        var removed = 0
        for (path, name) in folders {
            context.log.info("remove invalid files/links/paths from '\(path)'")
            let tree = context.openTree(path)
            try await clean(tree, .root, Key(name), kept, destinations, &removed)
        }
        context.log.detail("removed \(removed) file(s), link(s) and folder(s) that are not in the backup")
    }

    private func clean(
        _ tree: any FileTree, _ folder: Key, _ name: Key, _ kept: [Key: Entry.Kind], _ destinations: [Key: String], _ removed: inout Int
    ) async throws(BackupError) {
        for entry in try await tree.list(folder) {
            let child = name / entry.key.name
            if folder.isRoot, Self.isOfFileSystem(entry) { continue }
            if entry.kind == .folder { try await makeAccessible(tree, entry) }
            if kept[child] == entry.kind {
                if entry.kind == .folder { try await clean(tree, entry.key, child, kept, destinations, &removed) }
                if entry.kind != .link || destinations[child] == entry.target { continue }
            }
            context.log.detail("remove invalid \(entry.kind.rawValue) '\(tree.location)/\(entry.key)'")
            removed += 1
            if entry.kind == .folder {
                try await clean(tree, entry.key, child, kept, destinations, &removed)
                try await tree.removeDirectory(entry.key)
            } else {
                try await tree.remove(entry.key)
            }
        }
    }

    /// At the top of a mount; nobody but root may look into it.
    private static func isOfFileSystem(_ entry: Entry) -> Bool {
        entry.kind == .folder && entry.key.name == "lost+found" && entry.attributes.user == "root"
    }

    /// Whatever somebody took from the owner of a folder.
    private func makeAccessible(_ tree: any FileTree, _ folder: Entry) async throws(BackupError) {
        guard let mode = folder.attributes.mode, mode & 0o700 != 0o700 else { return }
        try await tree.setAttributes(folder.key, Attributes(mode: mode | 0o700))
    }

    /// What is missing of the places, and what is above it: where their owner may not make it, root does.
    func makeMissingFolders(_ acting: ActingUser) async throws(BackupError) {
        let root = context.openTree("")
        var missing = [(path: manifest.places.dataPath, name: Manifest.dataName)]
        for target in manifest.places.targets where target.isLink {
            let place = manifest.places.place(of: target)
            missing.append(target.file == nil ? (place, target.name) : ("/\(Key(absolute: place).parent)", Manifest.dataName))
        }
        for (path, name) in missing + folders where try await root.stat(Key(absolute: path)) == nil {
            do throws(BackupError) {
                try await root.makeDirectory(Key(absolute: path), attributes(name))
            } catch  where error.code == .pathCreate || error.code == .denied {
                try acting.makeFolderAsRoot(path)
                try await root.setAttributes(Key(absolute: path), attributes(name))
            }
        }
    }

    /// Of a folder by its name in the manifest; one that is not there is like PGDATA.
    private func attributes(_ name: String) -> Attributes {
        let path = modes[Key(name)] ?? manifest.places.dataFolder
        return Attributes(mode: path?.mode ?? 0o700, user: path?.owner.user, group: path?.owner.group)
    }

    /// Creates folders and links.
    func layOut() async throws(BackupError) {
        let root = context.openTree("")
        try await data.makeDirectory(.root, attributes(Manifest.dataName))
        // Parents come before children in the order of names; links are made as soon as their folder is there.
        var links = manifest.places.links
        let linked = Set(links.map { Key($0.name) })
        for path in manifest.places.paths where path.name != Manifest.dataName {
            while let link = links.first, !bytewiseLess(path.name, link.name) {
                try await make(links.removeFirst(), root)
            }
            if path.name == Manifest.tablespaceName { break }
            if linked.contains(Key(path.name)) { continue }
            try await data.makeDirectory(clusterKey(path.name), attributes(path.name))
        }
        for link in links { try await make(link, root) }
        for path in manifest.places.paths where path.name.isBelow(Manifest.tablespaceName) && path.name.pathParts.count > 2 {
            try await data.makeDirectory(clusterKey(path.name), attributes(path.name))
        }
        try await root.sync(.root)
    }

    private func make(_ link: Manifest.Link, _ root: any FileTree) async throws(BackupError) {
        let key = clusterKey(link.name)
        let isOf: (Manifest.Target) -> Bool = { sameBytes($0.name, link.name) || sameBytes("\(Manifest.dataName)/\($0.name)", link.name) }
        guard let target = manifest.places.targets.first(where: isOf) else {
            throw BackupError(.format, "link '\(link.name)' has no target")
        }
        let place = Key(absolute: manifest.places.place(of: target))
        let folder = target.file == nil ? place : place.parent
        // The owner and mode of a folder that was there before are its owner's affair: the manifest must not decide on any folder of this host.
        if try await root.stat(folder) == nil {
            try await root.makeDirectory(folder, attributes(target.file == nil ? target.name : Manifest.dataName))
        }
        if let existing = try await data.stat(key), existing.kind == .link, existing.target == link.destination { return }
        try await data.link(key, to: link.destination, .symbolic)
        try await data.setAttributes(key, Attributes(user: link.owner.user, group: link.owner.group))
    }

    /// Where a file goes: through the links of PGDATA, or for a linked file to its destination itself. The sync at the end of the
    /// restore covers what was written through PGDATA; the rest must be durable at once.
    func place(of name: String) -> (tree: any FileTree, key: Key, isSynced: Bool) {
        if let target = manifest.places.targets.first(where: { $0.isLink && $0.file != nil && sameBytes($0.name, name) }) {
            return (context.openTree(""), Key(absolute: manifest.places.place(of: target)), false)
        }
        return (data, clusterKey(name), true)
    }
}
