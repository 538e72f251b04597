// `info --output=json`: the peer's keys (repository-format.md section 12.4).

import BackstopCore

extension StanzaReport {
    /// Only `name` and `status` for `--detail-level=progress`.
    func json(progressOnly: Bool) -> JSON {
        var object: [String: JSON] = ["name": .string(name), "status": statusJSON]
        if progressOnly { return .object(object) }
        object["archive"] = .array(
            repositories.flatMap(\.archives).sorted { ($0.database.id, $0.repository) < ($1.database.id, $1.repository) }.map(\.json))
        object["backup"] = .array(backups.map(\.json))
        object["cipher"] = .string(cipher)
        object["db"] = .array(
            repositories.flatMap { repository in
                (repository.history?.databases ?? []).map { database in
                    .object([
                        "id": JSON(database.id), "repo-key": JSON(repository.index), "system-id": JSON(database.systemID),
                        "version": .string(database.version.description),
                    ])
                }
            })
        object["repo"] = .array(
            repositories.map { .object(["cipher": .string($0.cipher), "key": JSON($0.index), "status": $0.status.json]) })
        return .object(object)
    }

    private var statusJSON: JSON {
        var backup: [String: JSON] = ["held": .bool(!backupLocks.isEmpty)]
        let running = backupLocks.compactMap { lock in lock.state.size.map { (lock.repository, $0, lock.state.complete ?? 0) } }
        if !running.isEmpty {
            backup["repo"] = .array(running.map { .object(["key": JSON($0.0), "size": JSON($0.1), "size-cplt": JSON($0.2)]) })
            backup["size"] = JSON(running.reduce(0) { $0 &+ $1.1 })
            backup["size-cplt"] = JSON(running.reduce(0) { $0 &+ $1.2 })
        }
        var restore: [String: JSON] = ["held": .bool(restoreLock != nil)]
        if let size = restoreLock?.size {
            restore["size"] = JSON(size)
            restore["size-cplt"] = JSON(restoreLock?.complete ?? 0)
        }
        return .object([
            "code": JSON(status.code), "lock": .object(["backup": .object(backup), "restore": .object(restore)]),
            "message": .string(status.message),
        ])
    }
}

extension StanzaReport.Status {
    fileprivate var json: JSON { .object(["code": JSON(code), "message": .string(message)]) }
}

extension StanzaReport.Archive {
    fileprivate var json: JSON {
        .object([
            "database": .object(["id": JSON(database.id), "repo-key": JSON(repository)]), "id": .string(database.archiveID),
            "max": JSON(max),
            "min": JSON(min),
        ])
    }
}

extension StanzaReport.Backup {
    fileprivate var json: JSON {
        let source = summary.object
        func copy(_ key: String) -> JSON { source[key] ?? .null }
        var repositoryInfo: [String: JSON] = ["delta": copy("backup-info-repo-size-delta")]
        if let map = source["backup-info-repo-size-map"] {
            repositoryInfo["delta-map"] = copy("backup-info-repo-size-map-delta")
            repositoryInfo["size-map"] = map
        } else {
            repositoryInfo["size"] = copy("backup-info-repo-size")
        }
        var object: [String: JSON] = [
            "archive": .object(["start": copy("backup-archive-start"), "stop": copy("backup-archive-stop")]),
            "backrest": .object(["format": copy("backrest-format"), "version": copy("backrest-version")]),
            "database": .object(["id": JSON(summary.databaseID), "repo-key": JSON(repository)]),
            "info": .object([
                "delta": copy("backup-info-size-delta"), "repository": .object(repositoryInfo), "size": copy("backup-info-size"),
            ]),
            "label": .string(summary.label.text),
            "prior": JSON(summary.prior?.text),
            "reference": summary.references.map { .array($0.map { .string($0.text) }) } ?? .null,
            "timestamp": .object(["start": .integer(summary.timestampStart), "stop": .integer(summary.timestampStop)]),
            "type": .string(summary.type.rawValue),
        ]
        if let annotation = source["backup-annotation"] { object["annotation"] = annotation }
        if let error = source["backup-error"] { object["error"] = error }
        if let start = summary.lsnStart, let stop = summary.lsnStop {
            object["lsn"] = .object(["start": .string(start), "stop": .string(stop)])
        }
        if let manifest { addDetails(manifest, to: &object) }
        return .object(object)
    }

    private func addDetails(_ manifest: Manifest, to object: inout [String: JSON]) {
        object["database-ref"] = .array(manifest.userDatabases.map { .object(["name": .string($0.name), "oid": JSON($0.id)]) })
        let links = manifest.plainLinks
        object["link"] =
            links.isEmpty ? .null : .array(links.map { .object(["destination": .string($0.destination), "name": .string($0.name)]) })
        let tablespaces = manifest.places.targets.compactMap { target in target.tablespace.map { (target, $0) } }
        object["tablespace"] =
            tablespaces.isEmpty
            ? .null
            : .array(
                tablespaces.map { target, tablespace in
                    .object([
                        "destination": .string(target.path), "name": .string(tablespace.name), "oid": JSON(UInt64(tablespace.id) ?? 0),
                    ])
                })
        let damaged = manifest.damagedFiles
        if !damaged.isEmpty { object["error-list"] = .array(damaged.map { .string($0) }) }
    }
}

extension Manifest {
    /// Databases that are not templates.
    var userDatabases: [Database] { databases.filter { $0.name != "template0" && $0.name != "template1" } }

    /// Links other than tablespaces, by their path in PGDATA.
    var plainLinks: [(name: String, destination: String)] {
        places.targets.filter { $0.isLink && $0.tablespace == nil }.map { target in
            (Manifest.shown(target.name), target.destination)
        }
    }

    var damagedFiles: [String] { files.filter { $0.pagesValid == false }.map(\.name.text) }
}
