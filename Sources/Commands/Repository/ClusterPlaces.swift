// Where the parts of a cluster lie: as a backup finds them, and as a restore fills them.

import BackstopCore

struct ClusterPlaces: Sendable {
    /// PGDATA, tablespaces and what links lead to.
    var targets: [Manifest.Target] = []
    /// Each list in byte order of the names.
    var paths: [Manifest.Path] = []
    var links: [Manifest.Link] = []

    var dataPath: String { targets.first { $0.name == Manifest.dataName }?.path ?? "" }

    /// PGDATA, from whose mode and owner the defaults and those of generated files follow.
    var dataFolder: Manifest.Path? { paths.first { $0.name == Manifest.dataName } }

    mutating func sort() {
        paths.sort { bytewiseLess($0.name, $1.name) }
        links.sort { bytewiseLess($0.name, $1.name) }
        targets.sort { bytewiseLess($0.name, $1.name) }
    }

    /// The absolute place a linked target leads to; relative destinations are seen from the link's folder in PGDATA.
    func place(of target: Manifest.Target) -> String {
        let folder = target.tablespace == nil ? clusterKey(Key(target.name).parent.path) : Key(Manifest.tablespaceName)
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
