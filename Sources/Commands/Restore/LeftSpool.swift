// What asynchronous archiving left for the cluster that was here before.

import BackstopCore
import Glibc

enum LeftSpool {
    /// Nothing in it is needed any more, and what cannot be removed is none of ours: it is said, and hinders nothing. `owners`: users whose
    /// folders root may empty.
    static func remove(_ stanza: String, _ context: RunContext, owners: Set<String>) async {
        let spool = context.options[GeneralOptions.spoolPath]
        let tree = context.openTree(spool)
        let folder = Key("archive") / stanza
        do throws(BackupError) {
            for key in [folder.parent, folder] {
                guard let entry = try await tree.stat(key) else { return }
                // A link leads to what somebody else may have wanted root to remove.
                guard entry.kind == .folder else { throw BackupError(.denied, "'\(spool)/\(key)' is not a folder") }
                guard geteuid() != 0 || entry.attributes.user.map({ $0 == "root" || owners.contains($0) }) ?? false else {
                    throw BackupError(.denied, "'\(spool)/\(key)' belongs to user '\(entry.attributes.user ?? "?")'")
                }
            }
            try await tree.removeAll(folder)
        } catch {
            context.log.warn("the spool of stanza '\(stanza)' is left as it is: \(error.message)")
        }
    }
}
