// Whom the restored files belong to, and as whom a restore by root works.

import BackstopCore

/// A restore by root gives files to the owners that the manifest names. Where that is one owner for all of them, as nearly always, it works
/// as that user: then nothing that the owner of PGDATA puts there makes root change anything elsewhere.
struct RestoreOwners: Equatable {
    enum Work: Equatable {
        /// As the one owner; `adopts`: PGDATA is empty and still somebody else's.
        case asOwner(Manifest.Owner, adopts: Bool)
        case asRoot
        /// PGDATA is not empty and belongs to a user that has nothing to do with the backup.
        case refused
    }

    /// PGDATA as it stands.
    struct Folder: Equatable {
        var owner: Manifest.Owner
        var isEmpty: Bool
    }

    /// All owners of the backup's files, as they are called on this host.
    private(set) var owners: Set<Manifest.Owner> = []
    /// Of those that this host does not know: `user 'x'`, sorted.
    private(set) var unknown: [String] = []

    /// Resolves the owners in `manifest`: what has no name, or one that is unknown here, goes to the owner of PGDATA, by the manifest or as
    /// it stands.
    init(_ manifest: inout Manifest, standing: Folder?, exists: (_ user: String?, _ group: String?) -> Bool) {
        var known: [Manifest.Owner: Manifest.Owner] = [:]
        var unknown: Set<String> = []
        func onThisHost(_ owner: Manifest.Owner) -> Manifest.Owner {
            if let found = known[owner] { return found }
            var found = owner
            if let user = owner.user, !exists(user, nil) {
                unknown.insert("user '\(user)'")
                found.user = nil
            }
            if let group = owner.group, !exists(nil, group) {
                unknown.insert("group '\(group)'")
                found.group = nil
            }
            known[owner] = found
            return found
        }
        let data = onThisHost(manifest.places.dataFolder?.owner ?? Manifest.Owner())
        let fallback = Manifest.Owner(user: data.user ?? standing?.owner.user, group: data.group ?? standing?.owner.group)
        var owners: Set<Manifest.Owner> = []
        func resolve(_ owner: inout Manifest.Owner) {
            let found = onThisHost(owner)
            owner = Manifest.Owner(user: found.user ?? fallback.user, group: found.group ?? fallback.group)
            owners.insert(owner)
        }
        var shared: [ObjectIdentifier: FileAttributes] = [:]
        for index in manifest.files.indices {
            let given = manifest.files[index].attributes
            let resolved: FileAttributes
            if let known = shared[ObjectIdentifier(given)] {
                resolved = known
            } else {
                var owner = given.owner
                resolve(&owner)
                resolved = FileAttributes(mode: given.mode, owner: owner)
                // Both are kept, so that no other object gets the identity of one that has gone.
                shared[ObjectIdentifier(given)] = resolved
                shared[ObjectIdentifier(resolved)] = resolved
            }
            manifest.files[index].attributes = resolved
        }
        for index in manifest.places.paths.indices { resolve(&manifest.places.paths[index].owner) }
        for index in manifest.places.links.indices { resolve(&manifest.places.links[index].owner) }
        self.owners = owners
        self.unknown = unknown.sorted(by: bytewiseLess)
    }

    /// `data`: PGDATA; nil when it does not exist.
    func work(_ data: Folder?) -> Work {
        let isOthers = data.map { folder in folder.owner.user != "root" && !owners.contains { $0.user == folder.owner.user } } ?? false
        if isOthers, data?.isEmpty == false { return .refused }
        guard owners.count == 1, let owner = owners.first, let user = owner.user, user != "root", owner.group != nil else { return .asRoot }
        guard let data else { return .asOwner(owner, adopts: false) }
        if data.owner.user == user { return .asOwner(owner, adopts: false) }
        return data.isEmpty ? .asOwner(owner, adopts: true) : .asRoot
    }
}
