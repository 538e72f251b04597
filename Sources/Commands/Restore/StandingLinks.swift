// Links of PGDATA that lead elsewhere than the backup's: a clone must not write into the cluster that it was made from.

import BackstopCore

/// A tablespace or link of the backup, what stands in PGDATA in its place, and where the restore would write.
struct StandingLink: Sendable, Equatable {
    /// Relative to PGDATA.
    var name: String
    /// The real path behind the link; nil when there is no link, or one that leads nowhere.
    var leadsTo: String?
    /// The real path of what the restore would write to.
    var place: String
    var isPlaceEmpty: Bool
    /// What sends it elsewhere, as in `--tablespace-map=ts1`.
    var option: String

    /// What is not reached through PGDATA belongs to somebody else, when there is something.
    var isForeign: Bool { !isPlaceEmpty && leadsTo != place }

    static func refusal(_ links: [StandingLink]) -> BackupError? {
        guard let link = links.first(where: \.isForeign) else { return nil }
        let standing =
            link.leadsTo.map { "the link '\(link.name)' of the data directory leads to '\($0)'" }
            ?? "the data directory has no link '\(link.name)'"
        return BackupError(
            .pathNotEmpty, "unable to restore to '\(link.place)' because it contains files and \(standing)",
            hint: "is this a copy of a cluster that still uses '\(link.place)'? Then use \(link.option)=PATH as when the copy was made."
                + "\nif the place belongs to this cluster, make the link lead there, or empty the place.")
    }
}

extension RestoreTarget {
    /// Throws `.pathNotEmpty` (40) for a place that is not empty and that PGDATA does not lead to.
    func checkStandingLinks() async throws(BackupError) {
        let root = context.openTree("")
        var links: [StandingLink] = []
        for target in manifest.places.targets where target.isLink {
            let name = target.tablespace == nil ? clusterKey(target.name) : Key(target.name)
            let place = manifest.places.place(of: target)
            let standing = try await data.stat(name)
            let isEmpty =
                target.file == nil ? try await isEmpty(target, place) : try await root.stat(Key(absolute: place)) == nil
            links.append(
                StandingLink(
                    name: name.path, leadsTo: standing?.kind == .link ? realPath("\(manifest.places.dataPath)/\(name)") : nil,
                    place: realPath(place) ?? place, isPlaceEmpty: isEmpty,
                    option: target.tablespace.map { "--tablespace-map=\($0.name)" } ?? "--link-map=\(name)"))
        }
        if let refusal = StandingLink.refusal(links) { throw refusal }
    }

    /// Of a tablespace only the folder of this version of PostgreSQL is written to.
    private func isEmpty(_ target: Manifest.Target, _ place: String) async throws(BackupError) -> Bool {
        guard target.tablespace != nil else { return try await context.openTree(place).list(.root).isEmpty }
        guard let version = manifest.places.paths.first(where: { $0.name.hasBytes("\(target.name)/PG_") && $0.name.pathParts.count == 3 })
        else {
            return true
        }
        return try await context.openTree("\(place)/\(Key(version.name).name)").list(.root).isEmpty
    }
}
