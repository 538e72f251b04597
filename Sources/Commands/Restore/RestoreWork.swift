// As whom a restore works on files.

import BackstopCore
import Glibc

struct RestoreWork {
    private let context: RunContext
    private let cluster: ClusterFiles

    init(_ context: RunContext, _ cluster: ClusterFiles) {
        self.context = context
        self.cluster = cluster
    }

    /// For root: resolves the owners in the manifest, and becomes the owner of the cluster where that is possible. Everything that only root
    /// may read (configuration, secrets) has been read. nil: the restore goes on as who started it. `onlyLooks`: PGDATA stays whose it is.
    func begin(
        _ manifest: inout Manifest, _ set: RestoreSet, onlyLooks: Bool, _ notes: inout RestoreNotes
    ) async throws(BackupError) -> ActingUser? {
        guard geteuid() == 0 else { return nil }
        let data = try await standing()
        let owners = RestoreOwners(&manifest, standing: data) { ActingUser.exists(user: $0, group: $1) }
        if !owners.unknown.isEmpty {
            let owner = manifest.places.dataFolder?.owner.user ?? "root"
            notes.warn(
                "\(owners.unknown.joined(separator: ", ")) of the backup not known on this host: those files belong to '\(owner)'")
        }
        switch owners.work(data) {
        case .asRoot: return nil
        case .refused:
            throw BackupError(
                .pathOpen, "unable to restore to path '\(cluster.path)': it is not empty and belongs to user '\(data?.owner.user ?? "?")'",
                hint: "the files of the backup belong to \(names(owners.owners)): is this the right place?"
                    + "\nif it is, give it to that user first.")
        case .asOwner(let owner, let adopts):
            guard let user = owner.user, let group = owner.group, !(adopts && onlyLooks) else { return nil }
            let acting = try ActingUser(user: user, group: group)
            do throws(BackupError) {
                try await prove(manifest, set)
                if adopts { try acting.adopt(cluster.path) }
                context.log.detail("files are worked on as user '\(user)'")
                return acting
            } catch {
                acting.end()
                guard [.denied, .fileOpen, .pathOpen].contains(error.code) else { throw error }
                context.log.detail("files are worked on as root, because user '\(user)' may not read the repository: \(error.message)")
                return nil
            }
        }
    }

    private func names(_ owners: Set<Manifest.Owner>) -> String {
        let users = Set(owners.compactMap(\.user)).sorted(by: bytewiseLess)
        return users.isEmpty ? "nobody of this host" : users.map { "'\($0)'" }.joined(separator: ", ")
    }

    private func standing() async throws(BackupError) -> RestoreOwners.Folder? {
        guard let entry = try await cluster.tree.stat(.root), entry.kind == .folder else { return nil }
        return RestoreOwners.Folder(
            owner: Manifest.Owner(user: entry.attributes.user, group: entry.attributes.group),
            isEmpty: try await cluster.tree.list(.root).isEmpty)
    }

    /// Throws `.denied` when the repository, or a key to it, is for root only: a restore must not fail for that.
    private func prove(_ manifest: Manifest, _ set: RestoreSet) async throws(BackupError) {
        for (name, value) in context.options.values where name.index == set.repository.index && name.name.hasSuffix("-file") {
            if case .text(let path) = value.value, value.source != .defaultValue, !ActingUser.mayRead(path) {
                throw BackupError(.denied, "\(path)")
            }
        }
        // Elsewhere it is not the user of this host who is asked.
        guard let storage = set.repository.storage as? any FileTree else { return }
        _ = try await storage.list(set.repository.layout.backup(set.label))
        let stored = manifest.files.first { $0.size > 0 }.flatMap {
            manifest.location(
                of: $0, set.repository.layout, suffix: (try? set.repository.registry.codec(manifest.settings.compressType).suffix) ?? "")
        }
        for key in [set.repository.layout.manifest(set.label)] + (stored.map { [$0.key] } ?? []) { _ = try await storage.open(key) }
    }
}
