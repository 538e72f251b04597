// Which places of this host the repositories and the cluster of a command take up.

import BackstopCore

enum PlacesOfThisHost {
    /// Throws `.config` (27) when a repository shares a place with the cluster, its tablespaces or what its links lead to. A cluster or a
    /// repository of another host is on other disks. Looks at the links directly in PGDATA and at those of tablespaces.
    static func check(_ cluster: ClusterFiles, _ control: ControlFile, _ context: RunContext) async throws(BackupError) {
        let repositories = repositories(context)
        guard cluster.host == nil, !repositories.isEmpty else { return }
        var parts = [TakenPlace("\(cluster.name)-path", cluster.path)]
        for index in context.options.indexes(.pg) where index != cluster.index && !context.options.isGiven(ClusterHostOptions.host, index) {
            if let path = context.options[PostgresOptions.path, index] { parts.append(TakenPlace("pg\(index)-path", path)) }
        }
        for entry in try await cluster.tree.list(.root) {
            guard entry.kind == .link, let target = entry.target else { continue }
            parts.append(TakenPlace("link '\(entry.key)'", absolute(target, from: cluster.path)))
        }
        let folder = control.version.tablespaceFolder(catalogVersion: control.catalogVersion)
        for entry in try await cluster.tree.list(Key(Manifest.tablespaceName)) {
            guard entry.kind == .link, let target = entry.target else { continue }
            let location = absolute(target, from: "\(cluster.path)/\(Manifest.tablespaceName)")
            // Beside this folder there may be anything, also another cluster's.
            parts.append(TakenPlace("tablespace \(entry.key.name)", "\(location)/\(folder)"))
        }
        try refuse(repositories, parts)
    }

    /// The same for all places, as a backup found them or as a restore is going to fill them.
    static func check(_ places: ClusterPlaces, _ context: RunContext) throws(BackupError) {
        var parts: [TakenPlace] = []
        for target in places.targets {
            if sameBytes(target.name, Manifest.dataName) {
                parts.append(TakenPlace("pg1-path", places.dataPath))
            } else if let tablespace = target.tablespace {
                let folder = places.paths.first { $0.name.hasBytes("\(target.name)/PG_") && $0.name.pathParts.count == 3 }
                guard let folder else { continue }
                parts.append(TakenPlace("tablespace '\(tablespace.name)'", "\(places.place(of: target))/\(Key(folder.name).name)"))
            } else {
                parts.append(TakenPlace("link '\(Manifest.shown(target.name))'", places.place(of: target)))
            }
        }
        try refuse(repositories(context), parts)
    }

    private static func repositories(_ context: RunContext) -> [TakenPlace] {
        let options = context.options
        return options.indexes(.repo).compactMap { index in
            guard !options.isGiven(RepositoryHostOptions.host, index),
                context.registry.storages[options[PlaceOptions.type, index]]?.place == .thisHost
            else { return nil }
            return TakenPlace("repo\(index)-path", options[PlaceOptions.path, index])
        }
    }

    private static func refuse(_ repositories: [TakenPlace], _ cluster: [TakenPlace]) throws(BackupError) {
        guard let reason = TakenPlace.overlap(repositories: repositories, cluster: cluster) else { return }
        throw BackupError(
            .config, reason,
            hint: "a restore would remove the repository, or the repository's files would be in the cluster's way."
                + "\ngive the repository a folder outside of the cluster, better on another disk.")
    }
}
